"""The WebDAV lister: what the walk sees of the files in this package."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from dynamo_consistency import paths
from dynamo_consistency.errors import ConfigurationError, ListingError
from dynamo_consistency.listers.contract import NOT_LISTED, Answer, Failed, Listed, SimpleListing, simple
from dynamo_consistency.listers.credentials import check_credentials, stale_credentials
from dynamo_consistency.listers.endpoint import SitePrefix
from dynamo_consistency.listers.look import Look, NotThere, Unsure
from dynamo_consistency.listers.loop.led_answers import LedAnswers
from dynamo_consistency.listers.loop.loop import Loop
from dynamo_consistency.listers.loop.tasks import pause, run
from dynamo_consistency.listers.loop.turns import Turns
from dynamo_consistency.listers.webdav.client import EVERYTHING, Client
from dynamo_consistency.listers.webdav.entries import file_stat
from dynamo_consistency.listers.webdav.errors import DoorIsDownError, RefusedTlsError, SilentError, WebDavError
from dynamo_consistency.listers.webdav.identity import ClientIdentity
from dynamo_consistency.listers.webdav.questions import Questions, WebDavDoors, WebDavServer, Wish
from dynamo_consistency.listers.webdav.url import WebDavDoor
from dynamo_consistency.path_rules import PathRules
from dynamo_consistency.secrets import redact

MOST_CONNECTIONS = 64
"""Requests at a time, each on a connection of its own; many servers keep a thread for each."""
IDLE_FOR_EACH = 4  # connections that are kept for each request at a time: there may be many doors and data servers
DOOR_WAIT_SECONDS = 0.25
GREETING_SECONDS = 20.0


class WebDavLister:
    """A `contract.LedLister` over the doors of one site; also a constructor for a backend's `get_listers`.

    `servers` are doors to the same storage; `timeout` is in seconds and bounds the answer for one directory, all
    repetitions within the lister included.

    It removes nothing: a WebDAV DELETE takes a directory with everything in it, and no header forbids that.
    """

    in_lines = True  # the answers of XRootD's doors are made from lines

    def __init__(
        self,
        servers: Sequence[str],
        prefix: str = "",
        rules: PathRules | None = None,
        *,
        concurrency: int = 256,
        timeout: int = 60,
    ) -> None:
        """Asks nothing yet. Raises ConfigurationError for invalid servers or an invalid prefix."""
        parsed = list(dict.fromkeys(WebDavDoor.parse(server) for server in servers))
        if not parsed:
            raise ConfigurationError("no WebDAV server is named; servers needs at least one, such as davs://door:443")
        self.capacity = max(1, min(concurrency, MOST_CONNECTIONS))
        self._prefix, self._timeout = SitePrefix(prefix, rules), max(1, int(timeout))
        self._doors = WebDavDoors([WebDavServer(number, door) for number, door in enumerate(parsed)])
        self._identity = ClientIdentity()
        self._loop = Loop(lambda _: self._client.tick())
        most_idle = IDLE_FOR_EACH * self.capacity
        self._client = Client(self._loop, self._identity, frozenset(door.host for door in parsed), most_idle)
        self._questions = Questions(self._client, self._prefix)
        self._turns = Turns[Answer](self._loop, self.capacity)

    def prepare(self) -> None:
        """Find out which doors are alive. Raises ListingError: a credential has expired, or no door answers."""
        check_credentials(certificates=True)
        self._identity.context()
        servers = self._doors.servers
        with ThreadPoolExecutor(len(servers)) as pool:
            alive = list(pool.map(self._greet, servers))
        if not any(alive):
            raise ListingError(self._doors.why_dead() + stale_credentials(certificates=True))

    def _greet(self, server: WebDavServer) -> bool:
        """Is `server` alive? Any answer shows it, even a refusal."""
        deadline = time.monotonic() + min(GREETING_SECONDS, self._timeout)
        try:
            run(self._loop, self._questions.exists(server, self._prefix.root, deadline), deadline)
        except (DoorIsDownError, SilentError, RefusedTlsError) as error:
            self._doors.failed(server, str(error))
            return False
        except WebDavError:
            pass
        return True

    def verify(self) -> None:
        """Nothing: no answer depends on another."""

    def submit(self, directory: bytes, done: Callable[[Answer], None]) -> None:
        """As `contract.Lister`."""
        self._turns.submit(directory, lambda: self._answer(directory), partial(_told, done))

    def forget(self, directory: bytes) -> None:
        """As `contract.Lister`: the connection that it is on is closed."""
        self._turns.forget(directory)

    def answers(self) -> LedAnswers:
        """As `contract.LedLister`."""
        return LedAnswers(self._loop)

    def answer(self, directory: bytes) -> Answer:
        """What is in `directory`, an LFN. Waits for it."""
        return run(self._loop, self._answer(directory), time.monotonic() + self._timeout)

    async def _answer(self, directory: bytes) -> Answer:
        """An empty answer is believed only if another kind of request, to another door where there is one, gives an
        empty answer, too: servers exist that answer "empty, success".
        """
        deadline = time.monotonic() + self._timeout
        answer, server = await self._ask(Wish(directory, deadline), None)
        if not isinstance(answer, Listed) or answer.files or answer.directories or answer.holes:
            return answer
        again, _ = await self._ask(Wish(directory, deadline, EVERYTHING), server)
        if isinstance(again, Listed) and (again.files or again.directories or again.holes):
            return Failed("answered empty, and then not, when asked in another way", retry=True)
        return again

    async def _ask(self, wish: Wish, avoid: WebDavServer | None) -> tuple[Answer, WebDavServer | None]:
        """Ask doors in turn until one answers: that one is overloaded or fails does not mean that the others do."""
        others, failing = len(self._doors.servers) - 1, None
        failed = Failed("there was no time left to ask", retry=True, slow=True)
        while time.monotonic() < wish.deadline:
            server = self._doors.pick(avoid)
            if server is None:
                failed = Failed(self._doors.why_dead(), retry=True, slow=True)
                await pause(self._loop, DOOR_WAIT_SECONDS)
                continue
            if server is failing:  # no other door is alive
                break
            answer = await self._ask_door(server, wish)
            if isinstance(answer, Failed) and answer.retry and others:
                others, avoid, failing, failed = others - 1, server, server, answer
            elif answer is not None:
                return answer, server
        return failed, None

    async def _ask_door(self, server: WebDavServer, wish: Wish) -> Answer | None:
        """What `server` says; None when it takes no connections."""
        try:
            answer: Answer = await self._questions.listed(server, wish)
        except DoorIsDownError as error:
            self._doors.failed(server, str(error))
            return None
        except SilentError as error:
            self._doors.timed_out(server)
            return error.failed
        except WebDavError as error:
            answer = error.failed
        self._doors.answered(server)
        return answer

    def look(self, file: bytes) -> Look:
        """A `look.FileLook`. A door that redirects to a server without the file does not say that it has none."""
        path, deadline = self._prefix.path(file), time.monotonic() + self._timeout
        return self._doors.look(lambda server: self._look_at(server, path, deadline))

    def _look_at(self, server: WebDavServer, path: bytes, deadline: float) -> Look:
        try:
            itself = run(self._loop, self._questions.itself(server, path, deadline), deadline)
        except WebDavError as error:
            if isinstance(error, DoorIsDownError):
                self._doors.failed(server, str(error))
            elif isinstance(error, SilentError):
                self._doors.timed_out(server)
            return NotThere() if error.absent else Unsure(error.failed.reason)
        except TimeoutError as error:
            return Unsure(str(error))
        return Unsure(f"{server} answers about something else") if itself is None else file_stat(itself)

    def close(self) -> None:
        """As `contract.Lister`."""
        self._loop.call(self._client.close)
        self._loop.close()

    def list(self, directory: str | bytes) -> SimpleListing:
        """What the contract of `get_listers` asks for: ok, [(directory, mtime)], [(file, size, mtime)].

        Sizes in bytes, times in seconds since 1970. Not ok when any entry is a hole, or has no size or time.
        """
        answer = self.answer(paths.normalise(paths.to_bytes(directory)))
        if isinstance(answer, Listed) and (None in answer.files.sizes or None in answer.files.mtimes):
            return NOT_LISTED
        return simple(answer)


def _told(done: Callable[[Answer], None], end: Answer | Exception) -> None:
    if isinstance(end, Exception):  # whatever went wrong, the directory is a hole
        end = Failed(redact(f"{type(end).__name__}: {end}"), retry=True)
    done(end)
