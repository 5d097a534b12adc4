"""The list of directories that nothing may be deleted in: a text file, one absolute LFN a line, `#` begins a comment.

A list that is not understood to its last line is refused: it protects nothing reliably, and nothing is deleted then.
A short answer must never look complete.
"""

import urllib.parse

from dynamo_consistency import paths, secrets
from dynamo_consistency.check import Unmerged
from dynamo_consistency.errors import ConsistencyError

_SHORTEST_SECRET = 8  # a query such as v=1 would be masked wherever it turns up


class ProtectionError(ConsistencyError):
    """It is not known what is protected, so that nothing may be deleted in the unmerged area."""


def protected_directories(unmerged: Unmerged) -> frozenset[bytes]:
    """The list that the check names, loaded now. Raises ProtectionError when it cannot be relied on.

    A list that names nothing in the unmerged area, nor anything above it, is the wrong one or an empty one.
    """
    url = unmerged.protected_from.url
    directories = frozenset(_parsed(_loaded(url), _shown(url)))
    area = paths.to_bytes(unmerged.path)
    if not any(paths.is_in(path, [area]) or paths.is_in(area, [path]) for path in directories):
        what = f"names no directory in {unmerged.path}" if directories else "is empty"
        raise ProtectionError(f"the list of protected directories {_shown(url)} {what}")
    return directories


def _loaded(url: str) -> bytes:
    import fsspec  # only here: a listing needs no remote store

    parts = urllib.parse.urlsplit(url)
    for secret in (parts.password or "", parts.query if len(parts.query) >= _SHORTEST_SECRET else ""):
        secrets.remember(secret)
    try:
        filesystem, path = fsspec.core.url_to_fs(url, use_listings_cache=False)
        return bytes(filesystem.cat_file(path))
    except Exception as error:  # noqa: BLE001 (each driver raises what its own library raises)
        reason = " ".join(str(error).replace(url, _shown(url)).split()) or type(error).__name__
        raise ProtectionError(
            f"the list of protected directories {_shown(url)} cannot be loaded: {secrets.redact(reason)}"
        ) from None


def _parsed(text: bytes, shown: str) -> list[bytes]:
    directories = []
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.strip()
        if entry and not entry.startswith(b"#"):
            if problem := _problem(entry):
                raise ProtectionError(f"line {number} of the list of protected directories {shown} {problem}")
            directories.append(paths.normalise(entry))
    return directories


def _problem(entry: bytes) -> str | None:
    """Why a line is no directory that is sure to protect what it means; None when it is one."""
    if not entry.startswith(b"/"):
        return "is no absolute path such as /store/unmerged/a"
    if {b".", b".."} & set(entry.split(b"/")):
        return "has . or .. as a component"
    if b"*" in entry or b"?" in entry:
        return "is a pattern; directories are expected, and all below them is protected"
    if any(blank + b"#" in entry for blank in (b" ", b"\t")):
        return "has a comment after a path; a comment needs a line of its own"
    return None


def _shown(url: str) -> str:
    """`url` for people: without a password, and without the query, in which signatures stand."""
    return secrets.redact(url.partition("?")[0] if "://" in url else url)
