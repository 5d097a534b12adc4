"""The lines of a listing are read in bulk: with the same result as line by line, or as a failure."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dynamo_consistency.listers.contract import Answer, Failed, File, Hole, Listed, Subdirectory
from dynamo_consistency.listers.xrootd.entries import NO_FILE
from dynamo_consistency.listers.xrootd.numbering import Numbering
from dynamo_consistency.listers.xrootd.wire.listing import Listing, UnreadableError, columns

START = b".\n0 0 0 0\n"
FILE, DIRECTORY, OTHER = 16, 19, 4  # flags

WORDS = [b"0", b"5", b"16", b"19", b"4", b"-1", b"", b"x", b"+1", b"1" * 19, b"9" * 20, b"\xb2", b"\t", b"-"]
LINES = st.lists(st.sampled_from(WORDS), max_size=6).map(b" ".join) | st.sampled_from(
    [b"0 5 16 100", b"0 5 16 100 1 2 3 0644 u g", b"7 4096 19 100", b"0 0 4 1", b"0 5 16 ", b"0  16 100", b"0 5  100"]
)


def read(body: bytes) -> Answer:
    return Listing(body, stat=True).read(Numbering("server"))


@given(lines=st.lists(LINES, min_size=1, max_size=4))
@example(lines=[b"0 5 16 100", b"0 5 16 "])
@example(lines=[b"0 5 16 100", b"0 5 16"])
@example(lines=[b"0 5 16 100", b"0 -5 16 -100 4"])
def test_many_lines_are_as_each_by_itself(lines: list[bytes]) -> None:
    each = list(map(plain_facts, lines))
    try:
        together = columns(lines)
    except UnreadableError:
        assert None in each
    else:
        assert list(zip(*together, strict=True)) == each


def plain_facts(line: bytes) -> tuple[bytes, int, bytes, int] | None:
    """The facts in a line by the letter of the protocol; None where it has none."""
    words = re.fullmatch(rb"([^ ]*) (-?[0-9]+) ([0-9]+) (-?[0-9]+)( .*)?", line, re.DOTALL)
    return words and (words[1], int(words[2]), words[3], int(words[4]))


@pytest.mark.parametrize("number", [b"+1", b"1_0", b"\t1", b"", b"-", b"\xb2", b"9" * 5000])
def test_what_python_alone_takes_for_a_number_is_none(number: bytes) -> None:
    for facts in (b"0 %b 16 100", b"0 5 16 %b"):
        assert isinstance(read(START + b"a\n" + facts % number + b"\0"), Failed)


PLAIN_NAMES = st.binary(min_size=1, max_size=4).filter(lambda name: not set(name) & set(b"\0\n/?")).map(b"n".__add__)
NUMBERS = st.integers(0, 2**40)
ENTRIES = st.dictionaries(
    PLAIN_NAMES, st.tuples(st.sampled_from([FILE, DIRECTORY, OTHER]), NUMBERS, NUMBERS), max_size=6
)


MORE = st.lists(st.integers(0, 2), min_size=6, max_size=6)


@given(entries=ENTRIES, more=MORE)
@example(entries=dict.fromkeys([b"a", b"b", b"c"], (FILE, 5, 7)), more=[1, 0, 2])
def test_what_a_server_writes_is_read(entries: dict[bytes, tuple[int, int, int]], more: list[int]) -> None:
    """Though the facts of some entries have more words than those of others."""
    lines = []
    for number, (name, (flags, size, time)) in enumerate(entries.items()):
        lines += [name, b"%d %d %d %d" % (number, size, flags, time) + b" 4" * more[number]]
    answer = read(START + b"\n".join(lines) + b"\0")
    assert isinstance(answer, Listed)
    of = {
        kind: [(name, facts) for name, facts in entries.items() if facts[0] == kind]
        for kind in (FILE, DIRECTORY, OTHER)
    }
    assert list(answer.files) == [File(name, size, time) for name, (_, size, time) in of[FILE]]
    assert answer.directories == [Subdirectory(name, time) for name, (_, _, time) in of[DIRECTORY]]
    assert answer.holes == [Hole(name, NO_FILE) for name, _ in of[OTHER]]


@given(entries=ENTRIES, data=st.data())
def test_of_an_odd_number_of_lines_nothing_is_believed(
    entries: dict[bytes, tuple[int, int, int]], data: st.DataObject
) -> None:
    lines = [line for name in entries for line in (name, b"0 5 16 100")]
    lines.insert(data.draw(st.integers(0, len(lines))), data.draw(st.sampled_from([b"z", b"0 5 16 100"])))
    assert isinstance(read(START + b"\n".join(lines) + b"\0"), Failed)
