"""What the site shows of single files just before it is acted on, by listing the directories that they are in.

The problem: hours or days have passed since the listing. A file may go only if it is still the one that was found, and
is missing only if the site clearly does not have it. An error, or a path that now leads elsewhere, must be neither:
it is `Unknown`, and nothing is asked for.

So all directories from the root of the check down to the file are listed again, each completely. A name that a complete
listing lacks is `Absent`. Where a directory on the way has become a link or a file, what is behind it is not what the
run has seen. Nothing is kept from one look to the next.

A listing may also leave out what is there, or tell an old size. So a file that is to be fetched is asked for by its own
name as well, where the protocol can: it is `Absent` only if both say so, and of another size only if both do.

Rejected ways:
* a stat of each file alone: it follows links, so a file reached another way looks like the one that was found, and a
  server answers "not found" also for a disk that is offline;
* a listing of the file's own directory only: a link further up shows another tree, which looks healthy;
* trust in the run's own listing: what was written, moved or deleted since would be acted on;
* the first of several entries of one name: which of them a request would remove is not known.
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, pairwise

from dynamo_consistency import paths
from dynamo_consistency.listers.contract import Answer, Failed, File, Hole, Listed, Lister, Subdirectory
from dynamo_consistency.listers.look import FileLook, FileStat, NotThere, Unsure
from dynamo_consistency.listers.shards import Share
from dynamo_consistency.listers.times import known_size, known_time
from dynamo_consistency.listers.walk import Limits, Walk
from dynamo_consistency.run.action.file_look import FileLooks


@dataclass(frozen=True)
class SeenFile:
    """The file is there. `mtime` in seconds since 1970, None where it is not known."""

    size: int | None
    mtime: int | None


@dataclass(frozen=True)
class SeenDirectory:
    """A directory is there, and these are its subdirectories; `bare`: it has nothing but subdirectories."""

    subdirectories: frozenset[bytes]
    bare: bool
    mtime: int | None


@dataclass(frozen=True)
class Absent:
    """A directory above it was listed completely, and does not have it; `bare`: that one has no entry at all."""

    bare: bool = False


@dataclass(frozen=True)
class Unknown:
    """It is not known whether it is there, and why not."""

    reason: str


Sight = SeenFile | SeenDirectory | Absent | Unknown


class _NothingBelow(Share):
    """The share of a walk that lists its roots and nothing below them."""

    def lists(self, path: bytes, depth: int) -> bool:
        return False


class SiteView:
    """Looks at a site anew each time it is asked.

    `roots`: nothing outside them is looked at; `look` asks for a single file, where the protocol can.
    """

    def __init__(self, lister: Lister, limits: Limits, roots: Iterable[bytes], look: FileLook | None = None) -> None:
        self._lister, self._limits, self._roots = lister, limits, tuple(roots)
        self._looks = None if look is None else FileLooks(look, limits, lister.capacity)

    def files(self, wanted: Iterable[bytes]) -> dict[bytes, Sight]:
        """What is at each path. Raises ListingError when the answers together cannot be trusted."""
        look = self._look(wanted, ())
        return {path: look.file(path) for path in wanted}

    def missing_files(self, wanted: Iterable[bytes]) -> dict[bytes, Sight]:
        """As `files`; what its directory lacks is asked for by its own name as well. Raises as `files` does."""
        sights = self.files(wanted)
        if self._looks is None:
            return sights
        answers = self._looks.ask([path for path, sight in sights.items() if isinstance(sight, Absent)])
        return {path: _confirmed(sight, answers.get(path, NotThere())) for path, sight in sights.items()}

    def mismatched_files(self, wanted: Iterable[bytes]) -> dict[bytes, Sight]:
        """As `files`; of what is there, the size is asked for by its own name as well. Raises as `files` does."""
        sights = self.files(wanted)
        there = {path: sight for path, sight in sights.items() if isinstance(sight, SeenFile)}
        if self._looks is None or not there:
            return sights
        answers = self._looks.ask(list(there))
        return sights | {path: _of_size(sight, answers[path]) for path, sight in there.items()}

    def directories(self, wanted: Iterable[bytes]) -> dict[bytes, Sight]:
        """What each directory holds. Raises as `files` does."""
        look = self._look(wanted, wanted)
        return {path: look.directory(path) for path in wanted}

    def _look(self, wanted: Iterable[bytes], themselves: Iterable[bytes]) -> "_Look":
        ways = {path: self._way(path) for path in wanted}
        asked = set(chain(themselves, *ways.values()))
        walk = Walk(self._lister, sorted(asked), _NothingBelow(0, 1, 1), self._limits)
        answers = {visit.directory.path: visit.answer for visit in walk}
        self._lister.verify()
        return _Look(ways, answers, time.time())

    def _way(self, path: bytes) -> list[bytes]:
        """The directories that lead to `path`, from its root down; none where it is below no root."""
        for root in self._roots:
            if paths.is_below(path, root):
                way = [path]
                while way[-1] != root:
                    way.append(way[-1].rsplit(b"/", 1)[0] or b"/")
                return way[:0:-1]
        return []


class _Look:
    """The answers of one look at the site."""

    def __init__(self, ways: dict[bytes, list[bytes]], answers: dict[bytes, Answer], at: float) -> None:
        self._ways, self._answers, self._at = ways, answers, at
        names: defaultdict[bytes, set[bytes]] = defaultdict(set)
        for path, way in ways.items():
            for directory, child in pairwise([*way, path]):
                names[directory].add(_name(child))
        self._entries = {directory: _named(answers[directory], of_interest) for directory, of_interest in names.items()}

    def file(self, path: bytes) -> Sight:
        entry = self._entry(path)
        if isinstance(entry, File):
            return SeenFile(known_size(entry.size), known_time(entry.mtime, self._at))
        return Unknown("its name is a directory now") if isinstance(entry, Subdirectory) else entry

    def directory(self, path: bytes) -> Sight:
        entry, answer = self._entry(path), self._answers[path]
        if isinstance(entry, File):
            return Unknown("its name is a file now")
        if not isinstance(entry, Subdirectory):
            return entry
        if isinstance(answer, Failed):
            return Unknown(answer.reason)
        subdirectories = frozenset(below.name for below in answer.directories)
        if answer.hidden:
            return Unknown(f"its server leaves out {answer.hidden}")
        return SeenDirectory(subdirectories, not answer.files and not answer.holes, known_time(entry.mtime, self._at))

    def _entry(self, path: bytes) -> "File | Subdirectory | Absent | Unknown":
        """The one entry of that path in its directory, if all directories on the way there are what they seem."""
        entry: File | Subdirectory | Absent | Unknown = Unknown("it is below no root")
        for directory, child in pairwise([*self._ways[path], path]):
            answer = self._answers[directory]
            if isinstance(answer, Failed):
                return Unknown(answer.reason)
            entry = _the_one(self._entries[directory][_name(child)])
            if isinstance(entry, Absent):
                return Absent(bare=_is_bare(answer))
            if child != path and not isinstance(entry, Subdirectory):
                return Unknown("a directory above it is a file now") if isinstance(entry, File) else entry
        return entry


def _confirmed(sight: Sight, answer: FileStat | NotThere | Unsure) -> Sight:
    """What a directory shows of a file, with what the site answers to the file's own name."""
    if isinstance(answer, Unsure):
        return Unknown(answer.reason)
    return SeenFile(*answer) if isinstance(answer, FileStat) else sight


