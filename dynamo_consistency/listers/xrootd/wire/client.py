"""The wire's client as the lister sees it: the same calls as those of the XRootD library."""

import queue
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.listers.loop.led_answers import LedAnswers
from dynamo_consistency.listers.loop.loop import Loop
from dynamo_consistency.listers.xrootd.library import Callback, XRootDResponse, XRootDStatus
from dynamo_consistency.listers.xrootd.url import XRootDDoor
from dynamo_consistency.listers.xrootd.wire import outcome
from dynamo_consistency.listers.xrootd.wire.connection import Done, Question
from dynamo_consistency.listers.xrootd.wire.door import Door
from dynamo_consistency.listers.xrootd.wire.frames import (
    DIRLIST,
    LOCATE,
    NO_PARAMETERS,
    RMDIR,
    STAT,
    listing_parameters,
    locate_parameters,
)
from dynamo_consistency.listers.xrootd.wire.listing import Listing, UnreadableError, columns
from dynamo_consistency.paths import to_bytes

NAMES_AND_FACTS, BARE_NAMES = listing_parameters(2), listing_parameters(0)
UNSIGNED = (1 << 64) - 1
GRACE_SECONDS = 2.0  # the loop keeps the time; a call that waits for it gives it this long


class WireClient:
    """All doors that a lister asks, and the one thread that serves them. `timeout` in seconds bounds a log-in."""

    def __init__(self, timeout: int) -> None:
        self._timeout = timeout
        self._doors: dict[XRootDDoor, Door] = {}
        self._loop = Loop(self._tick)

    def connect(self, door: XRootDDoor) -> "WireFileSystem":
        """What asks `door`; the first question makes the connection."""
        return WireFileSystem(self, self.door(door))

    def door(self, door: XRootDDoor) -> Door:
        """The one `Door` there is for a door."""
        if door not in self._doors:
            follow = partial(self._follow, door.scheme)
            self._doors.setdefault(door, Door(self._loop, door, self._timeout, follow))
        return self._doors[door]

    def answers(self) -> LedAnswers:
        """A queue for a walk over these doors."""
        return LedAnswers(self._loop)

    def close(self) -> None:
        """End all connections and the thread."""
        for door in list(self._doors.values()):
            self._loop.call(door.close)
        self._loop.close()

    def _follow(self, scheme: str, host: str, port: int) -> Door | None:
        try:
            return self.door(XRootDDoor.located(f"{host}:{port}", scheme)) if port > 0 else None
        except ConfigurationError:
            return None

    def _tick(self, now: float) -> None:
        for door in list(self._doors.values()):
            door.tick(now)


class WireFileSystem:
    """A `library.FileSystem` over our own connections."""

    answers_prove_themselves_whole = True

    def __init__(self, client: WireClient, door: Door) -> None:
        self._client, self._door = client, door

    def dirlist(self, path: str, flags: int, timeout: int, callback: Callback | None = None) -> Any:
        """As `library.FileSystem`; the response is a `Listing`."""
        parameters = NAMES_AND_FACTS if flags else BARE_NAMES
        if callback is None:
            status, body = self._wait(self._door, DIRLIST, parameters, path, timeout)
            return status, None if body is None else Listing(body, stat=bool(flags))
        self._ask(DIRLIST, parameters, path, timeout, partial(_listed, callback, bool(flags)))
        return outcome.SUCCESS

    def stat(self, path: str, timeout: int) -> tuple[XRootDStatus, XRootDResponse]:
        """As `library.FileSystem`."""
        status, body = self._wait(self._door, STAT, NO_PARAMETERS, path, timeout)
        if body is None:
            return status, None
        try:
            facts = columns([body.rstrip(b"\0\n")])
        except UnreadableError:
            return outcome.unexpected(f"the facts about a file cannot be read: {body[:100]!r}"), None
        (size,), (time_,) = facts.sizes, facts.times
        numbers = {"size": size & UNSIGNED, "flags": int(facts.flags[0]), "modtime": time_ & UNSIGNED}
        return status, {"id": facts.identifiers[0].decode()} | numbers

    def rmdir(self, path: str, timeout: int) -> tuple[XRootDStatus, XRootDResponse]:
        """As `library.FileSystem`."""
        return self._wait(self._door, RMDIR, NO_PARAMETERS, path, timeout)

    def protocol(self, timeout: int, callback: Callback | None = None) -> Any:
        """As `library.FileSystem`. The log-in tells, and has its own time limit."""
        if callback is not None:
            told = callback
            self._door.greet(lambda status, flags: told(status, {"hostinfo": flags} if status["ok"] else None, None))
        return outcome.SUCCESS

    def deeplocate(self, path: str, flags: int, timeout: int) -> tuple[XRootDStatus, XRootDResponse]:
        """As `library.FileSystem`: every redirector below is asked, and one that does not answer is a failure."""
        deadline = time.monotonic() + timeout
        asked, managers = set(), [self._door]
        servers: list[dict[str, str]] = []
        while managers:
            manager = managers.pop()
            asked.add(manager.door)
            left = max(1, int(deadline - time.monotonic()))
            status, body = self._wait(manager, LOCATE, locate_parameters(flags), path, left)
            if body is None:
                return status, None
            for word in body.split(b"\0", 1)[0].decode("utf-8", "replace").split():
                kind, address = word[0], word[2:]
                if kind in "Ss":
                    servers.append({"address": address})
                elif (door := XRootDDoor.located(address, self._door.door.scheme)) not in asked:
                    managers.append(self._client.door(door))
        return outcome.SUCCESS, servers

    def _ask(self, kind: int, parameters: bytes, path: str, timeout: float, done: Done) -> None:
        self._door.submit(Question(kind, parameters, to_bytes(path), time.monotonic() + timeout, done))

    def _wait(
        self, door: Door, kind: int, parameters: bytes, path: str, timeout: float
    ) -> tuple[XRootDStatus, bytes | None]:
        answers: queue.SimpleQueue[tuple[XRootDStatus, bytes | None]] = queue.SimpleQueue()
        deadline = time.monotonic() + timeout
        door.submit(Question(kind, parameters, to_bytes(path), deadline, lambda *answer: answers.put(answer)))
        try:
            return answers.get(timeout=timeout + GRACE_SECONDS)
        except queue.Empty:
            return outcome.TIMED_OUT, None


def _listed(callback: Callable[..., None], stat: bool, status: XRootDStatus, body: bytes | None) -> None:
    callback(status, None if body is None else Listing(body, stat=stat), None)
