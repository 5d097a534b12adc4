"""Requests whose reason is gone before they are carried out: withdrawn where the registry can, else told (gate 11).

An orphan that is registered meanwhile would be deleted although the inventory claims it; a missing file that is back
would be dropped to be fetched anew. To withdraw is always safe: what is needed after all is asked for again.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dynamo_consistency import paths
from dynamo_consistency.backend.contract import Backend, FollowingRegistry, WithdrawingRegistry, Withdrawn
from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.action import requests as registry_calls
from dynamo_consistency.run.action.followup import WITHDRAWN_COUNTS
from dynamo_consistency.run.action.reasons_gone import BACK, GONE, look_at, why_gone
from dynamo_consistency.run.action.waiting_requests import WaitingRequest, waiting_requests
from dynamo_consistency.run.records.history import WITHDRAWN
from dynamo_consistency.run.records.notes import note
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.secrets import redact

log = logging.getLogger(__name__)

_BATCH = 1000
_CANNOT: list[Withdrawn] = ["cannot"]
_SHOWN = 10
_SCHEMA = pa.schema(
    [
        ("path", pa.binary()),
        ("request", pa.string()),  # transfer or delete
        ("run_id", pa.string()),
        ("asked_at", pa.timestamp("ms", tz="UTC")),
        ("outcome", pa.string()),  # one of contract.Withdrawn
        ("reason", pa.string()),
    ]
)
_SENTENCES = {
    "withdrawn": "requests of earlier runs were withdrawn, because their reason is gone",
    "cannot": "requests of earlier runs still wait, as far as can be told, although their reason is gone, and cannot "
    "be withdrawn here; take them back before they are carried out",
}


def withdraw_outlived(run: RunDirectory, backend: Backend) -> dict[str, int]:
    """Withdraw what `run`, which is compared, has no reason for any more; writes `withdrawn.parquet` and notes.

    Returns the numbers by `WITHDRAWN_COUNTS`; empty where there is nothing of the kind. A registry that does not
    answer, or an earlier run that cannot be read, is no harm to this one: the next run tries again.
    """
    if not run.exists(WITHDRAWN):
        try:
            outlived = _outlived(run, backend)
        except (ConsistencyError, duckdb.Error, OSError) as error:
            sentence = f"which requests of earlier runs have outlived their reason is not known: {redact(str(error))}"
            log.warning("%s", sentence)
            note(run, "withdrawal", [sentence])
            return {}
        if not outlived:
            return {}
        asked = [request for request, _ in outlived]
        _write(run, outlived, _withdraw(run, backend, asked))
    with run.reading(WITHDRAWN) as path:
        rows = pq.read_table(path).to_pylist()
    _tell(run, rows)
    outcomes = Counter(row["outcome"] for row in rows)
    return {name: outcomes[outcome] for outcome, name in WITHDRAWN_COUNTS.items() if outcomes[outcome]}


def _outlived(run: RunDirectory, backend: Backend) -> list[tuple[WaitingRequest, str]]:
    """The requests that still wait without a reason, and why it is gone.

    Where nobody can say whether a request still waits, one that seems to have been carried out does not.
    """
    waiting = waiting_requests(run, backend.registry)
    if not waiting:
        return []
    knows = isinstance(backend.registry, FollowingRegistry | WithdrawingRegistry)
    seen = look_at(run, waiting)
    reasons = ((request, why_gone(request, seen)) for request in waiting)
    return [(request, why) for request, why in reasons if why and (knows or why not in (BACK, GONE))]


def _withdraw(run: RunDirectory, backend: Backend, requests: Sequence[WaitingRequest]) -> list[Withdrawn]:
    registry = backend.registry
    outcomes: list[Withdrawn] = []
    if isinstance(registry, WithdrawingRegistry):
        try:
            for start in range(0, len(requests), _BATCH):
                made = [request.made for request in requests[start : start + _BATCH]]
                outcomes += registry_calls.withdraw(registry, run.site, made)
        except ConsistencyError as error:
            log.warning("not all requests without a reason could be withdrawn: %s", error)
    unanswered = len(requests) - len(outcomes)
    return outcomes + unanswered * _CANNOT


def _write(run: RunDirectory, outlived: Sequence[tuple[WaitingRequest, str]], outcomes: Sequence[Withdrawn]) -> None:
    columns = {
        "path": [request.asked.path for request, _ in outlived],
        "request": [request.asked.request for request, _ in outlived],
        "run_id": [request.asked.run_id for request, _ in outlived],
        "asked_at": [int(request.asked.asked_at * 1000) for request, _ in outlived],
        "outcome": list(outcomes),
        "reason": [why for _, why in outlived],
    }
    with run.writing(WITHDRAWN) as target:
        pq.write_table(pa.table(columns, schema=_SCHEMA), target, compression="zstd")


def _tell(run: RunDirectory, rows: Sequence[dict[str, Any]]) -> None:
    sentences = []
    for outcome, sentence in _SENTENCES.items():
        some = [row for row in rows if row["outcome"] == outcome]
        if some:
            shown = "; ".join(
                f"{row['request']} {paths.visible(row['path'])}: {row['reason']}" for row in some[:_SHOWN]
            )
            more = f"; and {len(some) - _SHOWN} more, see {WITHDRAWN}" if len(some) > _SHOWN else ""
            sentences.append(f"{len(some)} {sentence}: {shown}{more}")
            log.warning("%s", sentences[-1])
    note(run, "withdrawal", sentences)
