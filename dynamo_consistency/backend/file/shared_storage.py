"""Other sites of the entry on the same storage: what their inventories have there, this one may not delete.

A dump says nothing of storages; what lists the sites does. Hosts that may be doors of one storage (`storage_hosts`) and
one path there are one file. Of a site that has no `listing`, or is listed in another way, the path is not known: there
the LFN alone is enough.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency.backend.file.options import SiteOptions
from dynamo_consistency.backend.inventory_paths import identified
from dynamo_consistency.backend.storage_hosts import any_same_storage
from dynamo_consistency.check import Source
from dynamo_consistency.check.doors import WEBDAV_DOOR, XROOTD_DOOR
from dynamo_consistency.columns import directories_above
from dynamo_consistency.errors import BackendError, ListingError
from dynamo_consistency.listers.endpoint import SitePrefix

_MOUNTED = ""


class _Place(NamedTuple):
    """Where a site's files are: by which protocol, at which hosts, and LFNs as paths there."""

    protocol: str
    hosts: tuple[str, ...]
    prefix: SitePrefix


@dataclass(frozen=True)
class OtherSites:
    """`inventory`: the files of a site, read anew each time it is called."""

    sites: Mapping[str, SiteOptions]
    inventory: Callable[[str], Iterator[pa.RecordBatch]]

    def objections(self, site: str, files: Sequence[bytes], *, directories: bool = False) -> dict[bytes, str]:
        """Those of `files` (LFNs at `site`) that another site may have a claim on, and which.

        With `directories` they are such, and one in which the other site has a file is claimed.
        """
        found: dict[bytes, str] = {}
        ours = _place(self.sites[site].listing) if site in self.sites else None
        for other, options in self.sites.items():
            if other == site:
                continue
            named = _named_there(ours, _place(options.listing), [path for path in files if path not in found])
            try:
                claimed = self._claimed(other, named, directories) if named else set()
                reason = f"{other}, which may have the same storage, has it"
            except BackendError as error:
                claimed = set().union(*named.values())
                reason = f"{other}, which may have the same storage, may have it: {error}"
            found |= dict.fromkeys(claimed, reason)
        return found

    def _claimed(self, other: str, named: Mapping[bytes, set[bytes]], directories: bool) -> set[bytes]:
        """Those of the files that `other` has under one of their names there. Raises BackendError as a dump does."""
        wanted = pa.array(list(named), pa.binary())
        claimed: set[bytes] = set()
        for batch in map(identified, self.inventory(other)):
            there = batch["path"]
            found = _above(there) & named.keys() if directories else there.filter(pc.is_in(there, wanted)).to_pylist()
            claimed = claimed.union(*(named[name] for name in found))
        return claimed


def _above(files: pa.Array) -> set[bytes]:
    """The files, and all directories that they lie in."""
    return set(files.to_pylist()).union(*(level.to_pylist() for level in directories_above(files)))


def _named_there(ours: _Place | None, theirs: _Place | None, files: Sequence[bytes]) -> dict[bytes, set[bytes]]:
    """LFNs that `files` may have at the other site, and the files that may have each; none on another storage."""
    if ours is None or theirs is None:
        return {path: {path} for path in files}
    if not any_same_storage(ours.hosts, theirs.hosts):
        return {}
    named: defaultdict[bytes, set[bytes]] = defaultdict(set)
    for path in files:
        if ours.protocol != theirs.protocol:
            named[path].add(path)
        if (name := _moved(ours.prefix, theirs.prefix, path)) is not None:
            named[name].add(path)
    return named


def _moved(ours: SitePrefix, theirs: SitePrefix, path: bytes) -> bytes | None:
    """The LFN that the other site has for our file; None where it has none."""
    try:
        return theirs.lfn(ours.path(path))
    except ListingError:  # no rule says where it is
        return path
    except ValueError:
        return None


def _place(source: Source | None) -> _Place | None:
    """None where it is not known at which path a file is."""
    if source is None:
        return None
    rules = source.path_rules
    if source.posix:
        return _Place("posix", (_MOUNTED,), SitePrefix(source.posix.prefix, rules))
    if source.xrootd:
        hosts = _hosts(XROOTD_DOOR, source.xrootd.servers)
        return _Place("xrootd", hosts, SitePrefix(source.xrootd.prefix, rules))
    if source.webdav:
        hosts = _hosts(WEBDAV_DOOR, source.webdav.servers)
        return _Place("webdav", hosts, SitePrefix(source.webdav.prefix, rules))
    if source.gfal:
        url = urlsplit(source.gfal.url)
        return _Place("gfal", (url.hostname or "",), SitePrefix(url.path, rules))
    return None


def _hosts(form: str, doors: Sequence[str]) -> tuple[str, ...]:
    matches = (re.fullmatch(form, door.strip()) for door in doors)
    return tuple(match["host"] for match in matches if match)
