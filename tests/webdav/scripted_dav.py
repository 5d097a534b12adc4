"""A WebDAV server that says exactly what a test tells it to say, byte for byte."""

import base64
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import quote_from_bytes, unquote_to_bytes
from xml.sax.saxutils import escape

from dynamo_consistency.listers.contract import Failed, File, Files

OK = "HTTP/1.1 200 OK"
TIME = "Mon, 23 Nov 2026 17:00:00 GMT"
TIME_SECONDS = 1795453200


@dataclass
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> bytes:
        return unquote_to_bytes(self.target.partition("?")[0])


Said = bytes | Iterable[bytes] | None
"""What is sent, perhaps piece by piece; None: the connection is closed without a word."""


@dataclass
class Scripted:
    """`script` is called with each request, on a thread of its connection. A connection stays open while both sides
    want that; where `closing`, it is closed after each answer."""

    script: Callable[[Request], Said]
    context: ssl.SSLContext | None = None
    closing: bool = False
    host: str = "127.0.0.1"
    port: int = 0
    seen: list[Request] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> "Scripted":
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, self.port), family=family, backlog=128)
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
                connection.close()

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://localhost:{self.port}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            self._open.append(connection)
            with connection, connection.makefile("rb") as stream:
                while (request := _request(stream)) is not None:
                    self.seen.append(request)
                    said = self.script(request)
                    if said is None:
                        return
                    for piece in [said] if isinstance(said, bytes) else said:
                        connection.sendall(piece)
                    if self.closing:
                        return


def _request(stream) -> Request | None:
    first = stream.readline().decode("latin-1").split(" ")
    if len(first) != 3:
        return None
    headers = {}
    while line := stream.readline().strip().decode("latin-1"):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Request(first[0], first[1], headers, stream.read(int(headers.get("content-length", 0))))


def reply(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, length: int | None = None) -> bytes:
    """A whole answer; `length` is what it says of its length, if that is to be untrue."""
    lines = {"Content-Length": str(len(body) if length is None else length)} | dict(headers or {})
    head = f"HTTP/1.1 {status} Whatever\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return head.encode("latin-1") + b"\r\n" + body


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    head = b"HTTP/1.1 207 Multi-Status\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


def entry(href: bytes | str, size: object = None, time: str | None = TIME, *, directory: bool = False) -> str:
    """A response for a path (bytes, which are encoded) or for an href as it stands."""
    shown = quote_from_bytes(href, safe="/") if isinstance(href, bytes) else href
    properties = f"<D:resourcetype>{'<D:collection/>' if directory else ''}</D:resourcetype>"
    if size is not None:
        properties += f"<D:getcontentlength>{size}</D:getcontentlength>"
    if time is not None:
        properties += f"<D:getlastmodified>{time}</D:getlastmodified>"
    return response(shown, properties)


def response(href: str, properties: str, status: str = OK) -> str:
    return (
        f"<D:response><D:href>{escape(href)}</D:href><D:propstat><D:prop>{properties}</D:prop>"
        f"<D:status>{status}</D:status></D:propstat></D:response>\n"
    )


def refused(href: str, status: int = 403) -> str:
    return f"<D:response><D:href>{escape(href)}</D:href><D:status>HTTP/1.1 {status} No</D:status></D:response>"


def document(*responses: str) -> bytes:
    inside = "".join(responses)
    return f'<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:">{inside}</D:multistatus>'.encode()


def listing(directory: bytes | str, *entries: str) -> bytes:
    """A whole answer about `directory`."""
    return reply(207, document(entry(directory, directory=True), *entries))


OWN = entry("/d/", directory=True)
WHOLE = document(OWN, entry("/d/f", 3))
"""A whole listing of /d, in which is FILE."""
FILE = File(b"f", 3, TIME_SECONDS)
FILES = Files.of([FILE])


def failed(answer: object, reason: str, *, retry: bool) -> None:
    """`answer` must be a failure for this reason."""
    assert isinstance(answer, Failed), answer
    assert reason in answer.reason
    assert answer.retry == retry


def of(path: str) -> bytes:
    """A whole answer about the directory at `path`, an href with a slash at its end, in which is FILE."""
    return listing(path, entry(f"{path}f", 3))


def here(request: Request) -> bytes:
    """The script of a server where every directory holds FILE."""
    return of(request.target)


def token(subject: str = "somebody", ends: float = 4e9) -> str:
    claims = {"sub": subject, "exp": ends}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "none"}, claims)]
    return b".".join([*parts, b"signature"]).decode()


def guarded(*tokens: str) -> Callable[[Request], bytes]:
    """A server that shows directories to those with one of `tokens`."""

    def script(request: Request) -> bytes:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in tokens:
            return reply(401)
        return here(request)

    return script
