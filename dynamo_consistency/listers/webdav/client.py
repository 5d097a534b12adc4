"""One question to one server over HTTP, redirections included; the answer comes piece by piece."""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from urllib3 import BaseHTTPResponse, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError, SSLError

from dynamo_consistency.listers.credentials import stale_credentials
from dynamo_consistency.listers.webdav.errors import (
    NOTHING_THERE,
    DoorIsDownError,
    RefusedTlsError,
    SilentError,
    WebDavError,
    refusal,
)
from dynamo_consistency.listers.webdav.identity import ClientIdentity
from dynamo_consistency.listers.webdav.url import WebDavUrl
from dynamo_consistency.paths import to_text

PIECE_BYTES = 64 * 1024
MOST_REDIRECTIONS = 5
REDIRECTIONS, MULTISTATUS = {301, 302, 307, 308}, 207
LONGEST_CONNECT_SECONDS = 15.0

# At its level DEBUG it would log complete URLs, and so the signatures in those that doors redirect to.
logging.getLogger("urllib3").setLevel(logging.INFO)

_CONNECTION = re.compile(r"^(<[^>]*>|HTTPS?Connection\w*\([^)]*\)): ")

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


@dataclass(frozen=True, slots=True)
class Reply:
    """A multistatus: the URL that it came from after all redirections, and its pieces, which can be read once."""

    address: WebDavUrl
    pieces: Iterator[bytes]
    from_xrootd: bool


class Client:
    """Asks servers, from any thread. `trusted` are the hosts that the check names: only they are sent the token."""

    def __init__(self, identity: ClientIdentity, trusted: frozenset[str]) -> None:
        self._identity, self._trusted = identity, trusted

    @contextmanager
    def ask(self, question: Question) -> Iterator[Reply]:
        """The multistatus that comes after all redirections. Raises WebDavError for any other answer, and for none."""
        asked, seen = question.address, {question.address}
        while (response := self._send(question, asked)).status in REDIRECTIONS:
            _put_back(response)
            asked = _follow(question, asked, response)
            if asked in seen or len(seen) > MOST_REDIRECTIONS:
                raise WebDavError(f"{question.address.door} redirects too often, or in a circle")
            seen.add(asked)
        if response.status != MULTISTATUS:
            _put_back(response)
            hint = self._hint(asked) if response.status in (401, 403) else ""
            refused = refusal(asked.door, response.status, response.headers, hint)
            refused.absent = response.status in NOTHING_THERE and asked == question.address
            raise refused
        try:
            yield Reply(asked, _pieces(question, asked, response), _is_xrootd(response))
        finally:
            response.close()  # no connection any more, if all of it was read: that is back in the pool

    def _hint(self, asked: WebDavUrl) -> str:
        """Why a credential may not have helped."""
        hint = stale_credentials(certificates=True)
        if self._identity.token() and not self._shows_token(asked):
            hint += " (the token is shown over https only, and only to hosts that `servers` names)"
        return hint

    def _shows_token(self, asked: WebDavUrl) -> bool:
        return asked.door.secure and asked.door.host in self._trusted

    def _send(self, question: Question, asked: WebDavUrl) -> BaseHTTPResponse:
        """The head of the answer. A connection that the server has closed meanwhile is no error, the first time."""
        try:
            return self._send_once(question, asked)
        except _BrokenError:
            return self._send_once(question, asked)

    def _send_once(self, question: Question, asked: WebDavUrl) -> BaseHTTPResponse:
        headers = {"Depth": str(question.depth), "Accept-Encoding": "identity", "User-Agent": "dynamo-consistency"}
        if question.body:
            headers["Content-Type"] = 'application/xml; charset="utf-8"'
        if self._shows_token(asked) and (token := self._identity.token()):
            headers["Authorization"] = f"Bearer {token}"
        left, door = question.left(), asked.door
        pool = self._identity.pools().connection_from_host(door.host.strip("[]"), door.port, door.scheme)
        try:
            return pool.urlopen(
                "PROPFIND",
                asked.target,
                body=question.body,
                headers=headers,
                timeout=Timeout(connect=min(left, LONGEST_CONNECT_SECONDS), read=left),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except ReadTimeoutError:
            raise SilentError(door) from None
        except HTTPError as error:
            raise _error_of(error, question, asked) from None


class _BrokenError(WebDavError):
    """The connection broke before there was an answer."""


def _error_of(error: HTTPError, question: Question, asked: WebDavUrl) -> WebDavError:
    """Why there is no answer. That a data server cannot be reached is not the fault of the door that names it."""
    reason = f"{asked.door}: {_CONNECTION.sub('', str(error))}"
    if not isinstance(error, NewConnectionError | ConnectTimeoutError | SSLError):
        return _BrokenError(reason, retry=True)
    if isinstance(error, SSLError):
        reason += stale_credentials(certificates=True)
        if "ALERT" in reason:
            return RefusedTlsError(reason, retry=True)
    return DoorIsDownError(reason, retry=True) if asked == question.address else WebDavError(reason, retry=True)


def _is_xrootd(response: BaseHTTPResponse) -> bool:
    return response.headers.get("Server", "").lower().startswith("xrootd")


def _follow(question: Question, asked: WebDavUrl, response: BaseHTTPResponse) -> WebDavUrl:
    """Where a redirection leads: to the same directory somewhere else, and never out of TLS.

    XRootD's redirectors name any one of the servers that have the directory, and each may have other files in it.
    """
    try:
        there = asked.redirected(response.headers.get("Location", ""))
    except ValueError:
        raise WebDavError(f"{asked.door} redirects, but to nowhere") from None
    if asked.door.secure and not there.door.secure:
        raise WebDavError(f"{asked.door} redirects to {there.door}, which is not safe: it has no TLS")
    if _is_xrootd(response) and (there.door.host, there.door.port) != (asked.door.host, asked.door.port):
        raise WebDavError(
            f"{asked.door} is an XRootD redirector, and over HTTP it shows the files of one data server only: list the "
            "site with the source xrootd, or name the data servers if each has all files"
        )
    if there.path != question.address.path and not there.path.endswith(question.lfn):
        raise WebDavError(f"{asked.door} redirects to another directory, {to_text(there.path)}")
    return there


def _put_back(response: BaseHTTPResponse) -> None:
    """Keep the connection for the next question if what is left of the answer is short."""
    with suppress(HTTPError, OSError):
        if response.read1(PIECE_BYTES, decode_content=False):
            response.read1(PIECE_BYTES, decode_content=False)
    response.close()


def _pieces(question: Question, asked: WebDavUrl, response: BaseHTTPResponse) -> Iterator[bytes]:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise WebDavError(f"{asked.door} sends a compressed answer, which it was not asked for")
    try:
        while True:
            left, socket = question.left(), getattr(response.connection, "sock", None)
            if socket is not None:  # else the server closes the connection, and the time limit holds for each piece
                socket.settimeout(left)
            piece = response.read1(PIECE_BYTES, decode_content=False)
            if not piece:
                return
            yield piece
    except ReadTimeoutError:
        raise SilentError(asked.door) from None
    except (HTTPError, OSError) as error:
        raise WebDavError(f"{asked.door}: the connection broke in its answer ({error})", retry=True) from None
