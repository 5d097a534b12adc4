"""Several doors to the same storage: asked in turn, a dead one left out and tried again later."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from dynamo_consistency.listers.look import FileStat, Look, NotThere, Unsure

FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 30.0, 600.0
TRIAL_SECONDS = 1.0  # with no door alive, one request goes out so often, to the door that was tried longest ago
SILENT_LIMIT = 3  # so many time-outs in a row, and a door is left out if there are others


class TrackedServer:
    """One door and whether it answers.

    `number` distinguishes it from the other doors of its lister, `name` is for people. `failures` and `silences` count
    what happened in a row (0 failures: it is alive), `reason` is the last error. Times are those of `Doors`' clock.
    """

    def __init__(self, number: int, name: str) -> None:
        self.number, self.name = number, name
        self.failures = self.silences = 0
        self.on_trial = False
        self.tried_at = self.rests_until = 0.0
        self.reason = "not tried yet"

    def __str__(self) -> str:
        return self.name


AnyServer = TypeVar("AnyServer", bound=TrackedServer)


class Doors(Generic[AnyServer]):
    """Rotation over doors that all show the same storage. Called from any thread. `clock` in seconds."""

    protocol: str
    """Name of the protocol, for messages."""

    def __init__(self, servers: Sequence[AnyServer], clock: Callable[[], float] = time.monotonic) -> None:
        self.servers = list(servers)
        self._clock = clock
        self._lock = threading.Lock()
        self._turn = 0
        self._all_live = True

    def pick(self, avoid: AnyServer | None = None) -> AnyServer | None:
        """The next door to ask, if possible another one than `avoid`. None: all are dead, try again a little later."""
        self._turn = turn = (self._turn + 1) % len(self.servers)
        if self._all_live and self.servers[turn] is not avoid:
            return self.servers[turn]
        with self._lock:
            return self._choose(self.servers[turn:] + self.servers[:turn], avoid)

    def _choose(self, servers: list[AnyServer], avoid: AnyServer | None) -> AnyServer | None:
        now = self._clock()
        for server in servers:
            if server.failures and server.rests_until <= now:
                return self._try(server, now)
        alive = [server for server in servers if not server.failures]
        if alive:
            return next((server for server in alive if server is not avoid), avoid)
        if now - max(server.tried_at for server in servers) < TRIAL_SECONDS:
            return None
        return self._try(min(servers, key=lambda server: server.tried_at), now)

    def _try(self, server: AnyServer, now: float) -> AnyServer:
        """One request finds out whether `server` is alive again; until it is answered no other goes there."""
        server.on_trial = True
        self._rest(server, now)
        return server

    def _rest(self, server: TrackedServer, now: float) -> None:
        server.tried_at = now
        doublings = min(server.failures - 1, 10)
        server.rests_until = now + min(LONGEST_REST_SECONDS, FIRST_REST_SECONDS * 2**doublings)

    def answered(self, server: TrackedServer) -> None:
        """The door gave an answer, if only a refusal: it is alive."""
        server.silences = 0
        if server.failures:
            with self._lock:
                server.failures, server.on_trial = 0, False
                self._all_live = not any(server.failures for server in self.servers)

    def failed(self, server: TrackedServer, reason: str) -> None:
        """No connection. All requests that were in flight when it broke count as one failure, each trial as another."""
        with self._lock:
            server.reason = reason
            if server.on_trial or not server.failures:
                server.failures += 1
                server.on_trial = self._all_live = False
                self._rest(server, self._clock())

    def timed_out(self, server: TrackedServer) -> None:
        """A request to the door was not answered; the cause may be the directory, or the door."""
        server.silences += 1
        if server.silences >= SILENT_LIMIT and len(self.servers) > 1:
            self.failed(server, f"{server} let {server.silences} requests in a row time out")

    def in_turn(self) -> list[AnyServer]:
        """The doors that live, each once; all of them where none does."""
        self._turn = turn = (self._turn + 1) % len(self.servers)
        servers = self.servers[turn:] + self.servers[:turn]
        return [server for server in servers if not server.failures] or servers

    def look(self, ask: Callable[[AnyServer], Look]) -> Look:
        """What the doors say about one file; `ask` asks one of them.

        A file that is there needs one door. One that is not there needs two, where two live: a door may have lost its
        storage.
        """
        absent, unsure = 0, Unsure("no door was asked")
        for server in self.in_turn():
            answer = ask(server)
            if isinstance(answer, FileStat):
                return Unsure("some doors show it, others do not") if absent else answer
            if isinstance(answer, Unsure):
                unsure = answer
                continue
            absent += 1
            if absent == 2:
                return answer
        alone = absent == 1 and len(self.in_turn()) == 1
        return NotThere() if alone else unsure

    def why_dead(self) -> str:
        """One sentence that says of each door why it does not answer."""
        return f"no {self.protocol} door answers: " + "; ".join(server.reason for server in self.servers)
