"""`actions.parquet`: for each confirmed finding what was asked, when, what was answered, and why not."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from dynamo_consistency.kinds import KIND_BY_NAME
from dynamo_consistency.run.action.held_back import held_back
from dynamo_consistency.run.action.journal import FindingKey, Journal, JournalEntry
from dynamo_consistency.run.gates import Facts, Gate, all_ready
from dynamo_consistency.run.records.damage import rows_of
from dynamo_consistency.run.records.history import ACTIONS, comparable_runs
from dynamo_consistency.run.store.run_directory import RunDirectory

LEFT_OVER = "left over"

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
_ASKED = ("requested", "waiting", "refused", "unanswered")

ActionRow = dict[str, Any]


class AskedBefore(NamedTuple):
    """The last earlier run that asked for a finding, by its number, oldest first; and whether it got no answer."""

    run: int
    unanswered: bool


def write_actions(run: RunDirectory, facts: Facts, gates: list[Gate], journal: Journal) -> dict[str, Any]:
    """Write `actions.parquet` from the journal; returns the numbers for each kind that was enforced."""
    gates_as_json = json.dumps([gate.as_dict() for gate in gates])
    rows = [_row(entry) for entry in journal.entries]
    if rows or all_ready(gates):
        withheld = held_back(facts)
        rows += [
            _left_over(finding["path"], kind, withheld(kind, finding) or "")
            for kind in facts.enforced
            if facts.confirmed[kind].count
            for finding in facts.confirmed[kind].findings(kind)
            if journal.is_open(kind, finding["path"])
        ]
    _write(run, rows, gates_as_json)
    return {kind: _numbers(rows, kind, facts.confirmed[kind].count) for kind in facts.enforced}


def write_from_journal(run: RunDirectory, journal: Journal) -> None:
    """Write `actions.parquet` of a run whose action died; the values of its gates are in the journal only."""
    _write(run, [_row(entry) for entry in journal.entries], "[]")


def _write(run: RunDirectory, rows: list[ActionRow], gates_as_json: str) -> None:
    with run.writing(ACTIONS) as target, pq.ParquetWriter(target, _SCHEMA, compression="zstd") as writer:
        for start in range(0, len(rows), _ROWS):
            part = [row | {"gates": gates_as_json} for row in rows[start : start + _ROWS]]
            writer.write_table(pa.Table.from_pylist(part, schema=_SCHEMA))


def asked_before(run: RunDirectory) -> dict[FindingKey, AskedBefore]:
    """What the comparable runs before have asked for, whatever was answered."""
    asked: dict[FindingKey, AskedBefore] = {}
    for number, earlier in enumerate(comparable_runs(run.store, run)):
        for row in rows_of(earlier, ACTIONS, [("outcome", "in", list(_ASKED))], ["kind", "path", "outcome"]):
            asked[row["kind"], row["path"]] = AskedBefore(number, row["outcome"] == "unanswered")
    return asked


def _row(entry: JournalEntry) -> ActionRow:
    return {
        "path": entry.path,
        "kind": entry.kind,
        "request": KIND_BY_NAME[entry.kind].request,
        "outcome": entry.result,
        "reason": entry.reason,
        "asked_at": _time(entry.asked_at),
        "answered_at": _time(entry.answered_at),
    }


def _left_over(path: bytes, kind: str, reason: str) -> ActionRow:
    """`reason`: empty where only the budget, or what ended the action, is in the way."""
    return {"path": path, "kind": kind, "request": KIND_BY_NAME[kind].request, "outcome": LEFT_OVER, "reason": reason}


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _numbers(rows: list[ActionRow], kind: str, confirmed: int) -> dict[str, Any]:
    of_kind = [row for row in rows if row["kind"] == kind]
    outcomes = Counter(row["outcome"] for row in of_kind)
    reasons = Counter((row["outcome"], row["reason"].split(":")[0]) for row in of_kind)
    return {
        "request": KIND_BY_NAME[kind].request,
        "confirmed": confirmed,
        "requested": outcomes["requested"],
        "waiting": outcomes["waiting"],
        "refused": {reason: number for (outcome, reason), number in reasons.items() if outcome == "refused"},
        "skipped": {reason: number for (outcome, reason), number in reasons.items() if outcome == "skipped"},
        "unanswered": outcomes["unanswered"],
        "leftOver": reasons[LEFT_OVER, ""],
        "heldBack": {
            reason: number for (outcome, reason), number in reasons.items() if outcome == LEFT_OVER and reason
        },
    }
