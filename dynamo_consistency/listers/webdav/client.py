"""One question to one server over HTTP, redirections included, on the loop's thread."""

import time
from dataclasses import dataclass
from typing import Any

from dynamo_consistency.listers.credentials import stale_credentials
from dynamo_consistency.listers.loop.loop import Loop
from dynamo_consistency.listers.webdav.connection import Head, HttpConnection
from dynamo_consistency.listers.webdav.connections import Connections
from dynamo_consistency.listers.webdav.entries import XROOTD
from dynamo_consistency.listers.webdav.errors import (
    NOTHING_THERE,
    BrokenError,
    DoorIsDownError,
    SilentError,
    WebDavError,
    refusal,
)
from dynamo_consistency.listers.webdav.exchange import AnyReader, Exchange, OpenReader, Reply, server_of
from dynamo_consistency.listers.webdav.identity import ClientIdentity
from dynamo_consistency.listers.webdav.url import DEFAULT_PORTS, WebDavDoor, WebDavUrl
from dynamo_consistency.paths import to_text

MOST_REDIRECTIONS = 5
REDIRECTIONS = {301, 302, 307, 308}

SAME = "Accept-Encoding: identity\r\nUser-Agent: dynamo-consistency\r\n"
CONTENT_TYPE = 'Content-Type: application/xml; charset="utf-8"\r\n'
WANTED = b"""<?xml version="1.0" encoding="utf-8"?>
<propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/></prop></propfind>"""
EVERYTHING = b""
"""Without a body, a server sends all properties that it usually sends: another way to ask the same."""


@dataclass(frozen=True, slots=True)
class Question:
    """A PROPFIND of `lfn` at `address`, to be answered by `deadline` (monotonic seconds). `depth`: 0 or 1."""

    lfn: bytes
    address: WebDavUrl
    deadline: float
    depth: int = 1
    body: bytes = WANTED

    def left(self) -> float:
        """Seconds until the deadline. Raises SilentError when it is over."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise SilentError(self.address.door)
        return left


class Client:
    """Asks servers. `trusted` are the hosts that the check names: only they are sent the token.

    All of it is used on the loop's thread; `most_idle` connections are kept while nobody asks.
    """

    def __init__(self, loop: Loop, identity: ClientIdentity, trusted: frozenset[str], most_idle: int) -> None:
        self._loop, self._identity, self._trusted = loop, identity, trusted
        self._connections = Connections(loop, most_idle)
        self._under_way: dict[Exchange[Any], tuple[HttpConnection, float]] = {}

    async def ask(self, question: Question, open_reader: OpenReader[AnyReader]) -> AnyReader:
        """What has read the multistatus that comes after all redirections, to its end.

        Raises WebDavError for any other answer, and for none.
        """
        asked, seen = question.address, [question.address]
        while (reply := await self._send(question, asked, open_reader)).head.status in REDIRECTIONS:
            asked = _follow(question, asked, reply.head)
            if asked in seen or len(seen) > MOST_REDIRECTIONS:
                raise WebDavError(f"{question.address.door} redirects too often, or in a circle")
            seen.append(asked)
        if reply.reader is None:
            raise self._refusal(question, reply)
        return reply.reader

    def _refusal(self, question: Question, reply: Reply[Any]) -> WebDavError:
        asked, status = reply.address, reply.head.status
        hint = self._hint(asked) if status in (401, 403) else ""
        refused = refusal(asked.door, status, reply.head.headers, hint)
        refused.absent = status in NOTHING_THERE and asked == question.address
        return refused

    def _hint(self, asked: WebDavUrl) -> str:
        """Why a credential may not have helped."""
        hint = stale_credentials(certificates=True)
        if self._identity.token() and not self._shows_token(asked):
            hint += " (the token is shown over https only, and only to hosts that `servers` names)"
        return hint

    def _shows_token(self, asked: WebDavUrl) -> bool:
        return asked.door.secure and asked.door.host in self._trusted

    async def _send(self, question: Question, asked: WebDavUrl, open_reader: OpenReader[AnyReader]) -> Reply[AnyReader]:
        """The answer. A connection that the server has closed meanwhile is no error, the first time."""
        try:
            try:
                return await self._send_once(question, asked, open_reader)
            except BrokenError:
                return await self._send_once(question, asked, open_reader)
        except DoorIsDownError as error:
            if asked == question.address:
                raise
            raise WebDavError(error.failed.reason, retry=True) from None  # not the fault of the door that names it

    async def _send_once(
        self, question: Question, asked: WebDavUrl, open_reader: OpenReader[AnyReader]
    ) -> Reply[AnyReader]:
        question.left()
        connection = await self._connections.to(asked.door, self._identity.context(), question.deadline)
        exchange = Exchange(asked, open_reader)
        self._under_way[exchange] = connection, question.deadline
        try:
            connection.ask(self._request(question, asked), exchange)
            self._loop.has_to_send(connection)
            return await exchange.later
        finally:
            del self._under_way[exchange]
            exchange.close()
            if not exchange.later.done:  # nobody waits for it any more
                connection.give_up()

    def _request(self, question: Question, asked: WebDavUrl) -> bytes:
        kind = CONTENT_TYPE if question.body else ""
        token = self._identity.token() if self._shows_token(asked) else None
        credential = f"Authorization: Bearer {token}\r\n" if token else ""
        head = (
            f"PROPFIND {asked.target} HTTP/1.1\r\nHost: {_host(asked.door)}\r\nDepth: {question.depth}\r\n{SAME}"
            f"Content-Length: {len(question.body)}\r\n{kind}{credential}\r\n"
        )
        return head.encode("latin-1") + question.body

    def tick(self) -> None:
        """Give up what has not been answered in time."""
        now = time.monotonic()
        for exchange, (connection, deadline) in list(self._under_way.items()):
            if deadline <= now and exchange in self._under_way:
                connection.give_up()
                exchange.late()

    def close(self) -> None:
        """Close all connections; nobody is told."""
        self._connections.close()


def _host(door: WebDavDoor) -> str:
    return door.host if door.port == DEFAULT_PORTS[door.scheme] else f"{door.host}:{door.port}"


def _follow(question: Question, asked: WebDavUrl, head: Head) -> WebDavUrl:
    """Where a redirection leads: to the same directory somewhere else, and never out of TLS.

    XRootD's redirectors name any one of the servers that have the directory, and each may have other files in it.
    """
    try:
        there = asked.redirected(head.headers.get("location", ""))
    except ValueError:
        raise WebDavError(f"{asked.door} redirects, but to nowhere") from None
    if asked.door.secure and not there.door.secure:
        raise WebDavError(f"{asked.door} redirects to {there.door}, which is not safe: it has no TLS")
    if server_of(head).startswith(XROOTD) and (there.door.host, there.door.port) != (asked.door.host, asked.door.port):
        raise WebDavError(
            f"{asked.door} is an XRootD redirector, and over HTTP it shows the files of one data server only: list the "
            "site with the source xrootd, or name the data servers if each has all files"
        )
    if there.path != question.address.path and not there.path.endswith(question.lfn):
        raise WebDavError(f"{asked.door} redirects to another directory, {to_text(there.path)}")
    return there
