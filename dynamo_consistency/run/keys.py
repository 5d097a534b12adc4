"""The key of a path, 64 bits: by it two lists are compared without reading their paths; and which rows take part.

Key and tail are bits of the XXH3 of the bytes of the path, the same in every process and every version. Two paths may
have one key: the tail, 32 further bits, shows that two lists with one key do not have one path, and who looks for what
differs looks at the paths then.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pyarrow as pa
from xxhash import xxh3_128_digest

from dynamo_consistency import paths

if TYPE_CHECKING:
    from dynamo_consistency.check import Listing

KEY = pa.field("key", pa.uint64())
TAIL = pa.field("tail", pa.uint32())
"""Key and tail are null where a row takes no part."""
ROOT = pa.field("root", pa.int16())
"""Number of the root of the check, from 0, that the path is below; null where a row takes no part."""
KEY_COLUMNS = KEY, TAIL, ROOT
_AT_ONCE = 2000


def keys_of(some: Iterable[bytes]) -> dict[str, pa.Array]:
    """The columns `key` and `tail` for some paths."""
    return _columns(b"".join(map(xxh3_128_digest, some)))


def keys_of_column(column: pa.Array) -> dict[str, pa.Array]:
    """The same for a column of paths, of which few are objects of Python at a time: their memory is used again."""
    parts = (column.slice(first, _AT_ONCE).to_pylist() for first in range(0, len(column), _AT_ONCE))
    return _columns(b"".join(b"".join(map(xxh3_128_digest, part)) for part in parts))


def _columns(all_digests: bytes) -> dict[str, pa.Array]:
    # Without a Python number for each, which takes longer. The low byte is the first wherever we run.
    digests = memoryview(all_digests)
    return {
        KEY.name: _numbers(digests.cast("Q")[::2], KEY.type),
        TAIL.name: _numbers(digests.cast("I")[2::4], TAIL.type),
    }


def _numbers(numbers: memoryview, kind: pa.DataType) -> pa.Array:
    return pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(numbers.tobytes())])


class Scope:
    """Rule 11: which paths take part, being below a root of a check and not in an excluded directory."""

    def __init__(self, listing: "Listing") -> None:
        self._roots = [paths.subtree(paths.to_bytes(root.path))[0] for root in listing.roots]
        self._excluded = [paths.to_bytes(directory) for directory in listing.exclude]

    def roots_of(self, column: pa.Array) -> pa.Array:
        """For each path the number of its root; null where it takes no part."""
        import pyarrow.compute as pc

        numbers = pa.nulls(len(column), ROOT.type)
        for number, before in enumerate(self._roots):
            below = pc.and_(pc.starts_with(column, before), pc.greater(pc.binary_length(column), len(before)))
            numbers = pc.if_else(below, pa.scalar(number, ROOT.type), numbers)
        for directory in self._excluded:
            inside = pc.or_(pc.equal(column, directory), pc.starts_with(column, paths.subtree(directory)[0]))
            numbers = pc.if_else(inside, pa.scalar(None, ROOT.type), numbers)
        return numbers
