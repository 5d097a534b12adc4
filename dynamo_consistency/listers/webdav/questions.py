"""What is asked of one door: for a directory, for an entry, and how it writes names."""

from dataclasses import dataclass

from dynamo_consistency.listers import doors
from dynamo_consistency.listers.contract import Listed
from dynamo_consistency.listers.endpoint import SitePrefix
from dynamo_consistency.listers.webdav.client import WANTED, Client, Question
from dynamo_consistency.listers.webdav.entries import Contents
from dynamo_consistency.listers.webdav.errors import WebDavError
from dynamo_consistency.listers.webdav.multistatus import Multistatus, Response
from dynamo_consistency.listers.webdav.names import Reading, read
from dynamo_consistency.listers.webdav.pieces import ContentsReader
from dynamo_consistency.listers.webdav.url import WebDavDoor, WebDavUrl

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


class Questions:
    """Asks by `client`; names are placed by `prefix`. Raises WebDavError, on the loop's thread."""

    def __init__(self, client: Client, prefix: SitePrefix) -> None:
        self._client, self._prefix = client, prefix

    async def listed(self, server: WebDavServer, wish: Wish) -> Listed:
        """What is in the directory that is wished for."""
        address = WebDavUrl.of(server.door, self._prefix.path(wish.lfn))
        question = Question(wish.lfn, address, wish.deadline, body=wish.body)
        reader = await self._client.ask(question, lambda *answering: ContentsReader(Contents(*answering)))
        unclear = reader.contents.unclear()
        return reader.contents.listed(await self._judge(server, unclear, wish.deadline) if unclear else True)

    async def _judge(self, server: WebDavServer, unclear: list[Reading], deadline: float) -> bool:
        """Does `server` encode names? Found out once, by asking for an entry in both ways: one of them exists."""
        for reading in unclear[:MOST_TRIALS]:
            if server.encodes is not None:
                return server.encodes
            encoded, bare = [
                path is not None and await self.exists(server, path, deadline)
                for path in (reading.encoded, reading.bare)
            ]
            if encoded != bare:
                server.encodes = encoded
        if server.encodes is None:
            raise WebDavError(f"{server} names entries so that it cannot be told what is encoded in them", retry=True)
        return server.encodes

    async def exists(self, server: WebDavServer, path: bytes, deadline: float) -> bool:
        """Is anything at `path`, a path at the site? Only an answer about it says so."""
        try:
            return await self.itself(server, path, deadline) is not None
        except WebDavError as error:
            if error.failed.retry:
                raise
            return False

    async def itself(self, server: WebDavServer, path: bytes, deadline: float) -> Response | None:
        """What `server` says about `path` alone; None where its answer is about something else."""
        address = WebDavUrl.of(server.door, path, directory=False)
        responses: list[Response] = []
        question = Question(path, address, deadline, depth=0)
        await self._client.ask(question, lambda *_: Multistatus(responses.append))
        about = [(read(href), response) for response in responses if not response.status for href in response.hrefs]
        return about[0][1] if len(about) == 1 and path in about[0][0] else None
