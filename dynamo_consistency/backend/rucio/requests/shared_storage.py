"""Other RSEs on the same storage: what lies in their area, or is known to them, is nothing that this one may delete.

Nothing in Rucio says which RSEs stand on one storage. Their protocols do: hosts that may be doors of one storage (see
`storage_hosts`), and directories of which one contains the other.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from dynamo_consistency import paths
from dynamo_consistency.backend.rucio.catalogue import rses
from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue
from dynamo_consistency.backend.rucio.catalogue.path_resolution import candidates, registered
from dynamo_consistency.backend.rucio.catalogue.replica_records import Records
from dynamo_consistency.backend.rucio.catalogue.rses import Rse
from dynamo_consistency.backend.rucio.options import Options
from dynamo_consistency.backend.storage_hosts import any_same_storage
from dynamo_consistency.errors import ConfigurationError

_OF_VO = " of the VO "


def objections(
    connection: Connection, catalogue: Catalogue, options: Options, rse: Rse, files: Sequence[bytes]
) -> dict[bytes, str]:
    """Those of `files`, by their paths at `rse`, that another RSE may have a claim on, and which."""
    found: dict[bytes, str] = {}
    above: defaultdict[str, dict[bytes, bytes]] = defaultdict(dict)
    for other, area, prefix in _neighbours(connection, catalogue, rse):
        for path in files:
            place = prefix.rstrip(b"/") + path
            if paths.is_below(place, area) and len(area) > len(prefix):
                found[path] = f"it lies in the area of the RSE {other}"
            elif paths.is_below(place, area):
                above[other][place[len(area.rstrip(b"/")) :]] = path
    for other, there in above.items():
        claim = f"the RSE {other}, which has the same storage,"
        try:
            known = _known(connection, catalogue, options, other, list(there))
            found |= {there[path]: f"{claim} knows it" for path in known}
        except ConfigurationError as error:
            found |= dict.fromkeys(there.values(), f"{claim} may know it: {error}")
    return found


def sharing_rses(connection: Connection, catalogue: Catalogue, rse: Rse) -> set[str]:
    """Other RSEs that may stand on the same storage, in the same directory: their copy of a file may be this one."""
    return {other for other, area, prefix in _neighbours(connection, catalogue, rse) if area == prefix}


class _Door(NamedTuple):
    """A protocol of another RSE: its host, or those of the RSE's other protocols where it names none."""

    rse: str
    hosts: frozenset[str]
    area: bytes


def _neighbours(connection: Connection, catalogue: Catalogue, rse: Rse) -> set[tuple[str, bytes, bytes]]:
    """(other RSE, its directory, directory of `rse`) where one contains the other, on what may be one storage."""
    ours = {(host, _area(protocol.prefix)) for protocol in rse.protocols for host in _hosts(protocol.hostname, rse)}
    return {
        (door.rse, door.area, prefix)
        for door in _other_doors(connection, catalogue, rse)
        for host, prefix in ours
        if paths.overlap(prefix, door.area) and any_same_storage([host], door.hosts)
    }


def _hosts(host: str, rse: Rse) -> set[str]:
    return {host} if host else {protocol.hostname for protocol in rse.protocols if protocol.hostname} or {""}


def _other_doors(connection: Connection, catalogue: Catalogue, rse: Rse) -> list[_Door]:
    protocols, table = catalogue.tables.protocols, catalogue.tables.rses
    query = (
        select(table.c.rse, table.c.vo, protocols.c.hostname, protocols.c.prefix)
        .join(table, table.c.id == protocols.c.rse_id)
        .where(protocols.c.rse_id != rse.id, table.c.deleted.is_(False))
    )
    rows = [
        (name if vo == catalogue.vo else f"{name}{_OF_VO}{vo}", host or "", _area(prefix or ""))
        for name, vo, host, prefix in connection.execute(query)
    ]
    hosts: defaultdict[str, set[str]] = defaultdict(set)
    for name, host, _ in rows:
        hosts[name] |= {host} - {""}
    return [_Door(name, frozenset({host} if host else hosts[name] or {""}), area) for name, host, area in rows]


def _area(prefix: str) -> bytes:
    return paths.normalise(b"/" + paths.to_bytes(prefix))


def _known(
    connection: Connection, catalogue: Catalogue, options: Options, name: str, files: Sequence[bytes]
) -> set[bytes]:
    if _OF_VO in name:
        raise ConfigurationError("what another VO has is not looked up")
    rse = rses.find(connection, catalogue, name)
    records = Records(connection, catalogue.tables, rse)
    guesses = candidates(records, rse, options, files)
    there = registered(records, files, guesses)
    coming = records.on_their_way(did for dids in guesses.values() for did in dids)
    return {path for path in files if there[path] or coming.intersection(guesses[path])}
