"""Redirectors: they hold no files. The data servers behind one are listed, all of them, and the answers put together.

Through the redirector itself a listing is "ok" with half of the files after it dropped a dead server.
"""

import threading
from collections.abc import Callable, Iterable

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.contract import Answer, Entry, Failed, File, Files, Hole, Listed, Subdirectory
from dynamo_consistency.listers.xrootd.doors import XRootDServer
from dynamo_consistency.listers.xrootd.library import PREFER_NAMES
from dynamo_consistency.listers.xrootd.status import NotFound, problem_of
from dynamo_consistency.listers.xrootd.url import XRootDDoor


def data_servers(manager: XRootDServer, timeout: int) -> frozenset[XRootDDoor]:
    """The data servers behind `manager`; empty when it answers for itself, as the doors of dCache and EOS do.

    `timeout` in seconds. Raises ListingError when it does not name them.
    """
    status, locations = manager.file_system.deeplocate("*", PREFER_NAMES, timeout)
    bad = problem_of(status, manager)
    if bad is not None and (bad.failed.retry or isinstance(bad.failed, NotFound)):
        raise ListingError(f"the redirector {manager} does not say which data servers it has: {bad.failed.reason}")
    found = {XRootDDoor.located(location["address"], manager.door.scheme) for location in (locations or []) if not bad}
    return frozenset(found - {manager.door})


class Gathering:
    """Collects `parts` answers for one directory, one from each data server, and calls `done` with their union."""

    def __init__(self, parts: int, done: Callable[[Answer], None]) -> None:
        self._answers: list[Answer] = []
        self._parts, self._done = parts, done
        self._lock = threading.Lock()

    def part(self, answer: Answer) -> None:
        """Add the answer of one data server. Called from any thread."""
        with self._lock:
            self._answers.append(answer)
            complete = len(self._answers) == self._parts
        if complete:
            self._done(merge(self._answers))


def merge(answers: Iterable[Answer]) -> Answer:
    """The union of what several servers show of one directory; a failure if any of them failed.

    A server without the directory is no failure as long as another one has it. Where they do not agree about an entry,
    it is a hole; of two times the younger one counts.
    """
    answers = list(answers)
    failures = [answer for answer in answers if isinstance(answer, Failed) and not isinstance(answer, NotFound)]
    if failures:
        worst = next((failure for failure in failures if not failure.retry), failures[0])
        return Failed(worst.reason, worst.retry, any(failure.slow for failure in failures))
    listings = [answer for answer in answers if isinstance(answer, Listed)]
    if len(listings) < 2:
        return listings[0] if listings else answers[0]
    return _unite(listings)


def _unite(listings: list[Listed]) -> Listed:
    entries: dict[bytes, Entry] = {}
    for listing in listings:
        everything: list[Entry] = [*listing.files, *listing.directories, *listing.holes]
        for entry in everything:
            known = entries.get(entry.name)
            entries[entry.name] = entry if known is None else _agree(known, entry)
    files = Files.of(entry for entry in entries.values() if isinstance(entry, File))
    identities = {
        name: i for each in listings for name, i in zip(each.files.names, each.files.identities, strict=False)
    }
    files.identities = [identities.get(name, 0) for name in files.names]
    return Listed(
        directories=[entry for entry in entries.values() if isinstance(entry, Subdirectory)],
        files=files,
        holes=[entry for entry in entries.values() if isinstance(entry, Hole)],
        notes=[note for listing in listings for note in listing.notes],
    )


def _agree(one: Entry, other: Entry) -> Entry:
    """Two servers have the name. The younger time counts: who is young is left alone."""
    if isinstance(one, File) and isinstance(other, File) and one.size == other.size:
        return max(one, other, key=_age)
    if isinstance(one, Subdirectory) and isinstance(other, Subdirectory):
        identities = [entry.identity for entry in (one, other) if entry.identity is not None]
        return max(one, other, key=_age)._replace(identity=min(identities, default=None, key=repr))
    if isinstance(one, Hole):
        return one
    return Hole(one.name, "data servers do not agree about it")


def _age(entry: File | Subdirectory) -> float:
    return float("inf") if entry.mtime is None else entry.mtime
