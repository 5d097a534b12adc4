"""What else may be where a file is to be deleted: files that the site, or another one on the same storage, claims.

Dynamo deletes by PFN, and knows no more than that. Two sites may stand on one storage (a disk and the buffer of its
tape), and the rules of one site may overlap. So before a PFN is requested the rules of all sites, for all protocols,
are read backwards (see `pfn_inverse`), and the inventory is asked for every LFN that comes out. A few queries do for
all files of a call.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from sqlalchemy import Connection, select

from dynamo_consistency import paths
from dynamo_consistency.backend.dynamo.database.names import look_ups
from dynamo_consistency.backend.dynamo.database.schema import block_replicas, file_subscriptions, files, sites
from dynamo_consistency.backend.dynamo.database.schema_version import Generation
from dynamo_consistency.backend.dynamo.requests.pfn import PfnRuleRow, SiteRules, chain_of
from dynamo_consistency.backend.dynamo.requests.pfn_inverse import (
    CannotInvertError,
    InverseChain,
    Place,
    are_roundabout,
    host_of,
    path_rules,
    place,
)
from dynamo_consistency.backend.dynamo.requests.unsafe_paths import RefusedError
from dynamo_consistency.backend.storage_hosts import any_same_storage


@dataclass(frozen=True)
class _Chain:
    """A chain of a site's rules; `inverse` is None where they cannot be read, and may lead to any path."""

    site: int
    host: str
    shown: str
    inverse: InverseChain | None


@dataclass
class _Claims:
    """What may have the paths of the files: LFNs, and chains that may give them to LFNs without number."""

    others: defaultdict[bytes, list[tuple[bytes, _Chain]]] = field(default_factory=lambda: defaultdict(list))
    """LFN that another file may have → (file that is asked for, the chain that gives both one path)."""
    endless: list[tuple[bytes, _Chain]] = field(default_factory=list)


def objections(
    connection: Connection, generation: Generation, rules: Iterable[SiteRules], site: int, urls: Mapping[bytes, bytes]
) -> dict[bytes, str]:
    """Those of the files (LFN → its PFN at `site`) whose PFN another file may have, and which."""
    chains = list(_chains(rules))
    places = {lfn: place(url) for lfn, url in urls.items()}
    claims = _invert(chains, site, places)
    storages = _Storages(chains, site, dict(connection.execute(select(sites.c.id, sites.c.name)).all()))
    found: dict[bytes, str] = {}
    for lfn, chain in claims.endless:
        if lfn not in found and storages.may_be_one(places[lfn].host, chain):
            found[lfn] = f"{storages.whose(chain)} rules may give its PFN to other files: {chain.shown}"
    for other, number in _claimed(connection, generation, claims.others):
        for lfn, chain in claims.others[other]:
            if lfn not in found and chain.site == number and storages.may_be_one(places[lfn].host, chain):
                shown = paths.visible(other)
                found[lfn] = f"{storages.whose(chain)} rules give its PFN to a file of the inventory: {shown}"
    return found


def sharing_sites(rules: Iterable[SiteRules], site: int, urls: Mapping[bytes, bytes]) -> dict[bytes, set[int]]:
    """Of each of the files (LFN → its PFN at `site`), other sites whose rules may give it the same place there.

    What such a site has of the file is the same copy.
    """
    chains = list(_chains(rules))
    places = {lfn: place(url) for lfn, url in urls.items()}
    claims = _invert(chains, site, places)
    storages = _Storages(chains, site, {})
    same_file = [(lfn, chain) for other, some in claims.others.items() for lfn, chain in some if lfn == other]
    found: dict[bytes, set[int]] = {lfn: set() for lfn in urls}
    for lfn, chain in [*claims.endless, *same_file]:
        if chain.site != site and storages.may_be_one(places[lfn].host, chain):
            found[lfn].add(chain.site)
    return found


class _Storages:
    """Which sites may stand on the storage of one; a rule that names no host has those of the site's other rules."""

    def __init__(self, chains: Iterable[_Chain], site: int, names: Mapping[int, str]) -> None:
        self._site, self._names = site, names
        self._hosts: defaultdict[int, set[str]] = defaultdict(set)
        for chain in chains:
            self._hosts[chain.site] |= {chain.host} - {""}

    def may_be_one(self, host: str, chain: _Chain) -> bool:
        """May what the chain leads to be on the storage that the site's door `host` leads to?"""
        if chain.site == self._site:
            return True
        return any_same_storage(self._of(self._site, host), self._of(chain.site, chain.host))

    def _of(self, site: int, host: str) -> set[str]:
        return {host} if host else self._hosts[site] or {""}

    def whose(self, chain: _Chain) -> str:
        if chain.site == self._site:
            return "the site's own"
        return f"the site {self._names.get(chain.site, chain.site)} has the same storage, and its"


def _chains(rules: Iterable[SiteRules]) -> Iterator[_Chain]:
    known: dict[object, InverseChain] = {}
    for site, protocol, rows in rules:
        for _, some in groupby(sorted(rows), key=lambda row: row[0]):
            yield _chain(site, protocol, list(some), known)


def _chain(site: int, protocol: str, rows: list[PfnRuleRow], known: dict[object, InverseChain]) -> _Chain:
    """`known`: inverses made so far; most sites differ in little more than their doors."""
    patterns = [(pattern, form) for _, _, pattern, form in rows]
    shown = ", ".join(f"{pattern.decode('latin-1')!r} -> {form.decode('latin-1')!r}" for pattern, form in patterns)
    shown = f"{protocol} {shown}"
    try:
        links = chain_of(rows)
    except RefusedError:
        return _Chain(site, place(rows[-1][3]).host, shown, None)
    if are_roundabout([form for _, form in patterns]):
        return _Chain(site, host_of(links), shown, None)
    key = path_rules(patterns)
    if key not in known:
        known[key] = InverseChain(links)
    return _Chain(site, host_of(links), shown, known[key])


def _invert(chains: Iterable[_Chain], site: int, places: Mapping[bytes, Place]) -> _Claims:
    claims = _Claims()
    by_inverse: defaultdict[InverseChain | None, list[_Chain]] = defaultdict(list)
    for chain in chains:
        by_inverse[chain.inverse].append(chain)
    for inverse, some in by_inverse.items():
        for lfn, there in places.items():
            try:
                lfns = _lfns(inverse, there.path)
            except CannotInvertError:
                claims.endless += [(lfn, chain) for chain in some]
                continue
            for other in lfns:
                claims.others[other] += [(lfn, chain) for chain in some if (chain.site, other) != (site, lfn)]
    return claims


def _lfns(inverse: InverseChain | None, path: bytes) -> set[bytes]:
    if inverse is None:
        raise CannotInvertError
    return inverse.lfns(path)


def _claimed(connection: Connection, generation: Generation, names: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """(LFN, site) of every block replica that a file may be in, and of every subscription that is not cancelled."""
    queries = [
        select(files.c.name, block_replicas.c.site_id).join(
            block_replicas, block_replicas.c.block_id == files.c.block_id
        )
    ]
    if generation.per_file_replicas:
        subscribed = select(files.c.name, file_subscriptions.c.site_id).join(
            file_subscriptions, file_subscriptions.c.file_id == files.c.id
        )
        queries.append(subscribed.where(file_subscriptions.c.status != "cancelled"))
    for chunk in look_ups(names):
        for query in queries:
            yield from connection.execute(query.where(files.c.name.in_(chunk)))
