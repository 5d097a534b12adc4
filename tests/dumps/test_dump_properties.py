"""Whatever bytes names have, and wherever a block ends, each line is read once and as it is written."""

import pytest
from effort import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamo_consistency.check import DumpSource
from dynamo_consistency.listers.dump import lines, read_dump

QUIET = settings(max_examples=examples(50), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ODD = b"\n\r\t ,|\"'\\/.ab0\x80\xff\xc3\xa9"
SEPARATORS = {"tsv": b"\t", "pipe": b"|", "ral": b"\t"}


def names(forbidden):
    """Names of files without some characters, from few and odd bytes."""
    allowed = [byte for byte in ODD if byte not in forbidden + b"/"]
    return (
        st.lists(st.sampled_from(allowed), min_size=1, max_size=6).map(bytes).filter(lambda n: n not in (b".", b".."))
    )


@pytest.fixture
def block(monkeypatch):
    """Blocks so small that lines lie across them."""
    monkeypatch.setattr(lines, "_BLOCK", 3)


def rows_of(path, **options):
    dump = read_dump(DumpSource(url=str(path), max_bad_line_fraction="0", **options))
    return [tuple(row.values()) for batch in dump.batches() for row in batch.to_pylist()]


@pytest.mark.parametrize("format_", ["tsv", "pipe", "ral", "paths"])
@QUIET
@given(data=st.data())
def test_lines_of_text(format_, data, tmp_path, block):
    separator = SEPARATORS.get(format_, b"")
    # a carriage return at the end of a line is a foreign line end; blanks around many names, and escapes, are doubtful
    name = names(b"\n" + separator).filter(lambda name: name.strip() == name and b"\\000" not in name)
    files = data.draw(st.lists(st.tuples(name, st.integers(0, 10**17), st.integers(0, 20000)), min_size=1, max_size=4))
    files += [(b"plain%d" % number, 1, 1) for number in range(5)]
    expected = [(b"/s/" + name, size, day) for name, size, day in files]
    columns = {"tsv": 2, "pipe": 2, "ral": 3, "paths": 1}[format_]
    text = [[path, b"%d" % size, b"%d" % day][:columns] for path, size, day in expected]
    (tmp_path / "dump").write_bytes(b"".join(separator.join(row) + b"\n" for row in text))
    known = {"tsv": lambda r: (*r[:2], None), "ral": lambda r: (*r[:2], r[2] * 86400 + 86399)}
    known |= {"pipe": known["tsv"], "paths": lambda r: (r[0], None, None)}
    assert rows_of(tmp_path / "dump", format=format_) == [known[format_](row) for row in expected]


@QUIET
@given(files=st.lists(names(b""), min_size=1, max_size=20))
def test_quoted_names(files, tmp_path):
    files = [*files, *(b"plain%d" % number for number in range(5 * len(files)))]
    quoted = [b'"/s/' + name.replace(b'"', b'""') + b'",1\n' for name in files]
    (tmp_path / "dump").write_bytes(b"".join(quoted))
    assert rows_of(tmp_path / "dump", format="csv") == [(b"/s/" + name, 1, None) for name in files]


@QUIET
@given(content=st.lists(st.sampled_from([b"/s/a", b"\t", b"\n", b"1", b"x", b"/", b"//", b".", b"\xff"]), max_size=30))
def test_no_line_of_rubbish_is_lost_from_the_account(content, tmp_path, block):
    (tmp_path / "dump").write_bytes(b"/s/first\t1\n" + b"".join(content) + b"\n")
    dump = read_dump(DumpSource(url=str(tmp_path / "dump"), max_bad_line_fraction="1"))
    files = sum(len(batch) for batch in dump.batches())
    text = (tmp_path / "dump").read_bytes()
    assert dump.lines == text.count(b"\n")
    assert dump.lines - dump.bad_lines <= files + dump.directories <= dump.lines
