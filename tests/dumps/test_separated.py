"""Lines with a separator are read by Arrow's reader of CSV only where that reads what is written."""

import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamo_consistency.listers.dump.lines import as_lines
from dynamo_consistency.listers.dump.separated import _parsed, _split
from dynamo_consistency.listers.dump.values import texts

COLUMNS = {"path": 0, "size": 1}


@pytest.mark.parametrize(
    "block",
    [b'/a\t1\n/b "c\t2', b"/a\\\t1\n'/b\t", b"/a\t\n/b\t2", b"/\xff\xfe\t1\nNA\tnull", b" /a \t 1 "],
    ids=["quote", "backslash", "empty cell", "no UTF-8", "blanks"],
)
def test_arrow_reads_the_cells_that_splitting_gives(block):
    parsed = _parsed(block, b"\t", 2, COLUMNS)
    split = _split(as_lines(block), b"\t", 2, COLUMNS)
    assert split.unread == []
    assert parsed is not None
    assert {name: column.to_pylist() for name, column in parsed.items()} == {
        name: texts(column).to_pylist() for name, column in split.columns.items()
    }


@pytest.mark.parametrize(
    "block",
    [
        b"/a\r/b\t1",
        b"\xef\xbb\xbf/a\t1",
        b"/a\t1\n/b",
        b"/a\t1\n/b\t2\t3",
        b"/a\t1\n",
        b"/a\t1\n\n/b\t2",
        b"\n/b\t2",
        b"\t1\n/b\t2",
    ],
    ids=[
        "CR in a name",
        "byte order mark",
        "too few",
        "too many",
        "empty last line",
        "empty line",
        "empty first line",
        "empty path",
    ],
)
def test_a_block_that_arrow_may_read_otherwise_is_split(block):
    assert _parsed(block, b"\t", 2, COLUMNS) is None


PARTS = [b"/a", b"\t", b"\t", b"\n", b"\n", b"1", b'"', b'"\n', b"\\", b"\xef\xbb\xbf", b"\xff", b" ", b"\r", b"#"]
BLOCKS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=12).map(b"".join)
LINES = st.lists(
    st.sampled_from([b"/a\t1", b"/b\t", b'"/c"\t"', b"\t", b"", b"/d", b"/e\t1\t2"]), min_size=1, max_size=4
)


@settings(max_examples=examples(1500), deadline=None)
@given(block=st.one_of(BLOCKS, LINES.map(b"\n".join)), width=st.sampled_from([1, 2, 2, 3]))
def test_what_arrow_reads_of_any_block_is_what_splitting_gives(block, width):
    columns = {"path": 0} if width == 1 else {"path": 0, "size": width - 1}
    parsed = _parsed(block, b"\t", width, columns)
    if parsed is None:
        return
    split = _split(as_lines(block), b"\t", width, columns)
    assert split.unread == []
    cells = {name: texts(column).to_pylist() for name, column in split.columns.items()}
    assert {name: column.to_pylist() for name, column in parsed.items()} == cells
    assert cells["path"] == [line.split(b"\t")[0] for line in block.split(b"\n")]
