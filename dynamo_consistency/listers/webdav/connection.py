"""One connection to a server, over which one request goes at a time."""

import socket
import ssl
from typing import NamedTuple, Protocol

import httptools

from dynamo_consistency.listers.loop.stream import Stream
from dynamo_consistency.listers.webdav.url import WebDavDoor

LONGEST_HEAD = 1 << 18  # bytes; beyond that it is no WebDAV server


class Head(NamedTuple):
    """What an answer begins with: `headers` by their names in lower case."""

    status: int
    headers: dict[str, str]


class Asker(Protocol):
    """Who waits for an answer."""

    def heard(self, head: Head, pieces: list[bytes], whole: bool) -> bool:
        """More of the answer: its head, each time, and the next pieces of its body. Is the rest wanted?"""

    def broke(self, error: Exception) -> None:
        """The connection ended before the answer did."""


class Owner(Protocol):
    """To whom a connection belongs."""

    def free(self, connection: "HttpConnection") -> None:
        """The answer has come, and another request may go over it."""

    def gone(self, connection: "HttpConnection") -> None:
        """It is closed."""


class HttpConnection(Stream):
    """All of it is used on the loop's thread. `context` holds the credentials that it was made with."""

    def __init__(self, connected: socket.socket, door: WebDavDoor, context: ssl.SSLContext, owner: Owner) -> None:
        super().__init__(connected)
        self.door, self.context, self._owner = door, context, owner
        self._parser = httptools.HttpResponseParser(self)
        self._asker: Asker | None = None
        self._begin()

    def _begin(self) -> None:
        self._head: Head | None = None
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._before_head = 0
        self._whole = self._keeps = self._unasked = False

    def ask(self, request: bytes, asker: Asker) -> None:
        """Put the bytes of a request among what is to be sent."""
        self._begin()
        self._asker = asker
        self._out += request

    def give_up(self) -> None:
        """Close it; nobody is told but its owner."""
        self._asker = None
        if not self._closed:
            self.close()
            self._owner.gone(self)

    # Called by the parser, from within `feed_data`

    def on_message_begin(self) -> None:
        """Another answer begins; one that was not asked for spoils the connection."""
        self._unasked |= self._whole or self._asker is None

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        """The head is there, unless it is one of those that go before the answer."""
        status = self._parser.get_status_code()
        if status >= 200 and not self._unasked:
            self._head = Head(status, self._headers)
        self._headers = {}

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        if not self._unasked:
            self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """That was all of it."""
        if self._head is not None and not self._whole:
            self._whole, self._keeps = True, self._parser.should_keep_alive()

    # Called by the loop, through `Stream`

    def received(self, data: bytes) -> None:
        """As `stream.Stream`."""
        problem: Exception | None = None
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            problem = error
        if self._head is None:
            self._before_head += len(data)
            if self._before_head > LONGEST_HEAD:
                problem = ValueError("the head of its answer does not end")
        asker, spoilt = self._asker, self._unasked or problem is not None
        if asker is None or (spoilt and not self._whole):
            self.give_up()
            if asker is not None:
                asker.broke(ValueError(f"that is not HTTP: {problem}"))
        elif self._whole:
            self._end(asker, keep=self._keeps and not spoilt)
        elif self._head is not None and not asker.heard(self._head, self._taken(), whole=False):
            self.give_up()

    def _end(self, asker: Asker, keep: bool) -> None:
        head, pieces = self._head, self._taken()
        if keep:
            self._asker = None
            self._owner.free(self)
        else:
            self.give_up()
        if head is not None:
            asker.heard(head, pieces, whole=True)

    def _taken(self) -> list[bytes]:
        pieces, self._pieces = self._pieces, []
        return pieces

    def lost(self, error: OSError | None) -> None:
        """As `stream.Stream`. An answer that says nothing of its length ends with its connection."""
        asker, head = self._asker, self._head
        self._asker = None
        self._owner.gone(self)
        if asker is None:
            return
        if error is None and head and not head.headers.keys() & {"content-length", "transfer-encoding"}:
            asker.heard(head, [], whole=True)
        else:
            asker.broke(error or ConnectionError("the server closed the connection"))
