"""Other RSEs on the same storage: what lies in their area, or is known to them, is nothing that this one may delete."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from dynamo_consistency import paths
from dynamo_consistency.backend.rucio.catalogue import rses
from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue
from dynamo_consistency.backend.rucio.catalogue.path_resolution import candidates, registered
from dynamo_consistency.backend.rucio.catalogue.replica_records import Records
from dynamo_consistency.backend.rucio.catalogue.rses import Rse
from dynamo_consistency.backend.rucio.options import Options
from dynamo_consistency.errors import ConfigurationError


def objections(
    connection: Connection, catalogue: Catalogue, options: Options, rse: Rse, files: Sequence[bytes]
) -> dict[bytes, str]:
    """Those of `files`, by their paths at `rse`, that another RSE may have a claim on, and which."""
    others = _areas(connection, catalogue, rse)
    found: dict[bytes, str] = {}
    above: defaultdict[str, dict[bytes, bytes]] = defaultdict(dict)
    for path in files:
        for host, prefix in {(protocol.hostname, _area(protocol.prefix)) for protocol in rse.protocols}:
            place = prefix.rstrip(b"/") + path
            for other, area in others[host]:
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


def _areas(connection: Connection, catalogue: Catalogue, rse: Rse) -> Mapping[str, set[tuple[str, bytes]]]:
    """For each host of the RSE, the other RSEs there, and the directories that are theirs."""
    protocols, table = catalogue.tables.protocols, catalogue.tables.rses
    query = (
        select(protocols.c.hostname, table.c.rse, protocols.c.prefix)
        .join(table, table.c.id == protocols.c.rse_id)
        .where(protocols.c.hostname.in_({protocol.hostname for protocol in rse.protocols}))
        .where(protocols.c.rse_id != rse.id, table.c.deleted.is_(False))
    )
    found: defaultdict[str, set[tuple[str, bytes]]] = defaultdict(set)
    for host, name, prefix in connection.execute(query):
        found[host].add((name, _area(prefix or "")))
    return found


def _area(prefix: str) -> bytes:
    return paths.normalise(b"/" + paths.to_bytes(prefix))


def _known(
    connection: Connection, catalogue: Catalogue, options: Options, name: str, files: Sequence[bytes]
) -> set[bytes]:
    rse = rses.find(connection, catalogue, name)
    records = Records(connection, catalogue.tables, rse)
    guesses = candidates(records, rse, options, files)
    there = registered(records, files, guesses)
    coming = records.on_their_way(did for dids in guesses.values() for did in dids)
    return {path for path in files if there[path] or coming.intersection(guesses[path])}
