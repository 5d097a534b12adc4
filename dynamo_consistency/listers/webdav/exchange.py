"""A request that is under way: what comes of its answer."""

from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

from dynamo_consistency.listers.loop.tasks import Later
from dynamo_consistency.listers.webdav.connecting import broken
from dynamo_consistency.listers.webdav.connection import Head
from dynamo_consistency.listers.webdav.errors import SilentError, WebDavError
from dynamo_consistency.listers.webdav.url import WebDavUrl

MULTISTATUS = 207
MOST_UNREAD = 128 * 1024
"""Bytes of a body that says nothing, which are awaited so that its connection can be kept."""


class Reader(Protocol):
    """What reads a multistatus. `feed` and `end` raise WebDavError."""

    def feed(self, piece: bytes) -> None:
        """The next piece."""

    def end(self) -> None:
        """That was all."""

    def close(self) -> None:
        """It is not needed any more."""


AnyReader = TypeVar("AnyReader", bound=Reader)
OpenReader = Callable[[WebDavUrl, str], AnyReader]
"""Makes what reads a multistatus, from the URL that answers, after all redirections, and what the server is called."""


class Reply(NamedTuple, Generic[AnyReader]):
    """The answer of the server at `address`: a multistatus if it has a reader, which has read all of it."""

    address: WebDavUrl
    head: Head
    reader: AnyReader | None


class Exchange(Generic[AnyReader]):
    """A `connection.Asker`: `later` is the reply to a request at `asked`, or a WebDavError."""

    def __init__(self, asked: WebDavUrl, open_reader: OpenReader[AnyReader]) -> None:
        self.later: Later[Reply[AnyReader]] = Later()
        self._asked, self._open_reader = asked, open_reader
        self._head: Head | None = None
        self._reader: AnyReader | None = None
        self._unread = 0

    def heard(self, head: Head, pieces: list[bytes], whole: bool) -> bool:
        """As `connection.Asker`."""
        try:
            if self._head is None:
                self._head = head
                self._reader = self._opened(head) if head.status == MULTISTATUS else None
            self._read(pieces, whole)
        except WebDavError as error:
            self.later.fail(error)
            return False
        except Exception as error:  # noqa: BLE001 (whatever it is, who waits must be told, and its connection is free)
            self.later.fail(WebDavError(f"the answer of {self._asked.door} cannot be understood: {error!r}"))
            return False
        wanted = self._reader is not None or self._unread <= MOST_UNREAD
        if whole or not wanted:
            self.later.resolve(Reply(self._asked, head, self._reader))
        return wanted

    def _opened(self, head: Head) -> AnyReader:
        if head.headers.get("content-encoding", "identity").lower() != "identity":
            raise WebDavError(f"{self._asked.door} sends a compressed answer, which it was not asked for")
        return self._open_reader(self._asked, server_of(head))

    def _read(self, pieces: list[bytes], whole: bool) -> None:
        if self._reader is None:
            self._unread += sum(map(len, pieces))
            return
        for piece in pieces:
            self._reader.feed(piece)
        if whole:
            self._reader.end()

    def broke(self, error: Exception) -> None:
        """As `connection.Asker`. What was said before it broke is no answer, but a refusal is one."""
        if self._head is None:
            self.later.fail(broken(self._asked.door, error))
        elif self._reader is None:
            self.later.resolve(Reply(self._asked, self._head, None))
        else:
            reason = f"{self._asked.door}: the connection broke in its answer ({error})"
            self.later.fail(WebDavError(reason, retry=True))

    def late(self) -> None:
        """Its time is over."""
        if self._head is not None and self._reader is None:
            self.later.resolve(Reply(self._asked, self._head, None))
        else:
            self.later.fail(SilentError(self._asked.door))

    def close(self) -> None:
        """Nobody waits for it any more, or it is over."""
        if self._reader is not None:
            self._reader.close()


def server_of(head: Head) -> str:
    """What the server calls itself, in lower case."""
    return head.headers.get("server", "").lower()
