"""From the bytes of a listing to a `Listed`, in bulk: nothing here is done file by file in Python.

The body is lines: `.` and a line of facts, and then a name and its facts in turn, ended by a zero byte. Facts are
`id size flags mtime`, and from newer servers five more. Nothing in it tells a line end in a name from one between two
lines, so that whatever does not fit makes a failure of the directory.
"""

from collections.abc import Iterator
from functools import partial
from itertools import repeat
from typing import NamedTuple

from dynamo_consistency.listers.contract import Answer, Failed, File, Hole, Listed, Subdirectory
from dynamo_consistency.listers.xrootd.entries import (
    LONGEST_NAME,
    NAME_TOO_LONG,
    NAME_TWICE,
    NO_FILE,
    file_facts,
    impossible_size,
)
from dynamo_consistency.listers.xrootd.library import IS_DIRECTORY, IS_OFFLINE, IS_OTHER, IS_PENDING
from dynamo_consistency.listers.xrootd.numbering import Numbering
from dynamo_consistency.listers.xrootd.url import unaskable

LARGEST = (1 << 63) - 1
_SPECIAL = IS_DIRECTORY | IS_OTHER | IS_OFFLINE | IS_PENDING
_LINE_END = "the listing cannot be read; a line end in the name of an entry does that"
_file = partial(tuple.__new__, File)
_digits = bytes.isdigit


class UnreadableError(ValueError):
    """The directory cannot be told from its listing; the text says why."""


class Facts(NamedTuple):
    """Columns of a listing, a row for each entry, in the server's words."""

    identifiers: list[bytes]
    sizes: list[bytes]
    flags: list[bytes]
    times: list[bytes]


class Listing:
    """The answer to a listing, with facts (`stat`) or of bare names. `len` is the number of its entries."""

    def __init__(self, body: bytes, *, stat: bool) -> None:
        text = body.rstrip(b"\0")
        lines = text.removesuffix(b"\n").split(b"\n") if text else []
        self.bare = not stat or (bool(lines) and lines[0] != b".")
        self._names = lines if self.bare else lines[2::2]
        self._facts = [] if self.bare else lines[3::2]
        self._even = self.bare or len(lines) % 2 == 0

    def __len__(self) -> int:
        return len(self._names)

    def read(self, numbering: Numbering) -> Answer:
        """The directory as a server shows it."""
        if self.bare and self._names:
            return Failed("the server lists names without sizes")
        try:
            return self._read(numbering)
        except UnreadableError as error:
            return Failed(str(error))

    def identifiers(self) -> Iterator[str]:
        """What the server calls each entry."""
        return (facts.split(b" ", 1)[0].decode("ascii", "replace") for facts in self._facts)

    def _read(self, numbering: Numbering) -> Answer:
        names = self._names
        self._doubt()
        facts = columns(self._facts)
        kinds = {text: int(text) for text in set(facts.flags)}
        listed = Listed()
        if not any(kind & _SPECIAL for kind in kinds.values()):
            _add_files(listed, names, facts.sizes, facts.times)
            return listed
        plain = {text for text, kind in kinds.items() if not kind & _SPECIAL}
        rows = [row for row, text in enumerate(facts.flags) if text in plain]
        _add_files(listed, *([column[row] for row in rows] for column in (names, facts.sizes, facts.times)))
        special = [(names[row], _row(facts, row)) for row, text in enumerate(facts.flags) if text not in plain]
        numbering.observe(row.identifier for _, row in special if row.flags & IS_DIRECTORY)
        found = [_special(name, row, numbering) for name, row in special]
        listed.files += [entry for entry in found if isinstance(entry, File)]
        listed.directories += [entry for entry in found if isinstance(entry, Subdirectory)]
        listed.holes += [entry for entry in found if isinstance(entry, Hole)]
        return listed

    def _doubt(self) -> None:
        names = self._names
        if not self._even or b"" in names:
            raise UnreadableError(_LINE_END)
        if len(set(names)) != len(names):
            raise UnreadableError(NAME_TWICE)
        if max(map(len, names), default=0) > LONGEST_NAME:
            raise UnreadableError(NAME_TOO_LONG)


def columns(lines: list[bytes]) -> Facts:
    """The first four words of each line, all of them numbers. Raises UnreadableError where a line has none."""
    blanks = set(map(bytes.count, lines, repeat(b" ")))
    if len(blanks) == 1 and (width := blanks.pop() + 1) >= 4:
        words = b" ".join(lines).split(b" ")
        facts = Facts(*(words[first::width] for first in range(4)))
        if all(_digits(b"".join(column)) and b"" not in column for column in facts[1:]):
            return facts
    rows = [line.split(b" ", 4)[:4] for line in lines]
    if not all(len(row) == 4 and all(map(_is_number, row[1:])) and row[2][:1] != b"-" for row in rows):
        raise UnreadableError(_LINE_END)
    return Facts(*([row[column] for row in rows] for column in range(4)))


def _is_number(word: bytes) -> bool:
    return _digits(word.removeprefix(b"-"))


def _add_files(listed: Listed, names: list[bytes], sizes: list[bytes], times: list[bytes]) -> None:
    numbers = list(map(int, sizes))
    if numbers and (min(numbers) < 0 or max(numbers) > LARGEST):
        wrong = [row for row, size in enumerate(numbers) if not 0 <= size <= LARGEST]
        listed.holes += [Hole(names[row], impossible_size(numbers[row])) for row in wrong]
        right = [row for row, size in enumerate(numbers) if 0 <= size <= LARGEST]
        names, numbers, times = ([column[row] for row in right] for column in (names, numbers, times))  # type: ignore[assignment]
    listed.files += map(_file, zip(names, numbers, _times(times), strict=True))


def _times(column: list[bytes]) -> list[int] | list[int | None]:
    """None for what is no time: it would not even fit into a file of ours."""
    times = list(map(int, column))
    if not times or (min(times) >= -LARGEST and max(times) <= LARGEST):
        return times
    return [time if -LARGEST <= time <= LARGEST else None for time in times]


def _special(name: bytes, row: "_Row", numbering: Numbering) -> File | Subdirectory | Hole:
    """A directory, what is none, or a file of which not everything is known."""
    if row.flags & IS_OTHER:
        return Hole(name, NO_FILE)
    if not row.flags & IS_DIRECTORY:
        return File(name, *file_facts(row.size, row.flags, row.time))
    if reason := unaskable(name, text=False):
        return Hole(name, reason)
    return Subdirectory(name, row.time, numbering.identity(row.identifier))


class _Row(NamedTuple):
    identifier: str
    size: int
    flags: int
    time: int | None


def _row(facts: Facts, number: int) -> _Row:
    identifier = facts.identifiers[number].decode("ascii", "replace")
    [time] = _times([facts.times[number]])
    return _Row(identifier, int(facts.sizes[number]), int(facts.flags[number]), time)
