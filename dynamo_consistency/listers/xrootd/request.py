"""One directory at one set of doors: asked, asked again where the answer cannot be believed, and answered once."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from dynamo_consistency.listers.contract import Answer, Failed, Listed
from dynamo_consistency.listers.xrootd.doors import XRootDDoors, XRootDServer
from dynamo_consistency.listers.xrootd.library import NAMES, STAT, XRootDResponse, XRootDStatus
from dynamo_consistency.listers.xrootd.responses import count, read
from dynamo_consistency.listers.xrootd.status import INVALID_ARGUMENTS, RequestProblem, problem_of


class AttemptTracker(Protocol):
    """Keeps the attempts that are not answered yet; see `watchdog.Watchdog`."""

    def expect(self, attempt: "Attempt") -> None:
        """Keep `attempt` until somebody takes it."""

    def take(self, attempt: "Attempt") -> bool:
        """True for the first caller for this `attempt`, who must answer it; False afterwards."""
        ...

    def park(self, request: "Request") -> None:
        """Ask `request` again a little later."""


class Attempt:
    """One question to one server; called by the library, on one of its threads, with the answer.

    Whoever takes an attempt from the watchdog answers it: the library, the watchdog when the library is silent, or
    nobody when the walk forgot it. `sent` is in monotonic seconds, `flags` is `STAT` or `NAMES`.
    """

    __slots__ = ("connection", "flags", "probed", "redirected", "request", "sent", "server")

    def __init__(self, request: "Request", server: XRootDServer, flags: int, sent: float) -> None:
        self.request, self.server, self.flags, self.sent = request, server, flags, sent
        self.connection = None if server.proves_whole else server.connection()
        self.probed = self.redirected = False

    def __call__(self, status: XRootDStatus, response: XRootDResponse, hosts: Sequence[object] | None = None) -> None:
        if self.request.watch.take(self):
            self.redirected = hosts is not None and len(hosts) > 1
            self.request.answered(self, status, response)

    def surely_whole(self) -> bool:
        """Did the answer come over one connection, from the question to its end? (See `tcp_connection`.)"""
        if self.server.proves_whole:
            return True
        return self.connection is not None and self.connection.is_open() and not self.redirected

    def timeout(self, now: float) -> int:
        """What is left of the time limit in the library's unit, full seconds: at least 1, since 0 is for ever."""
        return max(1, int(self.request.deadline - now))


class Request:
    """Asks for the directory at `path`, a path at the site, and calls `done` once.

    When a connection breaks, the next door is asked, or the request waits for one, until `deadline` (monotonic
    seconds). An answer over a connection that broke meanwhile is not believed, whatever the library says (see
    `tcp_connection`). An empty answer is believed only when a listing of bare names, by another door if there is one,
    is empty too: servers exist that answer "empty, success" to one kind of request and show entries in the other.
    """

    __slots__ = ("_doors", "_empty_at", "_flags", "_named", "_unsure", "deadline", "done", "path", "watch")

    def __init__(
        self, watch: AttemptTracker, doors: XRootDDoors, path: str, deadline: float, done: Callable[[Answer], None]
    ) -> None:
        self.watch, self._doors, self.path, self.deadline, self.done = watch, doors, path, deadline, done
        self._flags = STAT
        self._empty_at: XRootDServer | None = None
        self._named = 0
        self._unsure: tuple[int, int] | None = None

    def ask(self) -> None:
        """Ask a door; where all doors are dead, wait for one until the deadline."""
        now = time.monotonic()
        server = self._doors.pick(self._empty_at)
        if server is not None:
            self._send(Attempt(self, server, self._flags, now), now)
        elif now < self.deadline:
            self.watch.park(self)
        else:
            self.done(Failed(self._doors.why_dead(), retry=True, slow=True))

    def _send(self, attempt: Attempt, now: float) -> None:
        self.watch.expect(attempt)
        try:
            status = attempt.server.file_system.dirlist(self.path, attempt.flags, attempt.timeout(now), attempt)
        except Exception as error:  # noqa: BLE001
            status = {"ok": False, "code": INVALID_ARGUMENTS, "errno": 0, "message": repr(error)}
        if not status["ok"]:  # it was not even sent
            attempt(status, None)

    def answered(self, attempt: Attempt, status: XRootDStatus, response: XRootDResponse) -> None:
        """Handle the answer to `attempt`. Never raises: the library would drop the error, and the answer with it."""
        try:
            answer = self._judge(attempt, status, response)
        except Exception as error:  # noqa: BLE001
            answer = Failed(f"the answer of {attempt.server} cannot be understood: {error!r}")
        if answer is not None:
            self.done(answer)

    def _judge(self, attempt: Attempt, status: XRootDStatus, response: XRootDResponse) -> Answer | None:
        """The answer for the walk; None when another question is under way."""
        bad = problem_of(status, attempt.server)
        if bad is not None:
            return self._handle(bad, attempt.server)
        self._doors.answered(attempt.server)
        entries = count(response)
        if not attempt.surely_whole() and not self._agrees(attempt, entries):
            return self._ask_again(attempt)
        if attempt.flags == NAMES:
            return self._compare_names(entries)
        if not entries and not self._named:
            self._doubt(attempt.server)
            return None
        if entries < self._named:
            return Failed(f"answered empty, then with {self._named} names, then with {entries}", retry=True)
        return read(response, attempt.server.numbering)

    def _handle(self, bad: RequestProblem, server: XRootDServer) -> Failed | None:
        if bad.door_is_down:
            self._doors.failed(server, bad.failed.reason)
            self.ask()
            return None
        if bad.timed_out:
            self._doors.timed_out(server)
        else:
            self._doors.answered(server)
        return bad.failed

    def _agrees(self, attempt: Attempt, entries: int) -> bool:
        """Where the connection of an answer is not known, two answers in a row must have the same number of entries."""
        if attempt.connection is not None and not attempt.redirected:
            return False
        before, self._unsure = self._unsure, (attempt.flags, entries)
        return before == self._unsure and (attempt.redirected or attempt.server.connection() is None)

    def _ask_again(self, attempt: Attempt) -> Failed | None:
        if time.monotonic() < self.deadline:
            self.ask()
            return None
        return Failed(f"the connection to {attempt.server} breaks while it answers", retry=True, slow=True)

    def _doubt(self, server: XRootDServer) -> None:
        self._empty_at, self._flags = server, NAMES
        self.ask()

    def _compare_names(self, names: int) -> Answer | None:
        if not names:
            return Listed()
        self._named, self._flags = names, STAT
        self.ask()
        return None
