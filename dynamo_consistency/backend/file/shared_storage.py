"""What other sites of the same backend claim at the storage of one: a file of theirs is never asked to be deleted.

Two sites may stand on one storage, a disk and its tape buffer, say, each with a dump of its own. What one of them does
not know is an orphan there, and perhaps a file of the other. Which storages are one is told by what the entries say
lists the sites; a site without a `listing` claims nothing of another one's storage.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

import pyarrow as pa

from dynamo_consistency import paths
from dynamo_consistency.backend.file.inventory import InventoryDump
from dynamo_consistency.backend.file.options import SiteOptions
from dynamo_consistency.backend.storage_hosts import any_same_storage
from dynamo_consistency.check import Source
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.endpoint import SitePrefix


class _Storage(NamedTuple):
    """Where the files of a site are. `kind`: what can be compared with what; `hosts`: of its doors; mounted: none."""

    kind: str
    hosts: list[str]
    prefix: SitePrefix

    def may_be(self, other: "_Storage") -> bool:
        return self.kind == other.kind and any_same_storage(self.hosts, other.hosts)

    def place(self, lfn: bytes) -> bytes | None:
        """The path there; None where no rule says it."""
        try:
            return self.prefix.path(lfn)
        except ListingError:
            return None


def claims_of_others(
    sites: Mapping[str, SiteOptions], site: str, wanted: Sequence[bytes], *, directories: bool = False
) -> dict[bytes, str]:
    """Which of some LFNs are, or with `directories` hold, a file of another site at the same storage, and of which.

    Raises BackendError where the dump of such a site cannot be read.
    """
    own = _storage(sites[site].listing) if site in sites else None
    if own is None:
        return {}
    places = {own.place(lfn): lfn for lfn in wanted}
    found: dict[bytes, str] = {}
    for other, options in sites.items():
        there = _storage(options.listing) if other != site else None
        if there is not None and own.may_be(there):
            for place in _places(InventoryDump(options.inventory, other).batches(), there):
                for path in _above(place) if directories else (place,):
                    if path in places:
                        found[places[path]] = f"{other} has the same storage, and claims it there"
    return found


def _places(batches: Iterator[pa.RecordBatch], storage: _Storage) -> Iterator[bytes]:
    for batch in batches:
        yield from filter(None, map(storage.place, batch["path"].to_pylist()))


def _above(path: bytes) -> Iterator[bytes]:
    while path not in (b"", b"/"):
        yield path
        path = path.rpartition(b"/")[0]


def _storage(source: Source | None) -> _Storage | None:
    """None for what is only known by a dump, where nothing is ever asked for."""
    if source is None or source.dump is not None:
        return None
    if source.posix is not None:
        return _Storage("mount", [""], SitePrefix(source.posix.prefix, source.path_rules))
    doors = source.xrootd or source.webdav
    if doors is not None:
        hosts = [urlsplit(door if "//" in door else f"//{door}").hostname or "" for door in doors.servers]
        return _Storage("door", hosts, SitePrefix(doors.prefix, source.path_rules))
    if source.s3 is not None:
        host = urlsplit(source.s3.endpoint or "").hostname or ""
        bucket = paths.to_text(paths.normalise(paths.to_bytes("/" + source.s3.url.partition("//")[2])))
        return _Storage("bucket", [host], SitePrefix(bucket))
    url = urlsplit(source.gfal.url if source.gfal else "")
    return _Storage("door", [url.hostname or ""], SitePrefix(url.path))
