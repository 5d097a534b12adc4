"""The directories that are known and not yet asked for, in memory that does not depend on the tree.

Depth first keeps them few. Depth first alone would leave a branch of the upper levels to the very end, where its levels
are asked for one after the other, each for a whole round trip, and nothing else is left to ask for meanwhile.
"""

import pickle
import tempfile
from collections import deque
from typing import IO, NamedTuple


class Directory(NamedTuple):
    """A directory that the walk is to list.

    `depth` counts from its root, which has depth 0. `ancestors` are the identities of the directories from the root
    down to its parent, None where the storage gives none; the one at depth `i` has the index `i`. `path` and `root` are
    LFNs, `mtime` is in seconds since 1970, None where unknown.
    """

    path: bytes
    root: bytes
    depth: int = 0
    mtime: int | None = None
    identity: object = None
    ancestors: tuple[object, ...] = ()


class Frontier:
    """A stack of directories; while there are at most `few`, the one that is known longest comes first.

    Beyond `in_memory` of them the oldest go to a temporary file, whose errors are raised as they are (OSError).
    """

    def __init__(self, in_memory: int = 20_000, few: int = 0) -> None:
        self._few = few
        self._stack: deque[Directory] = deque()
        self._chunk = max(1, in_memory // 2)
        self._file: IO[bytes] | None = None
        self._offsets: list[int] = []

    def __len__(self) -> int:
        return len(self._stack) + self._chunk * len(self._offsets)

    def push(self, directory: Directory) -> None:
        """Put `directory` on top of the stack."""
        self._stack.append(directory)
        if len(self._stack) > 2 * self._chunk:
            self._spill()

    def pop(self) -> Directory:
        """The directory pushed last or, while there are few, first. Raises IndexError when there is none."""
        if not self._stack and self._offsets:
            self._fetch()
        if len(self._stack) <= self._few and not self._offsets:
            return self._stack.popleft()
        return self._stack.pop()

    def close(self) -> None:
        """Forget everything, the temporary file too."""
        self._stack.clear()
        self._offsets.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the frontier; has no name)
        self._offsets.append(self._file.seek(0, 2))
        oldest = [self._stack.popleft() for _ in range(self._chunk)]
        pickle.dump(oldest, self._file, pickle.HIGHEST_PROTOCOL)

    def _fetch(self) -> None:
        if self._file is None:  # pragma: no cover (there are offsets only where there is a file)
            raise AssertionError
        offset = self._offsets.pop()
        self._file.seek(offset)
        self._stack.extend(pickle.load(self._file))  # noqa: S301 (written by this process to a file without a name)
        self._file.truncate(offset)
