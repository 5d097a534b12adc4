"""Where run directories are kept: a folder, or an object store behind an fsspec URL.

Both write a file under a temporary name first, so that one that appears is complete.
"""

import contextlib
from pathlib import Path
from typing import Literal, Protocol

EntryKind = Literal["file", "directory"]


class Storage(Protocol):
    """Files below one URL; names are relative, with `/`. What is not there is no error, all else ConsistencyError."""

    def exists(self, name: str) -> bool: ...

    def modified(self, name: str) -> float:
        """When `name`, which exists, was written, in seconds since 1970, by the storage's own clock."""
        ...

    def stamp(self, name: str) -> str | None:
        """A text that is another one when `name` has been written anew; None when it is not there."""
        ...

    def contents(self, name: str) -> bytes | None:
        """All of a small file, in one request; None when it is not there."""
        ...

    def entries(self, folder: str, kind: EntryKind) -> list[str]:
        """Bare names of the complete files, or of the directories, in `folder`, sorted; none when it is not there."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file or a folder with all that is in it."""
        ...

    def remove_leftovers(self, folder: str) -> None:
        """Remove what killed processes have left half-written in and below `folder`."""
        ...

    def writing(self, name: str) -> contextlib.AbstractContextManager[Path]:
        """A local path to write `name` to; it appears when the block ends without an error."""
        ...

    def create(self, name: str, data: bytes | str) -> bool:
        """Write `name`, whole, if it is not there; False, and nothing is changed, when it is.

        Of several that try at the same time, on whatever machines, one is told True. Where an object store does not
        answer and is asked again, that one may be told False all the same: who must know puts something into `data`
        that nobody else writes, and reads it back.
        """
        ...

    def reading(self, name: str) -> contextlib.AbstractContextManager[Path]:
        """A local path to read `name`, which exists, from; valid inside the block."""
        ...


def local_folder(url: str) -> Path | None:
    """The folder that `url` is on this machine; None for an object store."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return Path(url)
    return Path(rest) if scheme in ("file", "local") else None
