"""The XRootD lister: what the walk sees of the files in this package."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Literal

from dynamo_consistency import paths
from dynamo_consistency.errors import ConfigurationError, ListingError
from dynamo_consistency.listers.contract import NOT_LISTED, Answer, Answers, Failed, SimpleListing, simple
from dynamo_consistency.listers.credentials import check_credentials, stale_credentials
from dynamo_consistency.listers.look import Look, NotThere
from dynamo_consistency.listers.xrootd import single
from dynamo_consistency.listers.xrootd.bare_names import BareNames
from dynamo_consistency.listers.xrootd.doors import XRootDDoors, XRootDServer
from dynamo_consistency.listers.xrootd.greeting import ask_what_they_are
from dynamo_consistency.listers.xrootd.library import IS_MANAGER, FileSystem, connect
from dynamo_consistency.listers.xrootd.redirector import Gathering, data_servers
from dynamo_consistency.listers.xrootd.request import Request
from dynamo_consistency.listers.xrootd.status import problem_of
from dynamo_consistency.listers.xrootd.url import XRootDDoor, XRootDPrefix, unaskable
from dynamo_consistency.listers.xrootd.watchdog import Watchdog
from dynamo_consistency.listers.xrootd.wire import WireClient
from dynamo_consistency.path_rules import PathRules

Client = Literal["wire", "bindings"]
"""What speaks the protocol: we ourselves, or the bindings of the XRootD library."""

LOCATE_SECONDS = 20  # longest wait for a redirector to name its data servers
RELOCATE_SECONDS = 60.0


class XRootDLister:
    """A `contract.Lister` over the doors of one site; also a constructor for a backend's `get_listers`.

    `servers` are doors to the same storage, or redirectors in front of the same data servers; `timeout` is in seconds
    and bounds the answer for one directory, all repetitions within the lister included. With the client `wire`, doors
    that do not let it in (Kerberos, shared secrets, signed requests) are asked by the library.
    """

    in_lines = True

    def __init__(
        self,
        servers: Sequence[str],
        prefix: str = "",
        rules: PathRules | None = None,
        client: Client = "wire",
        *,
        concurrency: int = 256,
        timeout: int = 60,
    ) -> None:
        """Asks nothing yet. Raises ConfigurationError for invalid servers or an invalid prefix."""
        doors = list(dict.fromkeys(XRootDDoor.parse(server) for server in servers))
        if not doors:
            raise ConfigurationError("no XRootD server is named; servers needs at least one, such as root://door:1094")
        self.capacity = concurrency
        self._prefix = XRootDPrefix(prefix, rules)
        self._timeout = max(1, int(timeout))
        self._wire = WireClient(self._timeout) if client == "wire" else None
        self._given = self._servers(doors)
        self._groups: list[XRootDDoors] = []  # each must be asked; within one, any door will do
        self._data_servers: frozenset[XRootDDoor] = frozenset()
        self._text = self._wire is None  # whether any door needs names in UTF-8
        self._names = BareNames()
        self._changed: str | None = None
        self._managers: list[XRootDServer] = []
        self._relocated_at = time.monotonic()
        self._watch = Watchdog(self._relocate_now_and_then)

    def prepare(self) -> None:
        """Find out which doors are alive and whether they are redirectors; `submit` does it where this was not called.

        Raises ListingError: a credential has expired, no door answers, a redirector does not name its data servers.
        """
        check_credentials()
        answers = self._greet()
        self._managers = [server for server, hostinfo in answers.items() if hostinfo & IS_MANAGER]
        self._data_servers = frozenset().union(*(self._locate(manager) for manager in self._managers))
        if self._data_servers:
            strangers = {server.door for server in answers} - self._data_servers - {m.door for m in self._managers}
            if strangers:
                raise ListingError(
                    f"{min(map(str, strangers))} is none of the redirector's data servers: name one kind"
                )
            servers = self._servers(sorted(self._data_servers, key=str))
            if self._wire is not None:
                ask_what_they_are(servers, self._timeout)  # and which of them need the library
            self._groups = [XRootDDoors([server]) for server in servers]
        else:
            self._groups = [XRootDDoors(self._given)]
            for server in self._given:
                if server not in answers:
                    self._groups[0].failed(server, server.reason)
        self._text = single.need_text(self._groups)

    def _servers(self, doors: Sequence[XRootDDoor]) -> list[XRootDServer]:
        return [XRootDServer(number, door, self._connect(door)) for number, door in enumerate(doors)]

    def _connect(self, door: XRootDDoor) -> FileSystem:
        return connect(str(door), self._timeout) if self._wire is None else self._wire.connect(door)

    def _greet(self) -> dict[XRootDServer, int]:
        """Ask all doors at once what they are: `hostinfo` of those that answer in time."""
        answers = ask_what_they_are(self._given, self._timeout)
        if not answers:
            raise ListingError(XRootDDoors(self._given).why_dead() + stale_credentials())
        return answers

    def _locate(self, manager: XRootDServer) -> frozenset[XRootDDoor]:
        return data_servers(manager, min(LOCATE_SECONDS, self._timeout))

    def submit(self, directory: bytes, done: Callable[[Answer], None]) -> None:
        """As `contract.Lister`: ask a door or, behind a redirector, all data servers."""
        path = self._prefix.path(directory)
        if not self._groups:
            try:
                self.prepare()
            except ListingError as error:
                done(Failed(str(error), retry=True, slow=True))
                return
        reason = unaskable(path, text=self._text) or self._changed
        if reason:
            done(Failed(reason))
            return
        if len(self._groups) > 1:
            done = Gathering(len(self._groups), done).part
        deadline = time.monotonic() + self._timeout
        for doors in self._groups:
            Request(self._watch, doors, paths.to_text(path), deadline, done).ask()

    def answers(self) -> Answers:
        """As `contract.LedLister`."""
        return queue.SimpleQueue() if self._wire is None else self._wire.answers()

    def remove_directory(self, directory: bytes) -> str | None:
        """A `look.Remover`, after `prepare`: a server refuses to remove what is not empty.

        Behind a redirector each data server has a directory of its own, and it is left alone.
        """
        path = self._prefix.path(directory)
        if reason := unaskable(path, text=self._text):
            return reason
        if len(self._groups) != 1 or (server := self._groups[0].pick()) is None:
            return "there is not one storage that would answer for it"
        bad = problem_of(server.file_system.rmdir(paths.to_text(path), self._timeout)[0], server)
        return None if bad is None else bad.failed.reason

    def look(self, file: bytes) -> Look:
        """A `look.FileLook`, after `prepare`. Behind a redirector each data server is asked."""
        path = self._prefix.path(file)
        look = single.look(self._groups, path, self._timeout)
        return self._names.confirm(self._groups, path, self._timeout) if isinstance(look, NotThere) else look

    def identify(self, root: bytes) -> object:
        """What the servers call a root, after `prepare`; None where they do not say."""
        return single.identify(self._groups, root, self._prefix.path(root), self._timeout)

    @property
    def behind(self) -> list[str]:
        """The data servers behind the redirectors, after `prepare`; none where there is no redirector."""
        return sorted(map(str, self._data_servers))

    def forget(self, directory: bytes) -> None:
        """As `contract.Lister`: what the library still answers is dropped."""
        self._watch.forget(paths.to_text(self._prefix.path(directory)))

    def close(self) -> None:
        """As `contract.Lister`. Where the library lists, it closes its connections with the process."""
        self._watch.close()
        if self._wire is not None:
            self._wire.close()

    def verify(self) -> None:
        """When the walk is over: raises ListingError if a redirector has data servers that it had not at the start.

        Their files may have been overlooked. One that was lost needs no such care: its directories have failed.
        """
        self._relocate()
        if self._changed:
            raise ListingError(self._changed)

    def _relocate(self) -> None:
        if not self._data_servers:
            return
        for manager in self._managers:
            with suppress(ListingError):  # it is not asked for files; should it never answer again, nobody joins
                joined = self._locate(manager) - self._data_servers
                if joined:
                    names = ", ".join(sorted(map(str, joined)))
                    self._changed = f"a data server joined {manager} during the listing ({names}): list again"

    def _relocate_now_and_then(self, now: float) -> None:
        if self._data_servers and now - self._relocated_at >= RELOCATE_SECONDS:
            self._relocated_at = now
            threading.Thread(target=self._relocate, name="xrootd-relocate", daemon=True).start()

    def list(self, directory: str | bytes) -> SimpleListing:
        """What the contract of `get_listers` asks for: ok, [(directory, mtime)], [(file, size, mtime)].

        Sizes in bytes, times in seconds since 1970. Not ok when any entry is a hole, since a hole has no place in it.
        """
        answers: list[Answer] = []
        answered = threading.Event()

        def done(answer: Answer) -> None:
            answers.append(answer)
            answered.set()

        lfn = paths.normalise(paths.to_bytes(directory))
        self.submit(lfn, done)
        if not answered.wait(self._timeout + 5):
            self.forget(lfn)
            return NOT_LISTED
        return simple(answers[0])  # every file has a size and a time here; without one it is a hole
