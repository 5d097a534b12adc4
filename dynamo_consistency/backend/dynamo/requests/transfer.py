"""Fetching files anew that the inventory claims at the site (v2.2 and later), through `file_subscriptions`.

Dynamo takes a transfer of a file that its replica claims for done. So the file is subscribed for deletion: Dynamo
unlinks it, which succeeds also where there is none, drops it from the replica, and fetches what the replica then lacks.
"""

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, and_, func, select

from dynamo_consistency.backend.contract import Outcome
from dynamo_consistency.backend.dynamo.database.connection import Databases, reading
from dynamo_consistency.backend.dynamo.database.names import look_ups
from dynamo_consistency.backend.dynamo.database.schema import block_replicas, file_subscriptions, files
from dynamo_consistency.backend.dynamo.database.schema_version import Generation
from dynamo_consistency.backend.dynamo.inventory import claimed
from dynamo_consistency.backend.dynamo.other_copies import copies
from dynamo_consistency.backend.dynamo.requests import other_claims, pfn
from dynamo_consistency.backend.dynamo.requests.deletion import own_rules
from dynamo_consistency.backend.dynamo.requests.insert import Writer, locked
from dynamo_consistency.backend.dynamo.requests.unsafe_paths import RefusedError
from dynamo_consistency.backend.dynamo.sites import site_id
from dynamo_consistency.backend.sql.reading import chunks

OPEN = ("new", "inbatch", "retry", "held")

LAST_OF_BLOCK = (
    "Dynamo would drop the whole block from the site, since no other file of it would be left there; "
    "ask again when others have come back, or invalidate it in Dynamo"
)


SAME_COPY = (
    "no disk source elsewhere: the sites that have it stand on the same storage, where it may be this very file; "
    "a last copy is never touched"
)


class _File(NamedTuple):
    number: int
    block: int
    owner: int
    claimed: bool


@dataclass
class _Inventory:
    """What the inventory says of the files that are asked for, and of their blocks at the site."""

    site: int
    files: dict[bytes, _File] = field(default_factory=dict)
    sources: defaultdict[bytes, set[tuple[int, str]]] = field(default_factory=lambda: defaultdict(set))
    """(site, storage type) of the copies elsewhere of each file."""
    sharing: Mapping[bytes, Set[int]] = field(default_factory=dict)
    """Of each file the sites to which this very copy may belong as well, since they stand on the same storage."""
    claimed: defaultdict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Numbers of the files that the site has of each block."""


_Deletions = Mapping[tuple[int, int], str]
"""(file, site) -> status of its subscription for deletion, without those that are cancelled."""


def request(databases: Databases, generation: Generation, site: str, wanted: Sequence[bytes]) -> dict[bytes, Outcome]:
    """A subscription for each of `wanted` (LFNs) that has none yet, and that can be spared until it is back."""
    with locked(databases.inventory, file_subscriptions) as writer:
        # Read on a connection of its own: of the one that writes, the lock allows no other table.
        with reading(databases.inventory) as connection:
            inventory = _read(connection, generation, site_id(connection, site), wanted)
        deletions = _deletions(writer, inventory)
        outcomes = {path: _decide(path, inventory, deletions) for path in wanted}
        _spare_blocks(outcomes, inventory, deletions)
        requested = [path for path in outcomes if outcomes[path].outcome == "requested"]
        _subscribe(writer, inventory.site, [inventory.files[path].number for path in requested])
    return outcomes


def _read(connection: Connection, generation: Generation, site: int, wanted: Iterable[bytes]) -> _Inventory:
    inventory = _Inventory(site)
    here = and_(block_replicas.c.block_id == files.c.block_id, block_replicas.c.site_id == site)
    columns = (files.c.name, files.c.id, files.c.block_id, block_replicas.c.group_id, claimed(generation))
    query = select(*columns).join(block_replicas, here)
    for chunk in look_ups(wanted):
        for name, *values in connection.execute(query.where(files.c.name.in_(chunk))):
            inventory.files[name] = _File(*values)
        for name, number, _, storage in connection.execute(copies(generation, site, chunk)):
            inventory.sources[name].add((number, storage))
    at_site = select(files.c.block_id, files.c.id).join(block_replicas, here).where(claimed(generation))
    for blocks in chunks({file.block for file in inventory.files.values()}):
        for block, number in connection.execute(at_site.where(files.c.block_id.in_(blocks))):
            inventory.claimed[block].add(number)
    inventory.sharing = _sharing(connection, generation, site, wanted)
    return inventory


def _sharing(
    connection: Connection, generation: Generation, site: int, wanted: Iterable[bytes]
) -> dict[bytes, set[int]]:
    """None where the site's own rules give a file no PFN: nothing is known of its place."""
    of_all = pfn.read_rules(connection, generation)
    rules = own_rules(of_all, site)
    urls: dict[bytes, bytes] = {}
    if isinstance(rules, pfn.PfnRules):
        for path in wanted:
            with contextlib.suppress(RefusedError):
                urls[path] = rules.pfn(path)
    return {path: set[int]() for path in wanted} | other_claims.sharing_sites(of_all, site, urls)


