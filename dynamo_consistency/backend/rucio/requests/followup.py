"""What has become of requests, as the catalogue tells it; only reads.

A declaration keeps its row for good, with a letter for how it ended. The quarantine is emptied into a history, which
does not tell a file that was deleted from one that was spared because it was registered by then.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from dynamo_consistency.backend.contract import Asked, Became
from dynamo_consistency.backend.rucio.catalogue import rses
from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue
from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did
from dynamo_consistency.backend.rucio.catalogue.path_resolution import candidates, registered
from dynamo_consistency.backend.rucio.catalogue.replica_records import Declared, Records, Replica, spellings
from dynamo_consistency.backend.rucio.options import Options
from dynamo_consistency.backend.rucio.requests.transfer import reason

CLOCKS_DIFFER = 600
"""Seconds by which the clock of Rucio's database may be behind ours."""

_ENDS: Mapping[str, Became] = {"B": "queued", "R": "recovered", "L": "lost", "D": "removed"}
"""What the letter of a declaration means. D: nobody wants the file at the site any more, or anywhere."""


def follow(catalogue: Catalogue, options: Options, site: str, asked: Sequence[Asked]) -> list[Became]:
    """See `contract.FollowingRegistry`."""
    if not asked:
        return []
    files = list(dict.fromkeys(one.path for one in asked))
    with catalogue.reading() as connection:
        rse = rses.find(connection, catalogue, site)
        records = Records(connection, catalogue.tables, rse)
        guesses = candidates(records, rse, options, files)
        ledger = _Ledger(records, files, guesses, _time(min(one.asked_at for one in asked) - CLOCKS_DIFFER))
    return [ledger.declaration(one) if one.request == "transfer" else ledger.quarantine(one) for one in asked]


class _Ledger:
    """What the catalogue has of some files at one RSE."""

    def __init__(
        self, records: Records, files: Sequence[bytes], guesses: Mapping[bytes, Sequence[Did]], since: datetime
    ) -> None:
        self._registered = registered(records, files, guesses)
        self._dids = {
            path: {*guesses[path], *(replica.did for replica in replicas)}
            for path, replicas in self._registered.items()
        }
        self._declared = records.declared(did for dids in self._dids.values() for did in dids)
        texts = [text for path in files for text in spellings(path)]
        self._waiting, self._reaped = records.quarantined(texts), records.reaped(texts, since)

    def declaration(self, asked: Asked) -> Became:
        """Our own declaration tells; where another had made one before us, the last that was open since."""
        declared = [one for did in self._dids[asked.path] for one in self._declared.get(did, ())]
        ours = [one for one in declared if one.reason == reason(asked.run_id)]
        since = _time(asked.asked_at - CLOCKS_DIFFER)
        last = _last(ours) or _last([one for one in declared if one.updated_at >= since or one.state == "B"])
        return _ENDS.get(last.state, "unknown") if last else "unknown"

    def quarantine(self, asked: Asked) -> Became:
        texts = set(spellings(asked.path))
        if texts & self._waiting:
            return "queued"
        reaped = max((self._reaped[text] for text in texts & self._reaped.keys()), default=None)
        if reaped is None or reaped < _time(asked.asked_at - CLOCKS_DIFFER):
            return "unknown"
        return "kept" if any(_was_there(replica, reaped) for replica in self._registered[asked.path]) else "removed"


def _last(declared: Sequence[Declared]) -> Declared | None:
    return max(declared, key=lambda one: one.created_at, default=None)


def _was_there(replica: Replica, then: datetime) -> bool:
    """Was it registered then? If it came later, it has taken the place of a file that was deleted."""
    return replica.created_at <= then


def _time(seconds: float) -> datetime:
    """As the catalogue writes it."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
