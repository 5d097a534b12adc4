"""One door, asked over a few connections that are made when they are needed and made again when they break."""

import threading
from collections import deque
from collections.abc import Callable
from functools import partial

from dynamo_consistency.listers.loop.loop import Loop
from dynamo_consistency.listers.xrootd.library import connect_seconds
from dynamo_consistency.listers.xrootd.url import XRootDDoor
from dynamo_consistency.listers.xrootd.wire import outcome
from dynamo_consistency.listers.xrootd.wire.connection import Connection, Question
from dynamo_consistency.listers.xrootd.wire.frames import ERROR, OK, REDIRECT, WAIT, WholeAnswer, number
from dynamo_consistency.listers.xrootd.wire.login import LoggedIn, LogInFailed, log_in

CONNECTIONS = 4
"""The server works off the questions of one connection one after the other."""
CROWD = 4  # so many questions on each connection, and all the others are made
MAX_LOST = 5  # connections that break under one question
MAX_HOPS = 8
LONGEST_PAUSE_SECONDS = 2.0
SHORTEST_WAIT_SECONDS = 0.1
REST_SECONDS = 30.0  # after a further connection could not be made

Told = Callable[[outcome.Status, int], None]
Follow = Callable[[str, int], "Door | None"]


class Door:
    """Asks one door. `submit` and `greet` may be called from any thread, the rest on the loop's.

    `timeout` (seconds) bounds a log-in. `follow` gives the door that a redirection names.
    """

    def __init__(self, loop: Loop, door: XRootDDoor, timeout: int, follow: Follow) -> None:
        self._loop, self.door, self._timeout, self._follow = loop, door, timeout, follow
        self._connections: list[Connection] = []
        self._queue: deque[Question] = deque()
        self._greeted: list[Told] = []
        self._flags = 0
        self._connecting = 0
        self._not_before = 0.0
        self._fruitless = 0

    def submit(self, question: Question) -> None:
        """Ask; `question.done` is called on the loop's thread."""
        self._loop.call(partial(self.ask, question))

    def greet(self, done: Told) -> None:
        """Connect, and tell `done` what the server is, or why it is not there."""
        self._loop.call(partial(self._greet, done))

    def tick(self, now: float) -> None:
        """Answer those whose time is over, and leave a connection on which nothing has been heard for so long."""
        for question in [each for each in self._queue if each.deadline <= now]:
            self._queue.remove(question)
            question.done(outcome.TIMED_OUT, None)
        for connection in list(self._connections):
            late = connection.give_up(now)
            if any(connection.heard < question.sent for question in late):
                connection.close()
                self.broke(connection, "the connection is silent")
            for question in late:
                question.done(outcome.TIMED_OUT, None)

    def close(self) -> None:
        """Close all connections; nobody is told."""
        self._queue.clear()
        for connection in self._connections:
            self._loop.leave(connection)
            connection.close()
        self._connections.clear()

    # Questions

    def ask(self, question: Question) -> None:
        """Put it on the connection with the fewest questions; make one where there is none, all where none has few."""
        connection = min(self._connections, key=_load, default=None)
        if connection is None or not connection.has_room():
            self._queue.append(question)
            self._connect()
            return
        connection.ask(question)
        self._loop.has_to_send(connection)
        if len(connection.pending) > CROWD and len(self._connections) < CONNECTIONS and self._rested():
            self._connect(CONNECTIONS - len(self._connections))

    def answered(self, connection: Connection, question: Question, answer: WholeAnswer) -> None:
        """As `connection.Owner`."""
        self._fruitless = 0
        if answer.status == OK:
            question.done(outcome.SUCCESS, answer.body)
        elif answer.status == ERROR:
            question.done(outcome.refusal(number(answer.body), answer.body[4:]), None)
        elif answer.status == WAIT:
            self._wait(question, max(SHORTEST_WAIT_SECONDS, number(answer.body)))
        elif answer.status == REDIRECT:
            self._redirect(question, answer.body)
        else:
            question.done(outcome.unexpected(f"an answer of the kind {answer.status}"), None)

    def _wait(self, question: Question, seconds: float) -> None:
        if self._loop.now + seconds >= question.deadline:
            question.done(outcome.TIMED_OUT, None)
        else:
            self._loop.after(seconds, partial(self.ask, question))

    def _redirect(self, question: Question, body: bytes) -> None:
        host, _, rest = body[4:].rstrip(b"\0\r\n").partition(b"?")
        target = self._follow(host.decode("utf-8", "replace"), number(body))
        question.hops += 1
        if target is None or question.hops > MAX_HOPS:
            question.done(outcome.unexpected(f"it redirects to {host!r}, which leads nowhere"), None)
            return
        parameters = rest.partition(b"?")[0].lstrip(b"&")
        path = question.path.partition(b"?")[0]
        question.path = path + b"?" + parameters if parameters else path
        target.ask(question)

    # Connections

    def _greet(self, done: Told) -> None:
        if self._connections:
            done(outcome.SUCCESS, self._flags)
        else:
            self._greeted.append(done)
            self._connect()

    def _connect(self, connections: int = 1) -> None:
        """Make some, at the same time, unless some are being made."""
        if self._connecting:
            return
        self._connecting = connections
        pause = self._not_before - self._loop.now
        if pause > 0:
            self._loop.after(pause, self._dial)
        else:
            self._dial()

    def _rested(self) -> bool:
        return self._loop.now >= self._not_before

    def _dial(self) -> None:
        for _ in range(self._connecting):
            threading.Thread(target=self._log_in, name="xrootd-log-in", daemon=True).start()

    def _log_in(self) -> None:
        """On a thread of its own: names are looked up, and certificates checked, in their own time."""
        result: LoggedIn | LogInFailed
        try:
            result = log_in(self.door, connect_seconds(self._timeout), self._timeout)
        except LogInFailed as error:
            result = error
        except Exception as error:  # noqa: BLE001 (whatever went wrong, those who wait must be told)
            result = LogInFailed(repr(error))
        self._loop.call(partial(self._connected, result))

    def _connected(self, result: LoggedIn | LogInFailed) -> None:
        self._connecting -= 1
        if isinstance(result, LogInFailed):
            self._failed(result)
            return
        self._flags, self._not_before = result.flags, 0.0
        connection = Connection(result.socket, self, lambda: self._loop.now)
        self._connections.append(connection)
        self._loop.watch(connection)
        self._tell(outcome.SUCCESS)
        waiting, self._queue = self._queue, deque()
        for question in waiting:
            self.ask(question)

    def _failed(self, failure: LogInFailed) -> None:
        if self._connections:  # those that there are have to do
            self._not_before = self._loop.now + REST_SECONDS
            return
        if self._connecting:  # another log-in may still come to its end
            return
        status = outcome.no_connection(failure)
        self._tell(status)
        waiting, self._queue = self._queue, deque()
        for question in waiting:
            question.done(outcome.unexpected(str(failure)) if question.hops else status, None)

    def _tell(self, status: outcome.Status) -> None:
        greeted, self._greeted = self._greeted, []
        for done in greeted:
            done(status, self._flags)

    def broke(self, connection: Connection, reason: str) -> None:
        """As `connection.Owner`: whatever was under way on it, also in parts, is asked anew on another one."""
        self._loop.leave(connection)
        self._connections.remove(connection)
        self._not_before = self._loop.now
        if not connection.answers:
            self._fruitless += 1
            self._not_before += min(LONGEST_PAUSE_SECONDS, 0.05 * 2 ** min(self._fruitless, 10))
        for question in connection.pending.values():
            question.lost += 1
            if question.lost >= MAX_LOST:
                question.done(outcome.unexpected(f"{reason}, {question.lost} times"), None)
            else:
                self.ask(question)


def _load(connection: Connection) -> int:
    return len(connection.pending)
