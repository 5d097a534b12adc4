"""From the bytes of a listing to a `Listed`, in bulk: nothing here is done file by file in Python.

The body is lines: `.` and a line of facts, and then a name and its facts in turn, ended by a zero byte. Facts are
`id size flags mtime`, and from newer servers five more. Nothing in it tells a line end in a name from one between two
lines, so that whatever does not fit makes a failure of the directory.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import compress
from typing import NamedTuple

from dynamo_consistency.listers.contract import Answer, Failed, Files, Hole, Listed, Subdirectory
from dynamo_consistency.listers.xrootd.entries import (
    LONGEST_NAME,
    NAME_TOO_LONG,
    NAME_TWICE,
    NO_FILE,
    file_facts,
    impossible_size,
)
from dynamo_consistency.listers.xrootd.library import IS_DIRECTORY, IS_OTHER, SPECIAL
from dynamo_consistency.listers.xrootd.numbering import Numbering, file_identities, file_identity
from dynamo_consistency.listers.xrootd.url import unaskable

LARGEST = (1 << 63) - 1
_LINE_END = "the listing cannot be read; a line end in the name of an entry does that"
_digits = bytes.isdigit


class UnreadableError(ValueError):
    """The directory cannot be told from its listing; the text says why."""


class Facts(NamedTuple):
    """Columns of a listing, a row for each entry: identifier and flags in the server's words, size and time."""

    identifiers: Sequence[bytes]
    sizes: list[int]
    flags: Sequence[bytes]
    times: list[int]


class Listing:
    """The answer to a listing, with facts (`stat`) or of bare `names`. `len` is the number of its entries."""

    def __init__(self, body: bytes, *, stat: bool) -> None:
        text = body.rstrip(b"\0")
        lines = text.removesuffix(b"\n").split(b"\n") if text else []
        self.bare = not stat or (bool(lines) and lines[0] != b".")
        self.names = lines if self.bare else lines[2::2]
        self._facts = [] if self.bare else lines[3::2]
        self._even = self.bare or len(lines) % 2 == 0

    def __len__(self) -> int:
        return len(self.names)

    def read(self, numbering: Numbering) -> Answer:
        """The directory as a server shows it."""
        if self.bare and self.names:
            return Failed("the server lists names without sizes")
        try:
            return self._read(numbering)
        except UnreadableError as error:
            return Failed(str(error))

    def identifiers(self) -> Iterator[str]:
        """What the server calls each entry."""
        return (_text(facts.split(b" ", 1)[0]) for facts in self._facts)

    def _read(self, numbering: Numbering) -> Answer:
        names = self.names
        self._doubt()
        facts = columns(self._facts)
        if not any(map(_special, set(facts.flags))):
            return _plain_files(names, facts.sizes, facts.times, facts.identifiers)
        kinds = list(map(_special, facts.flags))
        plain = [not kind for kind in kinds]
        sizes, times = list(compress(facts.sizes, plain)), list(compress(facts.times, plain))
        listed = _plain_files(list(compress(names, plain)), sizes, times, list(compress(facts.identifiers, plain)))
        rows = zip(names, kinds, facts.identifiers, facts.sizes, facts.times, strict=True)
        special = [row for row in rows if row[1]]
        numbering.observe(_text(identifier) for _, kind, identifier, *_ in special if kind & IS_DIRECTORY)
        for row in special:
            _add_special(listed, numbering, row)
        return listed

    def _doubt(self) -> None:
        names = self.names
        if not self._even or b"" in names:
            raise UnreadableError(_LINE_END)
        if len(set(names)) != len(names):
            raise UnreadableError(NAME_TWICE)
        if max(map(len, names), default=0) > LONGEST_NAME:
            raise UnreadableError(NAME_TOO_LONG)


def columns(lines: list[bytes]) -> Facts:
    """The first four words of each line, numbers but for the first. Raises UnreadableError where a line has others."""
    rows = [line.split(b" ", 4) for line in lines]
    words = list(zip(*rows))  # noqa: B905 (as many columns as the shortest line has words)
    if not rows:
        return Facts((), [], (), [])
    if len(words) < 4 or not all(map(_digits, set(words[2]))):
        raise UnreadableError(_LINE_END)
    return Facts(words[0], _numbers(words[1]), words[2], _numbers(words[3]))


def _numbers(words: Sequence[bytes]) -> list[int]:
    """Their values. Python takes more for a number than a server writes: what is not all digits is looked at singly."""
    if not _digits(b"".join(words)) and not all(map(_is_number, words)):
        raise UnreadableError(_LINE_END)
    try:
        return list(map(int, words))
    except ValueError:
        raise UnreadableError(_LINE_END) from None


def _is_number(word: bytes) -> bool:
    return _digits(word.removeprefix(b"-"))


@lru_cache(64)
def _special(flags: bytes) -> int:
    """What flags, as the server writes them, say of an entry; 0 for a file of which everything is known."""
    return int(flags) & SPECIAL


def _plain_files(names: list[bytes], sizes: list[int], times: list[int], identifiers: Sequence[bytes]) -> Listed:
    identities = _identities(identifiers)
    if not sizes or (min(sizes) >= 0 and max(sizes) <= LARGEST):
        return Listed(files=Files(names, sizes, _times(times), identities))  # type: ignore[arg-type]
    listed = Listed()
    for name, size, time, identity in zip(names, sizes, _times(times), identities, strict=True):
        if 0 <= size <= LARGEST:
            listed.files.add(name, size, time, identity)
        else:
            listed.holes.append(Hole(name, impossible_size(size)))
    return listed


def _identities(identifiers: Sequence[bytes]) -> list[int]:
    try:
        return file_identities(list(map(int, identifiers)))
    except ValueError:
        return [file_identity(_text(identifier)) for identifier in identifiers]


def _times(times: list[int]) -> list[int | None]:
    if not times or (min(times) >= -LARGEST and max(times) <= LARGEST):
        return times  # type: ignore[return-value]
    return list(map(_time, times))


def _time(time: int) -> int | None:
    """None for what is no time: it would not even fit into a file of ours."""
    return time if -LARGEST <= time <= LARGEST else None


def _add_special(listed: Listed, numbering: Numbering, row: tuple[bytes, int, bytes, int, int]) -> None:
    """A directory, what is none, or a file of which not everything is known."""
    name, kind, identifier, size, time = row
    if kind & IS_OTHER:
        listed.holes.append(Hole(name, NO_FILE))
    elif not kind & IS_DIRECTORY:
        listed.files.add(name, *file_facts(size, kind, _time(time)), file_identity(_text(identifier)))
    elif reason := unaskable(name, text=False):
        listed.holes.append(Hole(name, reason))
    else:
        listed.directories.append(Subdirectory(name, _time(time), numbering.identity(_text(identifier))))


def _text(word: bytes) -> str:
    return word.decode("ascii", "replace")
