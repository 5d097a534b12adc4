"""What became of the requests of earlier runs, as the registry reports it when the next run is compared.

Those of the complete run before this one are followed, and what was still on its way when that run asked. A request
that is settled is reported once.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import get_args

import pyarrow as pa
import pyarrow.parquet as pq

from dynamo_consistency.backend.contract import Asked, Backend, Became, FollowingRegistry
from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.action.directory_removal import REMOVED
from dynamo_consistency.run.records.damage import rows_of
from dynamo_consistency.run.records.history import ACTIONS, FOLLOWED, WITHDRAWN, last_before
from dynamo_consistency.run.store.run_directory import RunDirectory

log = logging.getLogger(__name__)

_BATCH = 1000
_ON_THE_WAY = ("requested", "waiting", "unanswered")
_OVER = ("withdrawn", "unknown")
_SCHEMA = pa.schema(
    [
        ("path", pa.binary()),
        ("request", pa.string()),  # transfer or delete
        ("run_id", pa.string()),
        ("asked_at", pa.timestamp("ms", tz="UTC")),
        ("became", pa.string()),  # one of contract.Became
    ]
)

FOLLOWED_COUNTS: dict[Became, str] = {became: f"requests{became.capitalize()}" for became in get_args(Became)}
"""What `summary.json` calls the number of requests of which this became."""
WITHDRAWN_COUNTS = {"withdrawn": "requestsWithdrawn", "cannot": "requestsOutliving"}
"""What it calls the numbers of requests that were withdrawn (see `withdrawal.py`), and of those that still wait."""


def follow_up(run: RunDirectory, backend: Backend) -> dict[str, int]:
    """Write `followed.parquet`; how many requests became what. Empty where there are none, or the registry cannot say.

    A registry that does not answer is no harm to the run: its requests are followed by the next one.
    """
    registry = backend.registry
    if not isinstance(registry, FollowingRegistry) or (before := last_before(run.store, run)) is None:
        return {}
    asked = list({(one.path, one.request): one for one in (*_still_queued(before), *_asked_by(before))}.values())
    if not asked:
        return {}
    try:
        became = [word for some in _in_batches(asked) for word in registry.follow(run.site, some)]
    except ConsistencyError as error:
        log.warning("what became of %d requests is not known now: %s", len(asked), error)
        became = ["queued"] * len(asked)
    _write(run, asked, became)
    return {FOLLOWED_COUNTS[word]: number for word, number in Counter(became).items()}


def _asked_by(run: RunDirectory) -> Iterator[Asked]:
    """What `run` asked for."""
    for row in rows_of(run, ACTIONS, [("outcome", "in", list(_ON_THE_WAY)), ("reason", "!=", REMOVED)]):
        if row["asked_at"] is not None:
            yield Asked(row["path"], row["request"], run.run_id, row["asked_at"].timestamp())


def _still_queued(run: RunDirectory) -> Iterator[Asked]:
    """What was on its way when `run` followed it, but for what was withdrawn then, or was none of ours."""
    over = {(row["path"], row["request"]) for row in rows_of(run, WITHDRAWN, [("outcome", "in", list(_OVER))])}
    for row in rows_of(run, FOLLOWED, [("became", "==", "queued")]):
        if (row["path"], row["request"]) not in over:
            yield Asked(row["path"], row["request"], row["run_id"], row["asked_at"].timestamp())


def _in_batches(asked: list[Asked]) -> Iterator[list[Asked]]:
    return (asked[start : start + _BATCH] for start in range(0, len(asked), _BATCH))


def _write(run: RunDirectory, asked: list[Asked], became: list[Became]) -> None:
    columns = {
        "path": [one.path for one in asked],
        "request": [one.request for one in asked],
        "run_id": [one.run_id for one in asked],
        "asked_at": [int(one.asked_at * 1000) for one in asked],
        "became": became,
    }
    with run.writing(FOLLOWED) as target:
        pq.write_table(pa.table(columns, schema=_SCHEMA), target, compression="zstd")
