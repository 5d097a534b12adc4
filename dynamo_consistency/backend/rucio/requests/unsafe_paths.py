"""Paths that are not handed to Rucio's dark reaper, because it might delete another file.

It pastes the path into a URL. Where the protocol takes that apart again, `a?b` and `a#b` have become `a`; older
versions pass the URL to a shell as well. And it deletes whatever is there: a path that leaves the RSE, and over HTTP a
whole directory. Refusals are counted by the text before their first colon.
"""

import re
from collections.abc import Iterable, Mapping

from dynamo_consistency import paths
from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9/_.,:@+=-]")


def of_path(path: bytes, prefixes: Iterable[str]) -> str | None:
    """Why the file is not handed over, by its path below the prefix alone; None when nothing speaks against it."""
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return "its name is not UTF-8, and Rucio holds no other"
    if path.endswith(b"/"):
        return "it is written as a directory, and Rucio deletes files only"
    if not {b".", b".."}.isdisjoint(path.split(b"/")):
        return "its path goes through `.` or `..`"
    if not path.startswith(b"/") or paths.normalise(path) != path:
        return "its path is not normalised"
    return _of_characters(path.decode("utf-8")) or _of_prefixes(path, prefixes)


def _of_characters(text: str) -> str | None:
    found = _NOT_PLAIN.search(text)
    return f"its name has a character with which another file might be deleted: {found[0]!r}" if found else None


def _of_prefixes(path: bytes, prefixes: Iterable[str]) -> str | None:
    for prefix in prefixes:
        folded = paths.normalise(b"/" + paths.to_bytes(prefix))
        if folded != b"/" and paths.is_below(path, folded):
            return f"it begins with the RSE's prefix {prefix}, to which it should be relative"
    return None


def of_length(relative: str, did: Did, limits: Mapping[str, int]) -> str | None:
    """Why it does not fit into the catalogue's columns; `limits` are theirs, in characters."""
    for value, column in ((relative, "path"), (did.scope, "scope"), (did.name, "name")):
        if len(value) > limits[column]:
            return f"its {column} is too long: it has {len(value)} characters, and Rucio's table holds {limits[column]}"
    return None
