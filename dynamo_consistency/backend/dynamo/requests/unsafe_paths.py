"""Names that are not sent to Dynamo, because what would be done there might happen to another file.

Dynamo hands a path on as part of a URL, and the daemons of 2018 also as part of a shell's command line and of SQL.
"""

import re

from dynamo_consistency import paths
from dynamo_consistency.backend.dynamo.database import names
from dynamo_consistency.backend.dynamo.database.column_types import LATIN1_TEXT
from dynamo_consistency.backend.dynamo.database.schema import NAME_LIMIT

_URL_SYNTAX = re.compile(rb"[?#%\x00-\x1f\x7f]")
_NOT_PLAIN = re.compile(rb"[^A-Za-z0-9/_.,:@+=-]")


class RefusedError(Exception):
    """No request can be made for a file; the sentence says why."""


def check_path(path: bytes) -> None:
    """Raises RefusedError for what is not one absolute, normalised path whose characters have no special meaning."""
    if not path.startswith(b"/") or paths.normalise(path) != path or path == b"/":
        raise RefusedError("it is not an absolute, normalised path")
    if not {b".", b".."}.isdisjoint(path.split(b"/")):
        raise RefusedError("its path goes through `.` or `..`")
    if found := _URL_SYNTAX.search(path):
        raise RefusedError(
            f"its name has {_shown(found)}, which has a meaning in a URL, where it might name another file"
        )


def check_storable(text: bytes, what: str) -> None:
    """Raises RefusedError for a name or URL that a column of latin1 text cannot hold completely."""
    if not names.storable(text):
        raise RefusedError(f"its {what} has {len(text)} bytes, and Dynamo's table holds {NAME_LIMIT}")
    try:
        outside = set(text.decode("utf-8")) - LATIN1_TEXT
    except UnicodeDecodeError:
        return  # bytes that are no UTF-8 can only be latin1
    if outside:
        raise RefusedError(f"its {what} has {min(outside)!r}, which is outside latin1, the text of Dynamo's table")


def check_plain(path: bytes) -> None:
    """Raises RefusedError for a name with which the daemons of 2018 would do something else."""
    if found := _NOT_PLAIN.search(path):
        raise RefusedError(
            f"its name has {_shown(found)}, which Dynamo's daemons of 2018 pass unquoted to a shell and to SQL"
        )


def _shown(found: re.Match[bytes]) -> str:
    return repr(found[0].decode("latin-1"))
