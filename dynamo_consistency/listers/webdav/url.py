"""Doors and URLs: what `servers` of a check may be, and where a redirection may lead."""

import re
from dataclasses import dataclass
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes, urljoin, urlsplit

from dynamo_consistency.check.doors import WEBDAV_DOOR
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.listers.endpoint import without_user
from dynamo_consistency.paths import normalise

DEFAULT_PORTS = {"https": 443, "http": 80}

_DOOR = re.compile(WEBDAV_DOOR)


@dataclass(frozen=True, slots=True)
class WebDavDoor:
    """A server that can be asked: `host` as in a URL, an IPv6 address in brackets; `scheme` is https or http."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "WebDavDoor":
        """`davs://host:port`, or `https`, `dav`, `http`; without a scheme it is https, without a port the scheme's own.

        Raises ConfigurationError for anything else: a path belongs into `prefix`, a credential nowhere near a URL.
        """
        match = _DOOR.fullmatch(text.strip())
        scheme = "http" if match and match["scheme"] in ("dav", "webdav", "http") else "https"
        port = int(match["port"] or DEFAULT_PORTS[scheme]) if match else 0
        if match is None or not 0 < port < 65536:
            raise ConfigurationError(
                f"the WebDAV server {without_user(text)!r} is not understood: write davs://host:port, https://host, "
                "or dav:// and http:// for one without TLS, an IPv6 address as [2001:db8::1], and the path in prefix"
            )
        return cls(scheme, match["host"].lower(), port)

    @property
    def secure(self) -> bool:
        """Does it use TLS?"""
        return self.scheme == "https"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class WebDavUrl:
    """The URL of a file or directory. `target` is the path, percent-encoded, and perhaps a query."""

    door: WebDavDoor
    target: str

    @classmethod
    def of(cls, door: WebDavDoor, path: bytes, *, directory: bool = True) -> "WebDavUrl":
        """The URL of `path`, a path at the site, at `door`; that of a directory ends in a slash.

        Everything but letters, digits and `/-._~` is encoded.
        """
        target = quote_from_bytes(path, safe="/-._~")
        return cls(door, target if target.endswith("/") or not directory else target + "/")

    @property
    def path(self) -> bytes:
        """The path that is asked for, normalised."""
        return normalise(unquote_to_bytes(self.target.partition("?")[0]))

    def redirected(self, location: str) -> "WebDavUrl":
        """Where the header `Location` leads. Raises ValueError when that is not a server's path."""
        known = quote(location.encode("latin-1"), safe="%/:?#[]@!$&'()*+,;=-._~")
        parts = urlsplit(urljoin(f"{self.door}{self.target}", known))
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.username is not None:
            raise ValueError(location)
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        door = WebDavDoor(parts.scheme, host, parts.port or DEFAULT_PORTS[parts.scheme])
        return WebDavUrl(door, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))

    def __str__(self) -> str:
        return f"{self.door}{self.target.partition('?')[0]}"  # a query may hold a signature
