"""`actions.parquet`: for each confirmed finding what was asked, when, what was answered, and why not."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dynamo_consistency.run.action.journal import Entry, Journal
from dynamo_consistency.run.confirmation import confirmed_findings
from dynamo_consistency.run.directory import RunDirectory
from dynamo_consistency.run.gates import Facts, Gate
from dynamo_consistency.run.history import comparable_runs

ACTIONS = "actions.parquet"
LEFT_OVER = "left over"
REQUESTS = {"missing": "transfer", "mismatches": "transfer", "orphans": "delete", "emptyDirectories": "delete"}

_TIME = pa.timestamp("ms", tz="UTC")
_SCHEMA = pa.schema(
    [
        ("path", pa.binary()),
        ("kind", pa.string()),
        ("request", pa.string()),  # transfer or delete
        ("outcome", pa.string()),  # requested, waiting, refused, skipped, left over, unanswered
        ("reason", pa.string()),
        ("asked_at", _TIME),
        ("answered_at", _TIME),
        ("gates", pa.string()),  # JSON
    ]
)
_ROWS = 10_000

Row = dict[str, Any]


def write_actions(run: RunDirectory, facts: Facts, gates: list[Gate], journal: Journal) -> dict[str, Any]:
    """Write `actions.parquet` from the journal; returns the numbers for each kind that was enforced."""
    told = json.dumps([gate.as_dict() for gate in gates])
    rows = [_row(entry) for entry in journal.entries]
    settled = journal.settled
    if settled or journal.asked:
        for kind in facts.enforced:
            for finding in confirmed_findings(facts.confirmed[kind].runs, kind) if facts.confirmed[kind].runs else ():
                if finding["path"] not in settled:
                    unanswered = finding["path"] in journal.asked
                    rows.append(_open_row(finding["path"], kind, "unanswered" if unanswered else LEFT_OVER))
    with run.writing(ACTIONS) as target, pq.ParquetWriter(target, _SCHEMA, compression="zstd") as writer:
        for start in range(0, len(rows), _ROWS):
            part = [row | {"gates": told} for row in rows[start : start + _ROWS]]
            writer.write_table(pa.Table.from_pylist(part, schema=_SCHEMA))
    return {kind: _numbers(rows, kind, facts.confirmed[kind].count) for kind in facts.enforced}


def left_over_before(run: RunDirectory, kind: str) -> set[bytes]:
    """What the run before wanted to ask for and had no budget for."""
    earlier = comparable_runs(run.store, run)
    if not earlier or not earlier[-1].exists(ACTIONS):
        return set()
    with earlier[-1].reading(ACTIONS) as path:
        filters = [("kind", "=", kind), ("outcome", "=", LEFT_OVER)]
        return set(pq.read_table(path, columns=["path"], filters=filters)["path"].to_pylist())


def _row(entry: Entry) -> Row:
    return {
        "path": entry.path,
        "kind": entry.kind,
        "request": REQUESTS[entry.kind],
        "outcome": entry.result,
        "reason": entry.reason,
        "asked_at": None if entry.asked_at is None else datetime.fromtimestamp(entry.asked_at, UTC),
        "answered_at": datetime.fromtimestamp(entry.answered_at, UTC),
    }


def _open_row(path: bytes, kind: str, outcome: str) -> Row:
    return {"path": path, "kind": kind, "request": REQUESTS[kind], "outcome": outcome, "reason": ""}


def _numbers(rows: list[Row], kind: str, confirmed: int) -> dict[str, Any]:
    of_kind = [row for row in rows if row["kind"] == kind]
    outcomes = Counter(row["outcome"] for row in of_kind)
    reasons = Counter((row["outcome"], row["reason"].split(":")[0]) for row in of_kind)
    return {
        "request": REQUESTS[kind],
        "confirmed": confirmed,
        "requested": outcomes["requested"],
        "waiting": outcomes["waiting"],
        "refused": {reason: number for (outcome, reason), number in reasons.items() if outcome == "refused"},
        "skipped": {reason: number for (outcome, reason), number in reasons.items() if outcome == "skipped"},
        "unanswered": outcomes["unanswered"],
        "leftOver": outcomes[LEFT_OVER],
    }
