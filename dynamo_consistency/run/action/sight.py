"""What the site shows of single files at the moment of acting, by listing the directories that they are in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dynamo_consistency import paths
from dynamo_consistency.listers.contract import Answer, Failed, Listed, Lister
from dynamo_consistency.listers.shards import Share
from dynamo_consistency.listers.walk import Limits, Walk


@dataclass(frozen=True)
class File:
    """The file is there. `mtime` in seconds since 1970, None where it is not known."""

    size: int | None
    mtime: int | None


@dataclass(frozen=True)
class Directory:
    """A directory is there, and these are its subdirectories; `bare`: it has nothing but subdirectories."""

    subdirectories: frozenset[bytes]
    bare: bool


@dataclass(frozen=True)
class Absent:
    """A directory above it was listed wholly, and does not have it."""


@dataclass(frozen=True)
class Unknown:
    """It cannot be told whether it is there, and why."""

    reason: str


Sight = File | Directory | Absent | Unknown


class _NothingBelow(Share):
    """The share of a walk that lists its roots and nothing below them."""

    def lists(self, path: bytes, depth: int) -> bool:
        return False


class SiteView:
    """Looks at a site anew each time it is asked. `roots`: nothing outside them is looked at."""

    def __init__(self, lister: Lister, limits: Limits, roots: Iterable[bytes]) -> None:
        self._lister, self._limits, self._roots = lister, limits, tuple(roots)

    def files(self, wanted: Iterable[bytes]) -> dict[bytes, Sight]:
        """What is at each path. Where its directory cannot be listed, those above it are asked whether it is there."""
        wanted = list(wanted)
        answers = self._list({_parent(path) for path in wanted})
        above = {directory for path in wanted for directory in self._up(path)} - answers.keys()
        if any(isinstance(answer, Failed) for answer in answers.values()):
            answers |= self._list(above)
        return {path: self._sight(path, answers) for path in wanted}

    def directories(self, wanted: Iterable[bytes]) -> dict[bytes, Sight]:
        """What each directory holds."""
        return {path: _contents(answer) for path, answer in self._list(set(wanted)).items()}

    def _list(self, directories: set[bytes]) -> dict[bytes, Answer]:
        walk = Walk(self._lister, sorted(directories), _NothingBelow(0, 1, 1), self._limits)
        return {visit.directory.path: visit.answer for visit in walk}

    def _up(self, path: bytes) -> Iterator[bytes]:
        """The directories above `path`, nearest first, up to its root."""
        directory = _parent(path)
        while paths.is_in(directory, self._roots):
            yield directory
            directory = _parent(directory)

    def _sight(self, path: bytes, answers: dict[bytes, Answer]) -> Sight:
        reason = "its directory is not below a root"
        child = path
        for directory in self._up(path):
            answer = answers.get(directory)
            if isinstance(answer, Listed):
                return _entry(answer, child.rsplit(b"/", 1)[-1], reason, itself=child == path)
            reason = answer.reason if isinstance(answer, Failed) else "its directory gave no answer"
            child = directory
        return Unknown(reason)


def _parent(path: bytes) -> bytes:
    return path.rsplit(b"/", 1)[0] or b"/"


def _entry(listed: Listed, name: bytes, reason: str, *, itself: bool) -> Sight:
    """What `listed` says of `name`: the file `itself`, or the directory towards it that could not be listed."""
    files = [file for file in listed.files if file.name == name]
    taken = any(entry.name == name for entries in (listed.directories, listed.holes) for entry in entries)
    if not files and not taken:
        return Absent()
    if not itself or taken or len(files) > 1:
        return Unknown(reason if not itself else "its name is now a directory, a link, or stands twice")
    return File(files[0].size, files[0].mtime)


def _contents(answer: Answer) -> Sight:
    if isinstance(answer, Failed):
        return Unknown(answer.reason)
    subdirectories = frozenset(entry.name for entry in answer.directories)
    return Directory(subdirectories, bare=not answer.files and not answer.holes)