def _deletions(writer: Writer, inventory: _Inventory) -> _Deletions:
    """Of all files of the blocks concerned, at all sites."""
    table = file_subscriptions.c
    numbers = {file.number for file in inventory.files.values()}.union(*inventory.claimed.values())
    query = select(table.file_id, table.site_id, table.status).where(table.delete == 1, table.status != "cancelled")
    return {
        (file, site): status
        for chunk in chunks(sorted(numbers))
        for file, site, status in writer.rows(query.where(table.file_id.in_(chunk)))
    }


def _decide(path: bytes, inventory: _Inventory, deletions: _Deletions) -> Outcome:
    """What becomes of one file, as far as its own state decides."""
    file = inventory.files.get(path)
    try:
        if file is None:
            raise RefusedError("Dynamo has no such file in a block at the site")
        row = (file.number, inventory.site)
        if row in deletions:
            held = deletions[row] == "held"
            return Outcome(path, "waiting", "Dynamo holds it; release its subscription there" if held else "")
        _check_file(path, file, inventory, deletions)
    except RefusedError as reason:
        return Outcome(path, "refused", str(reason))
    return Outcome(path, "requested")


def _check_file(path: bytes, file: _File, inventory: _Inventory, deletions: _Deletions) -> None:
    if not file.owner:
        raise RefusedError("its block has no owner at the site: Dynamo is deleting it there")
    if not file.claimed:
        raise RefusedError("the inventory does not claim it at the site: Dynamo fetches what a replica lacks by itself")
    # A copy that is about to be deleted elsewhere, for the same reason as here perhaps, is none.
    stay = {(site, kind) for site, kind in inventory.sources[path] if (file.number, site) not in deletions}
    check_sources(stay, inventory.sharing[path])


def check_sources(copies_elsewhere: Iterable[tuple[int, str]], sharing: Set[int]) -> set[int]:
    """The sites with a disk source, of (site, storage type). Raises RefusedError where there is none.

    `sharing`: sites that stand on the same storage, so that what they have may be this very copy.
    """
    places = list(copies_elsewhere)
    if sources := {site for site, kind in places if kind == "disk"} - sharing:
        return sources
    kinds = {kind for _, kind in places}
    if "disk" in kinds:
        raise RefusedError(SAME_COPY)
    tape = "only tape has it" if "mss" in kinds else "and none on tape"
    raise RefusedError(f"no disk source elsewhere, {tape}: a last copy is never touched")


def _spare_blocks(outcomes: dict[bytes, Outcome], inventory: _Inventory, deletions: _Deletions) -> None:
    """Of each block that would lose all its files at the site, refuse one."""
    leaving = {file for file, site in deletions if site == inventory.site}
    candidates: defaultdict[int, dict[int, bytes]] = defaultdict(dict)
    for path, outcome in outcomes.items():
        if outcome.outcome == "requested":
            file = inventory.files[path]
            candidates[file.block][file.number] = path
    for block, going in candidates.items():
        if not inventory.claimed[block] - leaving - going.keys():
            _, last = going.popitem()
            outcomes[last] = Outcome(last, "refused", LAST_OF_BLOCK)


def _subscribe(writer: Writer, site: int, numbers: Sequence[int]) -> None:
    """As Dynamo does it: cancel the opposite row where it is open, then insert, or renew what is there."""
    table = file_subscriptions.c
    for chunk in chunks(numbers):
        here = and_(table.file_id.in_(chunk), table.site_id == site)
        writer.change(here, table.delete == 0, table.status.in_(OPEN), status="cancelled")
        there = {file for (file,) in writer.rows(select(table.file_id).where(here, table.delete == 1))}
        writer.change(here, table.delete == 1, status="new", last_update=func.now())
        rows = ({"file_id": file, "site_id": site, "delete": 1} for file in chunk if file not in there)
        writer.add(rows, status="new", created=func.now(), last_update=func.now())
