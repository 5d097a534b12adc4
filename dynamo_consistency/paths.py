"""LFNs as bytes: normalising, containment at component boundaries, and ignore patterns.

An LFN is an absolute path of bytes. Bytes are what storage systems have; text is for people, and is made with
`surrogateescape`, which loses nothing.
"""

import contextlib
import re
import unicodedata
from collections.abc import Iterable


def normalise(path: bytes) -> bytes:
    """Fold repeated slashes and drop a trailing one: the identity of a file or directory (rules.md, rule 1)."""
    if b"//" in path:
        path = re.sub(b"/{2,}", b"/", path)
    return path.rstrip(b"/") or b"/"


def to_text(path: bytes) -> str:
    """`path` for people and for JSON; `to_bytes` gives the same bytes back."""
    return path.decode("utf-8", "surrogateescape")


def to_bytes(path: str | bytes) -> bytes:
    """The bytes of `path`; names come as text from some sources and as bytes from others."""
    return path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape")


def folded(path: bytes) -> bytes:
    """One form for all spellings of `path` that programs make of each other's names.

    Unicode's canonical caseless matching (The Unicode Standard, 3.13, D145), written in NFC, without the escapes of
    URLs and of C, or blanks and line ends around names; and in UTF-8, whether a name was in latin-1 before or its UTF-8
    has been taken for that.
    """
    if b"%" in path or b"\\" in path:
        path = _ESCAPE.sub(_unescaped, path)
    if path.isascii():
        return b"/".join(map(bytes.strip, path.lower().split(b"/")))
    text = unicodedata.normalize("NFD", "/".join(_decoded(name).strip() for name in path.split(b"/"))).casefold()
    return to_bytes(unicodedata.normalize("NFC", text))


def composed(path: bytes) -> bytes:
    """`path` in Unicode's NFC, in which file systems may write a name otherwise than a person does."""
    return path if path.isascii() else to_bytes(unicodedata.normalize("NFC", to_text(path)))


_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})|\\x([0-9A-Fa-f]{2})|\\([0-3][0-7]{2})")


def _unescaped(escape: re.Match[bytes]) -> bytes:
    return bytes([int(escape[3], 8) if escape[3] else int(escape[1] or escape[2], 16)])


def _decoded(name: bytes) -> str:
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("latin-1")
    for code in ("cp1252", "latin-1"):
        with contextlib.suppress(UnicodeError):
            return text.encode(code).decode("utf-8")
    return text


def one_line(path: bytes) -> bytes:
    """`path` for a list with one path a line: a line end becomes \\n, a backslash \\\\; all else stays as it is."""
    return path.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")


def of_one_line(line: bytes) -> bytes:
    """The path that `one_line` has written."""
    return re.sub(rb"\\(.)", lambda escape: b"\n" if escape[1] == b"n" else escape[1], line)


def visible(name: str | bytes) -> str:
    """`name` for the eye: what is not UTF-8, or does not print, is shown as an escape such as `\\xff` or `\\n`.

    That covers marks that turn the direction of text around and so make one name look like another.
    """
    try:
        text = to_bytes(name).decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a character, which no path has but JSON may hold
        text = str(name)
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def join(directory: bytes, name: bytes) -> bytes:
    """The path of the entry `name` of `directory`, which is normalised."""
    return b"/" + name if directory == b"/" else directory + b"/" + name


def is_below(path: bytes, directory: bytes) -> bool:
    """Is `path` strictly below `directory`? `/store/mc2/f` is not below `/store/mc`."""
    start = directory if directory == b"/" else directory + b"/"
    return path.startswith(start) and path != start


def is_in(path: bytes, directories: Iterable[bytes]) -> bool:
    """Is `path` one of `directories`, or below one?"""
    return any(path == directory or is_below(path, directory) for directory in directories)


def directories_above(path: bytes) -> list[bytes]:
    """The directories that `path` lies in, nearest first, without the root of all."""
    return [path[:at] for at in range(len(path) - 1, 0, -1) if path[at : at + 1] == b"/"]


def overlap(one: bytes, other: bytes) -> bool:
    """Is one of two directories the other, or below it?"""
    return is_in(one, [other]) or is_in(other, [one])


def subtree(directory: bytes) -> tuple[bytes, bytes]:
    """The half-open interval [first, end) in byte order that holds exactly the paths below `directory`.

    `0` follows `/` in ASCII, so everything that starts with `/a/` sorts from `/a/` up to, but not including, `/a0`.
    """
    bare = directory.rstrip(b"/")
    return bare + b"/", bare + b"0"


class PatternFilter:
    """The ignore rules of a check (rules.md, rule 8).

    A pattern names one or more whole path components and matches anywhere in the path: `/RAW` matches
    `/store/data/X/RAW/f` but not `/store/mc/RAWSIM/f`; `*` matches any characters within one component. Names that are
    equal in NFC are one.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        """Raises ValueError for a pattern without a component: it would ignore everything, or nothing."""
        written = [to_bytes(pattern) for pattern in patterns]
        expressions = [
            self._expression(each) for pattern in written for each in dict.fromkeys((pattern, composed(pattern)))
        ]
        self._matches = re.compile(b"|".join(expressions), re.DOTALL).search if expressions else None

    @staticmethod
    def _expression(pattern: bytes) -> bytes:
        components = pattern.strip(b"/")
        if not components.strip(b"*/"):
            raise ValueError(f"the ignore pattern {to_text(pattern)!r} names no path component")
        literal = [re.escape(part) for part in normalise(components).split(b"*")]
        return b"(?:^(?!/)|/)" + b"[^/]*".join(literal) + b"(?:/|\\Z)"

    def ignored(self, path: bytes) -> bool:
        """Does a pattern match `path`, an LFN?"""
        if self._matches is None:
            return False
        return bool(self._matches(path) or (not path.isascii() and self._matches(composed(path))))
