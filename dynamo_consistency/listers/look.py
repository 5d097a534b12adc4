"""What a lister says of a single path: whether a file is there, and how a directory is removed."""

from collections.abc import Callable
from typing import NamedTuple


class FileStat(NamedTuple):
    """The file is there: size in bytes and `mtime` in seconds since 1970, None where the storage does not know them."""

    size: int | None
    mtime: int | None


class NotThere(NamedTuple):
    """The storage says clearly that it has nothing of that name."""


class Unsure(NamedTuple):
    """Whether the file is there is not known, or it is no plain file; `reason` is a sentence for people."""

    reason: str


Look = FileStat | NotThere | Unsure
FileLook = Callable[[bytes], Look]
"""Asks the storage for one file, an LFN, and waits for the answer, no longer than the time limit of a directory.

Never raises for what the site does. Only a clear "not there" is `NotThere`; whatever else goes wrong is `Unsure`.
"""

Remover = Callable[[bytes], str | None]
"""Removes a directory, an LFN, and only if it is empty, which the storage itself must see to. Returns None when it is
gone, else why it is not. Never raises for what the site does. A lister has one where its protocol allows that."""
