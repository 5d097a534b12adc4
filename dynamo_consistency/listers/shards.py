"""Which part of a site a shard lists, so that any number of shards gives the same union as one.

A shard owns the directories at `split_depth` below their root whose hash falls to it, and everything below them;
shard 0 owns what is above, too. Every shard asks for the upper levels to find its own directories there.
"""

import zlib
from dataclasses import dataclass

from dynamo_consistency import paths


@dataclass(frozen=True)
class Share:
    """Shard number `shard`, counted from 0, of `shards`; directories are shared out at `split_depth` below the root."""

    shard: int
    shards: int
    split_depth: int

    def lists(self, path: bytes, depth: int) -> bool:
        """Must this shard ask for the directory `path` (LFN) at `depth`? It has asked for its parent."""
        return depth != self.split_depth or self._owner(path) == self.shard

    def records(self, depth: int) -> bool:
        """Does this shard record a directory at `depth` that it listed, and what is directly in it?"""
        return self.shard == 0 or depth >= self.split_depth

    def owns_file(self, path: bytes, root: bytes) -> bool:
        """Does this shard record the file `path`? For listings that are not walked."""
        return self.shard == self.owner_of(path, root)

    def owner_of(self, path: bytes, root: bytes) -> int:
        """The shard that records the file `path`."""
        directory = ancestor(path.rpartition(b"/")[0], root, self.split_depth)
        return 0 if directory is None else self._owner(directory)

    def _owner(self, path: bytes) -> int:
        return zlib.crc32(path) % self.shards


def ancestor(path: bytes, root: bytes, depth: int) -> bytes | None:
    """The directory at `depth` below `root` that is `path` or contains it; None when `path` is not that deep."""
    if depth == 0:
        return root
    first = len(paths.subtree(root)[0])
    names = path[first:].split(b"/", depth) if len(path) > first else []
    return path[:first] + b"/".join(names[:depth]) if len(names) >= depth else None
