"""Deletion of files that Rucio has not registered: they are handed to its dark reaper, by way of the quarantine.

The dark reaper deletes what it is given, without a look at the storage, unless the scope and name that were given too
are registered by then. So nothing goes there without the scope and name that the file would have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, inspect

from dynamo_consistency.backend.contract import Outcome
from dynamo_consistency.backend.rucio.catalogue import rses
from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue
from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did
from dynamo_consistency.backend.rucio.catalogue.path_resolution import candidates, registered
from dynamo_consistency.backend.rucio.catalogue.replica_records import Records, spellings
from dynamo_consistency.backend.rucio.catalogue.rses import Rse
from dynamo_consistency.backend.rucio.options import Options
from dynamo_consistency.backend.rucio.requests import lfn2pfn_check, shared_storage, unsafe_paths
from dynamo_consistency.backend.rucio.requests.batching import settle
from dynamo_consistency.backend.rucio.requests.did_choice import Naming
from dynamo_consistency.backend.rucio.rest.client import RestClient, rest_id

REGISTERED = "the inventory knows it at the site; only what Rucio has not registered is deleted in this way"


@dataclass(frozen=True)
class _Dark:
    """A file that is to be deleted: its path below the prefix, without a slash in front."""

    rse: Rse
    path: str
    did: Did
    computed: bool
    """Would Rucio compute this path if it registered the DID?"""


@dataclass(frozen=True)
class Quarantine:
    """The requests for one RSE."""

    catalogue: Catalogue
    options: Options
    client: RestClient
    site: str

    def request(self, files: Sequence[bytes]) -> dict[bytes, Outcome]:
        """Hand over each of `files` (LFNs) that is not waiting yet, and that Rucio has not registered at the site."""
        return settle(files, self._decide, self._hand_over)

    def _decide(self, files: Sequence[bytes]) -> dict[bytes, Outcome | _Dark]:
        with self.catalogue.reading() as connection:
            rse = rses.find(connection, self.catalogue, self.site)
            records = Records(connection, self.catalogue.tables, rse)
            refused = _refused(rse, records, files)
            left = [path for path in files if path not in refused]
            refused |= shared_storage.objections(connection, self.catalogue, self.options, rse, left)
            left = [path for path in left if path not in refused]
            decider = _Decider(records, rse, self.options, _limits(connection, self.catalogue), left)
            decisions = {path: decider.outcome(path) for path in left}
        return {path: Outcome(path, "refused", refused[path]) if path in refused else decisions[path] for path in files}

    def _hand_over(self, wanted: Mapping[bytes, _Dark]) -> dict[bytes, Outcome]:
        """The server is asked first whether it, too, would have the DIDs at these paths.

        It says nothing of what it leaves out: what has arrived is read back.
        """
        rse = next(iter(wanted.values())).rse
        sample = list(islice((dark.did for dark in wanted.values() if dark.computed), lfn2pfn_check.SAMPLE))
        if sample:
            lfn2pfn_check.require(rse, rses.translation(rse, self.options), self.client.lfns2pfns(rse.name, sample))
        self.client.quarantine(rest_id(rse.id), {dark.path: dark.did for dark in wanted.values()})
        return {path: _arrived(path, decision) for path, decision in self._decide(list(wanted)).items()}


def _arrived(path: bytes, decision: Outcome | _Dark) -> Outcome:
    if isinstance(decision, _Dark):
        return Outcome(path, "refused", "Rucio took it, and does not list it; it will be asked for again")
    return decision._replace(outcome="requested") if decision.outcome == "waiting" else decision


def _refused(rse: Rse, records: Records, files: Sequence[bytes]) -> dict[bytes, str]:
    """What is not handed over whatever the catalogue says of it, and why."""
    if rse.tfc:
        return dict.fromkeys(files, "paths here are made by a TFC, which Rucio's dark reaper does not follow")
    if not rse.availability_delete:
        return dict.fromkeys(files, "Rucio may not delete at the site now")
    if not rse.deterministic and records.has_replicas_without_path():
        return dict.fromkeys(files, "a file is on its way to the site whose path Rucio does not know yet")
    prefixes = {protocol.prefix for protocol in rse.protocols}
    return {path: why for path in files if (why := unsafe_paths.of_path(path, prefixes))}


def _limits(connection: Connection, catalogue: Catalogue) -> dict[str, int]:
    """How long a path, scope and name may be: each Rucio has its own widths of columns."""
    table = catalogue.tables.quarantined
    columns = inspect(connection).get_columns(table.name, schema=table.schema)
    return {column["name"]: getattr(column["type"], "length", None) or 0 for column in columns}


class _Decider:
    """What the catalogue says of some files, and what follows from it."""

    def __init__(
        self, records: Records, rse: Rse, options: Options, limits: Mapping[str, int], files: Sequence[bytes]
    ) -> None:
        self._rse, self._limits = rse, limits
        self._guesses = guesses = candidates(records, rse, options, files)
        self._registered = registered(records, files, guesses)
        dids = {did for path in files for did in guesses[path]}
        # Even with a path of its own elsewhere at the site, a replica of that name is a reason to keep the file.
        known = {replica.did for replica in records.replicas(dids)} | records.on_their_way(dids)
        self._known = {path for path in files if known & set(guesses[path])}
        self._waiting = records.quarantined(text for path in files for text in spellings(path))
        self._naming = Naming(records, guesses, options.scope and options.scopes.inside(options.scope))

    def outcome(self, path: bytes) -> Outcome | _Dark:
        relative, *others = spellings(path)
        if self._registered[path] or path in self._known:
            return Outcome(path, "refused", REGISTERED)
        if self._waiting & {relative, *others}:
            return Outcome(path, "waiting")
        did = self._naming.did(path)
        objection = did if isinstance(did, str) else unsafe_paths.of_length(relative, did, self._limits)
        if isinstance(did, str) or objection:
            return Outcome(path, "refused", str(objection))
        return _Dark(self._rse, relative, did, computed=did in self._guesses[path])
