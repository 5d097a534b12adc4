"""What stands before every page: who may ask in which way, and what browsers may do with the answer.

The service has no log-in and changes nothing. What is left to guard: a page of another site in the browser of somebody
who may read (the name in `Host` is checked, so that no foreign name can be turned to this address; nothing may be
framed, nothing sniffed), and file names that are made to look like markup (no page may run a script that is not ours).
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dynamo_consistency.paths import visible
from dynamo_consistency.web.query import LONGEST

HEALTH = "/healthz"
_LONGEST_USER = 64
_HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
}
_DEFAULTS = {b"cache-control": b"no-cache"}
_PORT = re.compile(r":\d{1,5}\Z")


@dataclass(frozen=True)
class Access:
    """host_names: by which it is called, beside `localhost` and addresses; `*`: by any.

    root_path: what a reverse proxy puts before every path, such as /consistency; empty without one.
    user_header: in which that proxy tells who asks; None: whatever a request says of that is nothing.
    """

    host_names: tuple[str, ...] = ()
    root_path: str = ""
    user_header: str | None = None


class Guard:
    """The service behind it sees GET and HEAD of a known host, with `root_path` told apart from the path."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._names = {name.lower() for name in access.host_names} | {"localhost"}
        self._root_path = access.root_path.encode()
        self._user_header = access.user_header.lower().encode() if access.user_header else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        answer = _Answer(send)
        path = self._path_of(scope)
        if refusal := self._refusal(scope, path):
            await answer.refuse(*refusal)
            return
        inner = dict(scope) | {
            "path": path.decode("utf-8", "replace"),
            "raw_path": path,
            "root_path": self._root_path.decode(),
            "state": {"user": self._user(scope)},
        }
        await self._app(inner, receive, answer.send)

    def _path_of(self, scope: Scope) -> bytes:
        """With the prefix before it, whether the proxy has taken that away or not."""
        path: bytes = scope["path"].encode("utf-8", "surrogateescape")
        root = self._root_path
        if root and path == root:
            return root + b"/"
        return path if path.startswith(root + b"/") else root + path

    def _refusal(self, scope: Scope, path: bytes) -> tuple[int, str] | None:
        if scope["method"] not in ("GET", "HEAD"):
            return 405, "nothing can be changed here: only GET and HEAD are answered"
        if len(path) + len(scope["query_string"]) > LONGEST:
            return 414, "the address is too long"
        names = {name for name, _ in scope["headers"]}
        length = _values(scope, b"content-length")
        if b"transfer-encoding" in names or any(value.strip() not in (b"", b"0") for value in length):
            return 413, "a request has no content here"
        if path != self._root_path + HEALTH.encode() and not self._is_ours(_values(scope, b"host")):
            return 421, "this service is not known by the name in the address; see serve --host-name"
        return None

    def _is_ours(self, hosts: Iterable[bytes]) -> bool:
        """An address is no name that somebody could turn to this one."""
        found = [host.decode("latin-1").lower() for host in hosts]
        if len(found) != 1:
            return False
        name = _PORT.sub("", found[0])
        if "*" in self._names or name.rstrip(".") in self._names:
            return True
        try:
            ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return False
        return True

    def _user(self, scope: Scope) -> str | None:
        """Who asks, as the reverse proxy says."""
        if self._user_header is None:
            return None
        values = _values(scope, self._user_header)
        return visible(values[0])[:_LONGEST_USER] if len(values) == 1 else None


def _values(scope: Scope, header: bytes) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == header]


class _Answer:
    """Adds the headers to whatever is sent."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = {name.lower(): value for name, value in message.get("headers", [])}
            message["headers"] = list((_DEFAULTS | headers | _HEADERS).items())
        await self._send(message)

    async def refuse(self, status: int, sentence: str) -> None:
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        if status == 405:
            headers.append((b"allow", b"GET, HEAD"))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": f"{sentence}\n".encode()})
