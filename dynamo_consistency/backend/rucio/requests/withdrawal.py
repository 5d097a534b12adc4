"""Requests to Rucio that have outlived their reason; only reads.

Rucio's server has no call that takes a path out of the quarantine, nor one that takes a declaration back, and the
catalogue is never written to. But Rucio spares a path whose scope and name, as they were given with it, are registered
at the RSE by the time the dark reaper comes: such a request is as good as withdrawn. What is declared bad is fetched
again, over what is there.
"""

from collections.abc import Mapping, Sequence

from dynamo_consistency.backend.contract import Asked, Became, Withdrawn
from dynamo_consistency.backend.rucio.catalogue import rses
from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue
from dynamo_consistency.backend.rucio.catalogue.replica_records import Records, spellings
from dynamo_consistency.backend.rucio.options import Options
from dynamo_consistency.backend.rucio.requests.followup import follow

_ANSWERS: Mapping[Became, Withdrawn] = {
    "recovered": "done",
    "lost": "done",
    "removed": "done",
    "kept": "done",
    "unknown": "unknown",
    "queued": "cannot",
}


def withdraw(catalogue: Catalogue, options: Options, site: str, asked: Sequence[Asked]) -> list[Withdrawn]:
    """See `contract.WithdrawingRegistry`."""
    became = follow(catalogue, options, site, asked)
    waiting = {one.path for one, what in zip(asked, became, strict=True) if (one.request, what) == ("delete", "queued")}
    spared = _spared(catalogue, site, sorted(waiting))
    return [
        "withdrawn" if one.request == "delete" and one.path in spared else _ANSWERS[what]
        for one, what in zip(asked, became, strict=True)
    ]


def _spared(catalogue: Catalogue, site: str, files: Sequence[bytes]) -> set[bytes]:
    """Those of the files whose every entry in the quarantine is of a DID that is registered at the RSE."""
    if not files:
        return set()
    with catalogue.reading() as connection:
        records = Records(connection, catalogue.tables, rses.find(connection, catalogue, site))
        entries = {path: records.quarantined_as(spellings(path)) for path in files}
        dids = {did for some in entries.values() for did in some if did is not None}
        registered = {replica.did for replica in records.replicas(dids)}
    return {path for path, some in entries.items() if some and all(did in registered for did in some)}