def _of_size(sight: SeenFile, answer: FileStat | NotThere | Unsure) -> Sight:
    """What a directory shows of a file, with the size that the site answers to the file's own name."""
    if isinstance(answer, FileStat):
        return SeenFile(answer.size, sight.mtime)
    return Unknown(
        answer.reason if isinstance(answer, Unsure) else "its directory shows it, and by its name it is gone"
    )


def _is_bare(answer: Listed) -> bool:
    return not (answer.files or answer.directories or answer.holes)


def _name(path: bytes) -> bytes:
    return path.rsplit(b"/", 1)[-1]


def _named(answer: Answer, names: set[bytes]) -> "dict[bytes, list[File | Subdirectory | Hole]]":
    """The entries of these names."""
    found: dict[bytes, list[File | Subdirectory | Hole]] = {name: [] for name in names}
    if not isinstance(answer, Failed):
        for entries in (answer.files, answer.directories, answer.holes):
            for entry in entries:
                if entry.name in names:
                    found[entry.name].append(entry)
    return found


def _the_one(entries: "list[File | Subdirectory | Hole]") -> "File | Subdirectory | Absent | Unknown":
    if not entries:
        return Absent()
    if len(entries) > 1:
        return Unknown("its name, or that of a directory above it, appears twice")
    (entry,) = entries
    return Unknown(entry.reason) if isinstance(entry, Hole) else entry
