"""Names that a server has although it says that nothing is there: links whose end is away, with a disk for example.

A stat does not find them, and a listing with facts leaves them out without a word. One of bare names shows them.
"""

import threading
import time
from collections.abc import Sequence

from dynamo_consistency.listers.look import Look, NotThere, Unsure
from dynamo_consistency.listers.xrootd.doors import XRootDDoors
from dynamo_consistency.listers.xrootd.library import NAMES
from dynamo_consistency.listers.xrootd.responses import names
from dynamo_consistency.listers.xrootd.status import NotFound, problem_of
from dynamo_consistency.paths import to_text

KEPT_SECONDS = 10.0
"""The files of one directory are asked for one after the other, and it may be large."""
HAS_NAME = "the server has its name, and not what is behind it"

_Names = frozenset[bytes] | Unsure


class BareNames:
    """Asks for the names in a directory, once for files that are asked for together. Called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._directory: bytes | None = None
        self._names: _Names = frozenset()
        self._asked_at = 0.0

    def confirm(self, groups: Sequence[XRootDDoors], path: bytes, timeout: int) -> Look:
        """What a path is that no server has found: `Unsure` where a server has its name. `timeout` in seconds."""
        directory, _, name = path.rpartition(b"/")
        with self._lock:
            if directory != self._directory or time.monotonic() - self._asked_at > KEPT_SECONDS:
                self._names = _names_in(groups, directory or b"/", timeout)
                self._directory, self._asked_at = directory, time.monotonic()
            found = self._names
        if isinstance(found, Unsure):
            return found
        return Unsure(HAS_NAME) if name in found else NotThere()


def _names_in(groups: Sequence[XRootDDoors], directory: bytes, timeout: int) -> _Names:
    """All that the servers have; one door of each group is asked."""
    found: set[bytes] = set()
    for doors in groups:
        server = doors.in_turn()[0]
        try:
            status, response = server.file_system.dirlist(to_text(directory), NAMES, timeout)
        except SystemError:  # of the library
            return Unsure("its directory has a name that is not UTF-8")
        bad = problem_of(status, server)
        if bad is None:
            found |= names(response)
        elif not isinstance(bad.failed, NotFound):
            return Unsure(bad.failed.reason)
    return frozenset(found)
