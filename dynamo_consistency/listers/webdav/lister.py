"""The WebDAV lister: what the walk sees of the files in this package."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from dynamo_consistency import paths
from dynamo_consistency.errors import ConfigurationError, ListingError
from dynamo_consistency.listers import doors
from dynamo_consistency.listers.contract import (
    NOT_LISTED,
    Answer,
    Failed,
    Listed,
    Look,
    NotThere,
    SimpleListing,
    Unsure,
    simple,
)
from dynamo_consistency.listers.credentials import check_credentials, stale_credentials
from dynamo_consistency.listers.endpoint import SitePrefix
from dynamo_consistency.listers.threaded import ThreadedLister
from dynamo_consistency.listers.webdav.client import EVERYTHING, WANTED, Client, Question
from dynamo_consistency.listers.webdav.entries import Contents, file_stat
from dynamo_consistency.listers.webdav.errors import DoorIsDownError, RefusedTlsError, SilentError, WebDavError
from dynamo_consistency.listers.webdav.identity import ClientIdentity
from dynamo_consistency.listers.webdav.multistatus import Response, read_responses
from dynamo_consistency.listers.webdav.names import Reading, read
from dynamo_consistency.listers.webdav.pieces import read_contents
from dynamo_consistency.listers.webdav.url import WebDavDoor, WebDavUrl
from dynamo_consistency.path_rules import PathRules

MOST_CONNECTIONS = 64
"""More threads than that only wait for each other: one processor reads what they get."""
DOOR_WAIT_SECONDS = 0.25
GREETING_SECONDS = 20.0
MOST_TRIALS = 5


class WebDavServer(doors.TrackedServer):
    """One door. `encodes`: does it encode names in its answers? None: not known yet."""

    def __init__(self, number: int, door: WebDavDoor) -> None:
        super().__init__(number, str(door))
        self.door = door
        self.encodes: bool | None = None


class WebDavDoors(doors.Doors[WebDavServer]):
    """Rotation over WebDAV doors."""

    protocol = "WebDAV"


@dataclass(frozen=True, slots=True)
class Wish:
    """A directory (LFN) to be listed by `deadline` (monotonic seconds), and the body of the request for it."""

    lfn: bytes
    deadline: float
    body: bytes = WANTED


class WebDavLister(ThreadedLister):
    """A `contract.Lister` over the doors of one site; also a constructor for a backend's `get_listers`.

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
        threads = max(1, min(concurrency, MOST_CONNECTIONS))
        self._prefix, self._timeout = SitePrefix(prefix, rules), max(1, int(timeout))
        self._doors = WebDavDoors([WebDavServer(number, door) for number, door in enumerate(parsed)])
        self._identity = ClientIdentity(threads)
        self._client = Client(self._identity, frozenset(door.host for door in parsed))
        super().__init__([lambda: self.answer] * threads)

    def prepare(self) -> None:
        """Find out which doors are alive. Raises ListingError: a credential has expired, or no door answers."""
        check_credentials(certificates=True)
        self._identity.pools()
        servers = self._doors.servers
        with ThreadPoolExecutor(len(servers)) as pool:
            alive = list(pool.map(self._greet, servers))
        if not any(alive):
            raise ListingError(self._doors.why_dead() + stale_credentials(certificates=True))

    def _greet(self, server: WebDavServer) -> bool:
        """Is `server` alive? Any answer shows it, even a refusal."""
        deadline = time.monotonic() + min(GREETING_SECONDS, self._timeout)
        try:
            self._exists(server, self._prefix.root, deadline)
        except (DoorIsDownError, SilentError, RefusedTlsError) as error:
            self._doors.failed(server, str(error))
            return False
        except WebDavError:
            pass
        return True

    def answer(self, directory: bytes) -> Answer:
        """What is in `directory`, an LFN.

        An empty answer is believed only if another kind of request, to another door where there is one, gives an empty
        answer, too: servers exist that answer "empty, success".
        """
        deadline = time.monotonic() + self._timeout
        answer, server = self._ask(Wish(directory, deadline), None)
        if not isinstance(answer, Listed) or answer.files or answer.directories or answer.holes:
            return answer
        again, _ = self._ask(Wish(directory, deadline, EVERYTHING), server)
        if isinstance(again, Listed) and (again.files or again.directories or again.holes):
            return Failed("answered empty, and then not, when asked in another way", retry=True)
        return again

    def _ask(self, wish: Wish, avoid: WebDavServer | None) -> tuple[Answer, WebDavServer | None]:
        """Ask doors in turn until one answers: that one is overloaded or fails does not mean that the others do."""
        others, failing = len(self._doors.servers) - 1, None
        failed = Failed("there was no time left to ask", retry=True, slow=True)
        while time.monotonic() < wish.deadline:
            server = self._doors.pick(avoid)
            if server is None:
                failed = Failed(self._doors.why_dead(), retry=True, slow=True)
                time.sleep(DOOR_WAIT_SECONDS)
                continue
            if server is failing:  # no other door is alive
                break
            answer = self._ask_door(server, wish)
            if isinstance(answer, Failed) and answer.retry and others:
                others, avoid, failing, failed = others - 1, server, server, answer
            elif answer is not None:
                return answer, server
        return failed, None

    def _ask_door(self, server: WebDavServer, wish: Wish) -> Answer | None:
        """What `server` says; None when it takes no connections."""
        try:
            answer: Answer = self._list(server, wish)
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

    def _list(self, server: WebDavServer, wish: Wish) -> Listed:
        address = WebDavUrl.of(server.door, self._prefix.path(wish.lfn))
        question = Question(wish.lfn, address, wish.deadline, body=wish.body)
        with self._client.ask(question) as reply:
            contents = Contents(reply.address, reply.from_xrootd)
            read_contents(reply.pieces, contents)
        return contents.listed(lambda unclear: self._judge(server, unclear, wish.deadline))

    def _judge(self, server: WebDavServer, unclear: list[Reading], deadline: float) -> bool:
        """Does `server` encode names? Found out once, by asking for an entry in both ways: one of them exists."""
        for reading in unclear[:MOST_TRIALS]:
            if server.encodes is not None:
                return server.encodes
            encoded, bare = (
                path is not None and self._exists(server, path, deadline) for path in (reading.encoded, reading.bare)
            )
            if encoded != bare:
                server.encodes = encoded
        if server.encodes is None:
            raise WebDavError(f"{server} names entries so that it cannot be told what is encoded in them", retry=True)
        return server.encodes

    def _exists(self, server: WebDavServer, path: bytes, deadline: float) -> bool:
        """Is anything at `path`, a path at the site? Only an answer about it says so."""
        try:
            return self._itself(server, path, deadline) is not None
        except WebDavError as error:
            if error.failed.retry:
                raise
            return False

    def _itself(self, server: WebDavServer, path: bytes, deadline: float) -> Response | None:
        """What `server` says about `path` alone; None where its answer is about something else."""
        address = WebDavUrl.of(server.door, path, directory=False)
        responses: list[Response] = []
        with self._client.ask(Question(path, address, deadline, depth=0)) as reply:
            read_responses(reply.pieces, responses.append)
        about = [(read(href), response) for response in responses if not response.status for href in response.hrefs]
        return about[0][1] if len(about) == 1 and path in about[0][0] else None

    def look(self, file: bytes) -> Look:
        """A `contract.FileLook`. A door that redirects to a server without the file does not say that it has none."""
        path, deadline = self._prefix.path(file), time.monotonic() + self._timeout
        return self._doors.look(lambda server: self._look_at(server, path, deadline))

    def _look_at(self, server: WebDavServer, path: bytes, deadline: float) -> Look:
        try:
            itself = self._itself(server, path, deadline)
        except WebDavError as error:
            if isinstance(error, DoorIsDownError):
                self._doors.failed(server, str(error))
            elif isinstance(error, SilentError):
                self._doors.timed_out(server)
            return NotThere() if error.absent else Unsure(error.failed.reason)
        return Unsure(f"{server} answers about something else") if itself is None else file_stat(itself)

    def close(self) -> None:
        """As `contract.Lister`."""
        super().close()
        self._identity.close()

    def list(self, directory: str | bytes) -> SimpleListing:
        """What the contract of `get_listers` asks for: ok, [(directory, mtime)], [(file, size, mtime)].

        Sizes in bytes, times in seconds since 1970. Not ok when any entry is a hole, or has no size or time.
        """
        answer = self.answer(paths.normalise(paths.to_bytes(directory)))
        if isinstance(answer, Listed) and (None in answer.files.sizes or None in answer.files.mtimes):
            return NOT_LISTED
        return simple(answer)
