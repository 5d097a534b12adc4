"""The list of directories that nothing may be deleted in: a text file, one absolute LFN a line, `#` begins a comment.

A list that is not understood to its last line is refused: it protects nothing reliably, and nothing is deleted then.
A short answer must never look complete.
"""

import urllib.parse
from typing import NamedTuple

from dynamo_consistency import bare_names, paths, secrets
from dynamo_consistency.check import Unmerged
from dynamo_consistency.errors import ConsistencyError

_SHORTEST_SECRET = 8  # a query such as v=1 would be masked wherever it turns up


_NO_DIRECTORY = {
    rb"\A[^/]": "is no absolute path such as /store/unmerged/a",
    rb"/\.\.?(/|\Z)": "has . or .. as a component",
}


class ProtectionError(ConsistencyError):
    """It is not known what is protected, so that nothing may be deleted in the unmerged area."""


class ProtectedList(NamedTuple):
    """`directories`: all that the list names. `outside`: those that are neither in the area nor above it.

    A directory outside protects nothing there: its writer may have meant another path, and somebody should see it.
    `announced`: the length of the list was said beforehand, so that a list that broke off was refused.
    """

    directories: frozenset[bytes]
    outside: frozenset[bytes] = frozenset()
    announced: bool = True


def protected_list(unmerged: Unmerged) -> ProtectedList:
    """The list that the check names, loaded now. Raises ProtectionError when it cannot be relied on.

    A list that names nothing in the unmerged area, nor anything above it, is the wrong one or an empty one; one whose
    last line has no line end, that changed while it was read or came shorter than announced was cut.
    """
    url = unmerged.protected_from.url
    text, announced = _loaded(url)
    directories = frozenset(_parsed(text, _shown(url)))
    area = paths.to_bytes(unmerged.path)
    outside = frozenset(path for path in directories if not paths.overlap(path, area))
    if outside == directories:
        what = f"names no directory in {unmerged.path}" if directories else "is empty"
        raise ProtectionError(f"the list of protected directories {_shown(url)} {what}")
    return ProtectedList(directories, outside, announced)


def _loaded(url: str) -> tuple[bytes, bool]:
    from dynamo_consistency.listers.dump.whole_file import whole_file  # only here: a listing needs no remote store

    parts = urllib.parse.urlsplit(url)
    for secret in (parts.password or "", parts.query if len(parts.query) >= _SHORTEST_SECRET else ""):
        secrets.remember(secret)
    try:
        with whole_file(url, "it") as file:
            text, announced = file.read().removeprefix(b"\xef\xbb\xbf"), file.announced
    except Exception as error:  # noqa: BLE001 (each driver raises what its own library raises)
        reason = " ".join(str(error).replace(url, _shown(url)).split()) or type(error).__name__
        raise ProtectionError(
            f"the list of protected directories {_shown(url)} cannot be loaded: {secrets.redact(reason)}"
        ) from None
    if text and not text.endswith(b"\n"):
        raise ProtectionError(
            f"the list of protected directories {_shown(url)} was cut short: its last line has no line end"
        )
    return text, announced


def _parsed(text: bytes, shown: str) -> list[bytes]:
    directories = []
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.strip()
        if entry and not entry.startswith(b"#"):
            if problem := bare_names.problem(entry, _NO_DIRECTORY):
                raise ProtectionError(f"line {number} of the list of protected directories {shown} {problem}")
            directories.append(paths.normalise(entry))
    return directories


def _shown(url: str) -> str:
    """`url` for people: without a password, and without the query, in which signatures stand."""
    return secrets.redact(url.partition("?")[0] if "://" in url else url)
