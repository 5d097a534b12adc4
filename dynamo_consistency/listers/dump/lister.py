"""A dump that is asked directory by directory, as every lister is that a backend names."""

from collections import defaultdict
from functools import cached_property

from dynamo_consistency import paths
from dynamo_consistency.check import DumpSource
from dynamo_consistency.listers.contract import SimpleListing
from dynamo_consistency.listers.dump.dump import Dump

_Files = dict[bytes, list[tuple[str | bytes, int, float]]]
_Directories = dict[bytes, set[bytes]]


class DumpLister:
    """Answers from a tree in memory, for use at a prompt; the engine reads `source` in one stream instead."""

    def __init__(self, source: DumpSource) -> None:
        self.source = source

    def list(self, directory: str | bytes) -> SimpleListing:
        """(ok, [(directory, None)], [(file, size, mtime)]), names as bytes.

        Sizes in bytes, times in seconds since 1970; an unknown size is -1, and an unknown time that of the dump. Not ok
        in a directory that the dump does not know, and where some of its lines could not be read. Raises ListingError
        when the dump is invalid.
        """
        place = paths.normalise(paths.to_bytes(directory))
        holes, directories, files = self._tree
        ok = not paths.is_in(place, holes) and (place in directories or place in files)
        return ok, [(name, None) for name in sorted(directories.get(place, ()))], files.get(place, [])

    @cached_property
    def _tree(self) -> tuple[set[bytes], _Directories, _Files]:
        dump = Dump(self.source)
        directories: _Directories = defaultdict(set)
        files: _Files = defaultdict(list)
        for batch in dump.batches():
            for path, size, mtime in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                parent, name = _split(path)
                if parent not in files:
                    _add_parents(directories, parent)
                files[parent].append((name, -1 if size is None else size, dump.date if mtime is None else mtime))
        return dump.holes | dump.unlisted, dict(directories), dict(files)


def _split(path: bytes) -> tuple[bytes, bytes]:
    parent, _, name = path.rpartition(b"/")
    return parent or b"/", name


def _add_parents(directories: _Directories, directory: bytes) -> None:
    while directory != b"/":
        parent, name = _split(directory)
        directories[parent].add(name)
        directory = parent
