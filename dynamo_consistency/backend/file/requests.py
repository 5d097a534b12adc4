"""Requests as lists, `<folder>/<site>/delete.txt` and `transfer.txt`, that a person or a script carries out.

One LFN a line (`paths.one_line`), none twice; that of a directory ends with `/`. A list is replaced whole or not at
all: half a line could name a directory of the file that is meant. Whoever takes a list away renames it, under the same
lock (`flock <folder>/<site>/.lock`) if a run may be under way. A line that is still there can be taken back.

Whoever carries a list out knows no other site: what one may have on the same storage is not written down at all.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dynamo_consistency import paths
from dynamo_consistency.backend.contract import Asked, Outcome, Withdrawn
from dynamo_consistency.backend.optional_features import number_requested
from dynamo_consistency.errors import BackendError, ConfigurationError


class Objections(Protocol):
    """Says of a site which of some files, or directories, of it must not be deleted, and why."""

    def __call__(self, site: str, files: Sequence[bytes], *, directories: bool) -> Mapping[bytes, str]: ...


@dataclass(frozen=True)
class Registry:
    """`registry` of the backend contract. It cannot tell who else has a file, so it has no `sources`."""

    folder: str | None
    objections: Objections

    def delete(self, site: str, files: Iterable[str]) -> int:
        """Write the files to the site's list of deletions; the number of those that were not there yet.

        Why one is not written down is logged.
        """
        outcomes = self.request_deletion(site, [paths.to_bytes(name) for name in files])
        return number_requested([outcome for outcome in outcomes if outcome.outcome != "waiting"])

    def transfer(self, site: str, files: Iterable[str]) -> tuple[list[str], list[str]]:
        """Write the files to the site's list of transfers; ([], []), because nothing here knows of other copies."""
        self.request_transfer(site, [paths.to_bytes(name) for name in files])
        return [], []

    def request_deletion(self, site: str, files: Sequence[bytes]) -> list[Outcome]:
        return self._delete(site, files, directories=False)

    def request_deletion_of_directories(self, site: str, directories: Sequence[bytes]) -> list[Outcome]:
        return self._delete(site, directories, directories=True)

    def request_transfer(self, site: str, files: Sequence[bytes]) -> list[Outcome]:
        return self._add(site, "transfer.txt", files)

    def withdraw(self, site: str, asked: Sequence[Asked]) -> list[Withdrawn]:
        """See `contract.WithdrawingRegistry`; a line that is not there any more was taken away, and is unknown."""
        found: dict[str, dict[bytes, Withdrawn]] = {}
        for request, name in (("delete", "delete.txt"), ("transfer", "transfer.txt")):
            lines = [line for one in asked if one.request == request for line in _lines_of(one.path)]
            found[request] = self._remove(site, name, lines) if lines else {}
        return [max((found[one.request][line] for line in _lines_of(one.path)), key=_SAYS_MOST.index) for one in asked]

    def _delete(self, site: str, files: Sequence[bytes], *, directories: bool) -> list[Outcome]:
        self._folder(site)
        refused = self.objections(site, files, directories=directories)
        lines = [path + b"/" if directories else path for path in files if path not in refused]
        added = iter(self._add(site, "delete.txt", lines))
        return [
            Outcome(path, "refused", refused[path]) if path in refused else next(added)._replace(path=path)
            for path in files
        ]

    def _add(self, site: str, name: str, files: Sequence[bytes]) -> list[Outcome]:
        with self._list(site, name) as target:
            return _add_lines(target, files)

    def _remove(self, site: str, name: str, lines: Sequence[bytes]) -> dict[bytes, Withdrawn]:
        with self._list(site, name) as target:
            return _remove_lines(target, lines)

    def _folder(self, site: str) -> Path:
        if self.folder is None:
            raise ConfigurationError("this backend takes no requests; set `requests` of it to a folder for the lists")
        return Path(self.folder) / site

    @contextlib.contextmanager
    def _list(self, site: str, name: str) -> Iterator[Path]:
        """A list of the site, which nobody who takes the lock changes meanwhile."""
        folder = self._folder(site)
        try:
            with _locked(folder):
                yield folder / name
        except OSError as error:
            raise BackendError(f"the list {folder / name} cannot be written: {error.strerror}") from None


_SAYS_MOST: tuple[Withdrawn, ...] = ("unknown", "withdrawn", "cannot")


def _lines_of(path: bytes) -> tuple[bytes, bytes]:
    """The lines of a file and of a directory: a request does not say which of the two it was."""
    return paths.one_line(path), paths.one_line(path + b"/")


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _add_lines(target: Path, files: Sequence[bytes]) -> list[Outcome]:
    lines = dict.fromkeys(line for line in target.read_bytes().split(b"\n") if line) if target.exists() else {}
    outcomes = []
    for path in files:
        line = paths.one_line(path)
        outcomes.append(Outcome(path, "waiting" if line in lines else "requested"))
        lines[line] = None
    if any(outcome.outcome == "requested" for outcome in outcomes):
        _replace(target, b"".join(line + b"\n" for line in lines))
    return outcomes


def _remove_lines(target: Path, lines: Sequence[bytes]) -> dict[bytes, Withdrawn]:
    """What became of each of the lines. One who does not take the lock may change or take the list away meanwhile."""
    before = _state(target)
    if before is None:
        return dict.fromkeys(lines, "unknown")
    content = target.read_bytes()
    *present, unfinished = content.split(b"\n")
    ours = set(lines) & set(present)
    if ours:
        if _state(target) != before:
            return dict.fromkeys(lines, "cannot")
        _replace(target, b"".join(line + b"\n" for line in present if line not in ours) + unfinished)
    return {line: "withdrawn" if line in ours else "unknown" for line in lines}


def _state(target: Path) -> tuple[int, int, int] | None:
    """Differs once somebody has written the list anew, or another one in its place; None where there is none."""
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _replace(target: Path, content: bytes) -> None:
    """The list is on the disk, under its name, when this returns."""
    new = target.with_name(f".{target.name}.new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(target)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
