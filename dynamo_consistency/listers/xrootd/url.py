"""Doors and paths: what `servers` and `prefix` of a check may be, and what they mean."""

import re
from dataclasses import dataclass

from dynamo_consistency.check.doors import XROOTD_DOOR
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.listers import endpoint
from dynamo_consistency.listers.endpoint import without_user
from dynamo_consistency.path_rules import PathRules

DEFAULT_PORT = 1094

_MAPPED = re.compile(r"\[::(?:ffff:)?([0-9.]+)\](:[0-9]+)")
_DOOR = re.compile(XROOTD_DOOR)


@dataclass(frozen=True, slots=True)
class XRootDDoor:
    """One XRootD server that can be asked: `host` as in a URL, an IPv6 address in brackets."""

    host: str
    port: int = DEFAULT_PORT
    scheme: str = "root"

    @classmethod
    def parse(cls, text: str) -> "XRootDDoor":
        """`host`, `host:port`, `root://host:port`, with or without slashes at the end; `roots://` asks for TLS.

        Raises ConfigurationError for anything else: a path belongs into `prefix`, a credential nowhere near a URL.
        """
        match = _DOOR.fullmatch(text.strip())
        port = int(match["port"] or DEFAULT_PORT) if match else 0
        if match is None or not 0 < port < 65536:
            raise ConfigurationError(
                f"the XRootD server {without_user(text)!r} is not understood: write host, host:port, root://host:port "
                "or roots://host:port, an IPv6 address as [2001:db8::1]:1094, and the path in prefix"
            )
        return cls(match["host"], port, (match["scheme"] or "root").removeprefix("x"))

    @classmethod
    def located(cls, address: str, scheme: str) -> "XRootDDoor":
        """The door at an address that a redirector gives; an IPv4 address may come in the form of IPv6.

        Raises ConfigurationError for anything that is none.
        """
        return cls.parse(f"{scheme}://" + _MAPPED.sub(r"\1\2", address))

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


class XRootDPrefix(endpoint.SitePrefix):
    """A prefix without the characters that XRootD cannot have in a path: it ends a path at `?`."""

    def __init__(self, text: str = "", rules: PathRules | None = None) -> None:
        """Raises ConfigurationError for a relative prefix, and for one with such a character."""
        super().__init__(text, rules)
        if "?" in text or "\0" in text:
            raise ConfigurationError(f"the prefix {text!r} holds a character that XRootD cannot have in a path")


def unaskable(path: bytes, *, text: bool = True) -> str | None:
    """Why `path`, a path at the site, must not be asked for; None where it may be. `text`: the client needs UTF-8.

    XRootD takes what follows a `?` for parameters: it would list another directory, and call that a success.
    """
    if b"?" in path:
        return "the name holds a ?, where XRootD ends a path: another directory would be listed"
    if b"\0" in path or b"\n" in path:
        return "the name holds a line end or a zero byte, which XRootD cannot transport"
    if not text:
        return None
    try:
        path.decode()
    except UnicodeDecodeError:
        return "the name is not UTF-8, which the XRootD library needs"
    return None
