"""What an `href` says: which entry of which directory.

Servers should encode everything but a few characters, and most do. Some encode nothing (XRootD's HTTP door of 5.5 for
one): their `a%20b` is a file with a percent sign in its name. An `href` therefore has two readings, and where they
differ somebody must find out which one holds.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from dynamo_consistency.paths import normalise, to_bytes

_PLAIN = re.compile(r"[A-Za-z0-9!$&'()*+,:;=@._~-]+")
"""A name that is the same with and without encoding."""
_PLAIN_LINES = re.compile(rf"(?:{_PLAIN.pattern}/?\n)+")
_SERVER = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|%2[fF]|%00")
"""No escape at all, or one for what no name can have."""
_QUERY = re.compile(r"[?#]")


class Reading(NamedTuple):
    """The path that an `href` names if its server encodes names, and if it does not; None where that cannot be."""

    encoded: bytes | None
    bare: bytes | None

    @property
    def clear(self) -> bool:
        """Do both readings name the same path?"""
        return self.encoded == self.bare

    def path(self, encodes: bool) -> bytes | None:
        """The path at the site, by a server that encodes names, or by one that does not."""
        return self.encoded if encodes else self.bare


def read(href: str) -> Reading:
    """Both readings of an `href`, which may be a path or a URL; of a URL the path counts."""
    stripped = href.strip(" \t\r\n")
    encoded = None
    if not _QUERY.search(stripped) and not _BAD_ESCAPE.search(stripped):
        encoded = _absolute(unquote_to_bytes(_SERVER.sub("", stripped, count=1)))
    return Reading(encoded, _absolute(to_bytes(_SERVER.sub("", href, count=1))))


def _absolute(path: bytes) -> bytes | None:
    return normalise(path) if path.startswith(b"/") and b"\0" not in path else None


def plain_name(href: str, start: str) -> str | None:
    """The name in an `href` that is `start` and a plain name, perhaps with a slash: nearly all of them, quickly."""
    if not href.startswith(start):
        return None
    name = href[len(start) :]
    name = name.removesuffix("/")
    return name if _PLAIN.fullmatch(name) and name not in (".", "..") else None


def plain_names(hrefs: list[str], start: str) -> list[str] | None:
    """The `plain_name` of all of `hrefs`, at once; None where one of them is not so."""
    after = "\n" + start
    joined = "\n" + "\n".join(hrefs) + "\n"
    lines = joined.replace(after, "\n")
    if len(joined) - len(lines) != len(start) * len(hrefs) or not _PLAIN_LINES.fullmatch(lines, 1):
        return None
    names = lines.replace("/\n", "\n")[1:-1].split("\n")
    return None if "." in names or ".." in names or len(names) != len(hrefs) else names


def name_in(path: bytes, directory: bytes) -> bytes | None:
    """The name that `path` has in `directory`; None when it is not directly in it."""
    parent, _, name = path.rpartition(b"/")
    return name if (parent or b"/") == directory and name not in (b".", b"..") else None
