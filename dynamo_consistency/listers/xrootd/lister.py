"""The XRootD lister: what the walk sees of the files in this package."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

from dynamo_consistency import paths
from dynamo_consistency.errors import ConfigurationError, ListingError
from dynamo_consistency.listers.contract import Answer, Failed, Listed, SimpleListing
from dynamo_consistency.listers.xrootd.credentials import check_credentials, stale_defaults
from dynamo_consistency.listers.xrootd.doors import Doors, Server
from dynamo_consistency.listers.xrootd.library import IS_MANAGER, Response, Status, connect
from dynamo_consistency.listers.xrootd.redirector import Gathering, data_servers
from dynamo_consistency.listers.xrootd.request import Request
from dynamo_consistency.listers.xrootd.status import trouble
from dynamo_consistency.listers.xrootd.url import Door, Prefix, unaskable
from dynamo_consistency.listers.xrootd.watch import Watch

LOCATE_SECONDS = 20  # longest wait for a redirector to name its data servers
RELOCATE_SECONDS = 60.0


class XRootDLister:
    """A `contract.Lister` over the doors of one site; also a constructor for a backend's `get_listers`.

    `servers` are doors to the same storage, or redirectors in front of the same data servers; `timeout` is in seconds
    and bounds the answer for one directory, all repetitions within the lister included.
    """

    def __init__(self, servers: Sequence[str], prefix: str = "", *, concurrency: int = 256, timeout: int = 60) -> None:
        """Asks nothing yet. Raises ConfigurationError for servers or a prefix that cannot be."""
        doors = list(dict.fromkeys(Door.parse(server) for server in servers))
        if not doors:
            raise ConfigurationError("no XRootD server is named; servers needs at least one, such as root://door:1094")
        self.capacity = concurrency
        self._prefix = Prefix(prefix)
        self._timeout = max(1, int(timeout))
        self._given = [Server(number, door, connect(str(door), self._timeout)) for number, door in enumerate(doors)]
        self._groups: list[Doors] = []  # each must be asked; within one, any door will do
        self._data_servers: frozenset[Door] = frozenset()
        self._changed: str | None = None
        self._relocating = threading.Lock()
        self._relocated_at = time.monotonic()
        self._watch = Watch(self._relocate_now_and_then)

    def prepare(self) -> None:
        """Find out which doors live and whether they are redirectors; `submit` does it when nobody did.

        Raises ListingError: a credential has expired, no door answers, a redirector does not name its data servers.
        """
        check_credentials()
        managers = [server for server, hostinfo in self._greet().items() if hostinfo & IS_MANAGER]
        self._data_servers = self._locate(managers)
        if self._data_servers:
            numbered = enumerate(sorted(self._data_servers, key=str))
            self._groups = [Doors([Server(n, door, connect(str(door), self._timeout))]) for n, door in numbered]
        else:
            self._groups = [Doors(self._given)]
            for server in self._given:
                if server.reason:
                    self._groups[0].failed(server, server.reason)

    def _greet(self) -> dict[Server, int]:
        """Ask all doors at once what they are: `hostinfo` of those that answer in time."""
        answers: dict[Server, int] = {}
        settled = [threading.Event() for _ in self._given]

        def note(server: Server, status: Status, response: Response, hosts: object = None) -> None:
            bad = trouble(status, server)
            if bad is None:
                answers[server] = response["hostinfo"]
            server.reason = bad.failed.reason if bad else ""
            settled[server.number].set()

        for server in self._given:
            server.reason = f"{server} did not answer in time"
            status = server.file_system.protocol(self._timeout, partial(note, server))
            if not status["ok"]:
                note(server, status, None)
        deadline = time.monotonic() + self._timeout
        for event in settled:
            event.wait(max(0.0, deadline - time.monotonic()))
        if not answers:
            raise ListingError(Doors(self._given).why_dead() + stale_defaults())
        return answers

    def _locate(self, managers: list[Server]) -> frozenset[Door]:
        """All data servers that the redirectors know; empty when there is no redirector."""
        found = [data_servers(manager, min(LOCATE_SECONDS, self._timeout)) for manager in managers]
        return frozenset().union(*found)

    def submit(self, directory: bytes, done: Callable[[Answer], None]) -> None:
        path = self._prefix.path(directory)
        reason = unaskable(path) or self._changed
        if reason:
            done(Failed(reason))
            return
        if not self._groups:
            try:
                self.prepare()
            except ListingError as error:
                done(Failed(str(error), retry=True, slow=True))
                return
        if len(self._groups) > 1:
            done = Gathering(len(self._groups), done).part
        deadline = time.monotonic() + self._timeout
        for doors in self._groups:
            Request(self._watch, doors, path.decode(), deadline, done).ask()

    def forget(self, directory: bytes) -> None:
        self._watch.forget(paths.to_text(self._prefix.path(directory)))

    def close(self) -> None:
        self._watch.close()

    def verify(self) -> None:
        """To be called when the walk is over: raises ListingError if the data servers are not those of the start.

        Files on a server that joined during the listing may have been overlooked.
        """
        self._relocate()
        if self._changed:
            raise ListingError(self._changed)

    def _relocate(self) -> None:
        if not self._data_servers:
            return
        try:
            now = self._locate(self._given)
        except ListingError:  # it is asked for files no more: what counts is whether it names other servers
            return
        if now != self._data_servers:
            names = ", ".join(sorted(str(door) for door in now ^ self._data_servers))
            self._changed = f"the data servers behind the redirector changed during the listing ({names}): list again"

    def _relocate_now_and_then(self, now: float) -> None:
        if self._data_servers and now - self._relocated_at >= RELOCATE_SECONDS:
            self._relocated_at = now
            threading.Thread(target=self._relocate, name="xrootd-relocate", daemon=True).start()

    def list(self, directory: str | bytes) -> SimpleListing:
        """What the contract of `get_listers` asks for: ok, [(directory, mtime)], [(file, size, mtime)].

        Not ok when any entry could not be looked at: there is no other way to say so here.
        """
        answers: list[Answer] = []
        answered = threading.Event()

        def done(answer: Answer) -> None:
            answers.append(answer)
            answered.set()

        lfn = paths.normalise(paths.to_bytes(directory))
        self.submit(lfn, done)
        if not answered.wait(self._timeout + 5) or not isinstance(listed := answers[0], Listed) or listed.holes:
            self.forget(lfn)
            return False, [], []
        # XRootD gives every entry a time and every file a size; without one it is a hole.
        files = [(entry.name, entry.size, entry.mtime) for entry in listed.files]
        return cast("SimpleListing", (True, [(entry.name, entry.mtime) for entry in listed.directories], files))
