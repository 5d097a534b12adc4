"""Fetching files anew that the catalogue has at the RSE: their replicas are declared bad.

Rucio never looks at the storage. From a declaration on it takes the replica for destroyed: it fetches the file from
another RSE if a rule holds it here, drops it if none does, and gives up the file everywhere if this was the last copy.
So all of that is looked up just before, and only what is sure to come back is declared.
"""

import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from dynamo_consistency.backend.contract import Outcome
from dynamo_consistency.backend.rucio.catalogue import other_copies, rses
from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue
from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did
from dynamo_consistency.backend.rucio.catalogue.path_resolution import candidates, registered
from dynamo_consistency.backend.rucio.catalogue.replica_records import Copy, Records, Replica
from dynamo_consistency.backend.rucio.catalogue.rses import Rse
from dynamo_consistency.backend.rucio.options import Options
from dynamo_consistency.backend.rucio.requests.batching import settle
from dynamo_consistency.backend.rucio.requests.shared_storage import sharing_rses
from dynamo_consistency.backend.rucio.rest.client import NotDeclared, RestClient, rest_id

REASON_LIMIT = 255

CHANGED = (
    "Rucio's server does not see it at the site, or at a source, any more: its database is ahead of the one we read"
)

STATES = {
    "C": "it is being copied to the site",
    "U": "its replica is unavailable: its transfer has failed, or it is being dropped",
    "B": "it is being deleted at the site",
    "T": "the site is known not to be able to read it for a while",
}


def reason(run_id: str) -> str:
    """What is written to the catalogue beside a declaration; it tells the run that made it."""
    run = f" run {run_id}" if run_id else ""
    return f"dynamo-consistency{run}: missing at the site, or of another size"[:REASON_LIMIT]


@dataclass(frozen=True)
class Transfer:
    """The requests of one run for one RSE."""

    catalogue: Catalogue
    options: Options
    client: RestClient
    site: str
    run_id: str

    def request(self, files: Sequence[bytes]) -> dict[bytes, Outcome]:
        """Declare each of `files` (LFNs) that is not declared yet, and that can be had again."""
        return settle(files, self._decide, self._declare)

    def _decide(self, files: Sequence[bytes]) -> dict[bytes, "Outcome | _Bad"]:
        with self.catalogue.reading() as connection:
            rse = rses.find(connection, self.catalogue, self.site)
            records = Records(connection, self.catalogue.tables, rse)
            found = registered(records, files, candidates(records, rse, self.options, files))
            dids = [replica.did for some in found.values() for replica in some]
            sharing = sharing_rses(connection, self.catalogue, rse)
            decider = _Decider(records, dids, sharing, self.options.recall_from_tape)
        return {path: decider.outcome(rse, path, found[path]) for path in files}

    def _declare(self, wanted: Mapping[bytes, "_Bad"]) -> dict[bytes, Outcome]:
        """The server is asked first whether it sees the file here and at a source, too: what we read may lag behind."""
        available = self.client.available([bad.did for bad in wanted.values()])
        sure = {path: bad for path, bad in wanted.items() if bad.is_sure(self.site, available.get(bad.did, set()))}
        outcomes = {path: Outcome(path, "refused", CHANGED) for path in wanted if path not in sure}
        if sure:
            (rse,) = {bad.rse for bad in sure.values()}
            answers = self.client.declare_bad(rse, [bad.did for bad in sure.values()], reason(self.run_id))
            outcomes |= {path: _outcome(path, answers.get(bad.did)) for path, bad in sure.items()}
        return outcomes


def _outcome(path: bytes, not_declared: NotDeclared | None) -> Outcome:
    if not_declared == "unknown":
        return Outcome(path, "refused", "Rucio has no such replica at the site any more")
    return Outcome(path, "waiting" if not_declared else "requested")


@dataclass(frozen=True)
class _Bad:
    """A replica that is to be declared bad, and the RSEs from which it can be had again."""

    rse: str
    """The id, as the server writes it."""

    did: Did
    sources: Set[str]

    def is_sure(self, site: str, available: Set[str]) -> bool:
        return site in available and not self.sources.isdisjoint(available)


class _Decider:
    """What the catalogue says of some files, and what follows from it."""

    def __init__(self, records: Records, dids: Sequence[Did], sharing: Set[str], recall_from_tape: bool) -> None:
        """`sharing`: RSEs on the same storage, of which no copy is believed to be another one."""
        self._sharing, self._recall = sharing, recall_from_tape
        self._declared = records.declared(dids)
        self._on_their_way = records.on_their_way(dids)
        self._held = records.held(dids, time.time())
        self._availability = records.availability(dids)
        self._copies: Mapping[Did, Sequence[Copy]] = records.copies(dids)

    def outcome(self, rse: Rse, path: bytes, replicas: Sequence[Replica]) -> Outcome | _Bad:
        if len(replicas) != 1:
            several = ", ".join(":".join(replica.did) for replica in replicas)
            message = (
                f"it is not clear which file this is: {several}" if several else "Rucio has no replica of it there"
            )
            return Outcome(path, "refused", message)
        (replica,) = replicas
        if replica.state == "D" or any(one.state == "B" for one in self._declared.get(replica.did, ())):
            return Outcome(path, "waiting")
        copies = [copy for copy in self._copies.get(replica.did, ()) if copy.rse not in self._sharing]
        usable = other_copies.usable(replica, copies)
        sources = other_copies.sources(usable, self._recall)
        objection = self._objection(rse, replica) or (None if sources else other_copies.objection(usable))
        return Outcome(path, "refused", objection) if objection else _Bad(rest_id(rse.id), replica.did, sources)

    def _objection(self, rse: Rse, replica: Replica) -> str | None:
        did = replica.did
        if replica.state != "A":
            return STATES.get(replica.state, f"its replica is in the state {replica.state}, which is not known here")
        if did in self._on_their_way:
            return "a transfer of it to the site is under way"
        if replica.tombstone is not None:
            return "Rucio is about to delete it at the site: it has a tombstone"
        if not replica.locked or did not in self._held:
            return "no rule holds it at the site, or not for long: Rucio would drop it rather than fetch it"
        if self._availability.get(did) != "A":
            return "Rucio has given it up: it is lost or deleted"
        return None if rse.availability_write else "Rucio may not write to the site now: the file would not come back"
