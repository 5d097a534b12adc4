"""How much is where: files and bytes of what is listed, by directory down to some levels below each root."""

from collections.abc import Iterable

import pyarrow as pa

from dynamo_consistency import paths
from dynamo_consistency.columns import before_slash, few_before_slash

FilesAndBytes = tuple[int, int]
LEVELS = 2
"""What lies deeper counts for the directory of the last level."""


class Usage:
    """`of`: {directory: (files, bytes)} of what lies in a directory itself or, at the last level, also below it."""

    def __init__(self, roots: Iterable[bytes]) -> None:
        self._slashes = {root: paths.subtree(root)[0].count(b"/") + LEVELS for root in roots}
        self.of: dict[bytes, FilesAndBytes] = {}

    def add(self, root: bytes, directory: bytes, files: int, size: int) -> None:
        """Files directly in `directory`, which is `root` or below it."""
        slashes = self._slashes[root]
        self._count(b"/".join(directory.split(b"/", slashes)[:slashes]), files, size)

    def add_column(self, root: bytes, files: pa.Array, sizes: pa.Array) -> None:
        """Files below `root`: their paths, and their sizes, which are not negative, or null."""
        import pyarrow.compute as pc

        places = _places(files, self._slashes[root])
        order = pc.sort_indices(places.indices)
        in_order = sizes.take(order).to_pylist()  # to be added up as numbers of Python, which cannot be too large
        names = places.dictionary.to_pylist()
        end = 0
        counted = pc.value_counts(places.indices.take(order))
        for place, number in zip(*(column.to_pylist() for column in counted.flatten()), strict=True):
            first, end = end, end + number
            self._count(names[place] or b"/", number, sum(filter(None, in_order[first:end])))

    def _count(self, place: bytes, files: int, size: int) -> None:
        known = self.of.get(place, (0, 0))
        self.of[place] = known[0] + files, known[1] + size


def _places(files: pa.Array, slashes: int) -> pa.DictionaryArray:
    import pyarrow.compute as pc

    few = few_before_slash(files, slashes)
    if few is not None:
        return few
    parts = pc.split_pattern(files, b"/", max_splits=1, reverse=True)
    return before_slash(pc.list_element(parts, 0), slashes).dictionary_encode()
