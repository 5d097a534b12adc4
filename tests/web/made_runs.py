"""Stores with runs as the pipeline leaves them, made in no time: what the web service reads, and nothing else."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dynamo_consistency.finding_columns import COLUMNS
from dynamo_consistency.kinds import FINDING_KINDS, KIND_BY_NAME

_TYPES = {"BLOB": pa.binary(), "BIGINT": pa.int64(), "VARCHAR": pa.string()}
FINDINGS = pa.schema([(column.name, _TYPES[column.type]) for column in COLUMNS])
ACTIONS = pa.schema(
    [
        *((name, pa.binary() if name == "path" else pa.string()) for name in ("path", "kind", "request", "outcome")),
        ("reason", pa.string()),
        ("asked_at", pa.timestamp("ms", tz="UTC")),
        ("answered_at", pa.timestamp("ms", tz="UTC")),
        ("gates", pa.string()),
    ]
)
FOLLOWED = pa.schema(
    [
        ("path", pa.binary()),
        ("request", pa.string()),
        ("run_id", pa.string()),
        ("asked_at", pa.timestamp("ms", tz="UTC")),
        ("became", pa.string()),
    ]
)
GATES = ("Inventory", "ListingHealth", "Limits", "Confirmation", "Mode", "Approval", "Acting")


def ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


@dataclass
class Made:
    """A run to be made. closed: gates that are not Ready, name → (state, message). policy, schedule: of the check."""

    site: str = "T2_X"
    check: str = "t2-x"
    start: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(hours=1))
    result: str | None = "Complete"
    reason: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    closed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    actions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    schedule: str | None = None
    policy: Mapping[str, Any] = field(default_factory=dict)
    namespace: str | None = None

    def __post_init__(self) -> None:
        self.start = self.start.replace(microsecond=0)  # as ids and summaries have it

    @property
    def run_id(self) -> str:
        return f"{self.start:%Y%m%dT%H%M%SZ}-{self.check}"

    def write(self, store: Path) -> Path:
        """The run directory, with its check, its claim and (unless `result` is None) its summary."""
        folder = store / self.site / self.run_id
        folder.mkdir(parents=True)
        owner = {"name": self.check, "namespace": self.namespace, "uid": None}
        (folder / "claim.json").write_text(json.dumps(owner))
        (folder / "check.yaml").write_text(json.dumps(self._resource()))
        if self.result is not None:
            (folder / "summary.json").write_text(json.dumps(self._summary()))
        return folder

    def _resource(self) -> dict[str, Any]:
        spec = {"site": self.site, "listing": {"roots": [{"path": "/store"}]}, "policy": self.policy}
        return {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": self.check, "namespace": self.namespace},
            "spec": spec | ({"schedule": self.schedule} if self.schedule else {}),
        }

    def _summary(self) -> dict[str, Any]:
        at = self.start.timestamp()
        return {
            "site": self.site,
            "runId": self.run_id,
            "result": self.result,
            "reason": self.reason,
            "counts": self._counts(),
            "gates": [self._gate(name) for name in GATES],
            "actions": self.actions,
            "backend": "default",
            "startTime": f"{self.start:%Y-%m-%dT%H:%M:%SZ}",
            "endTime": f"{self.start + timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ}",
            "roots": {"/store": {}},
            "snapshots": {"before": {"takenAt": at, "rows": 1000}, "after": {"takenAt": at + 300, "rows": 1000}},
            "holes": [],
            "notes": [],
            "listing": {"source": "posix /site", "firstListedAt": at + 60, "lastListedAt": at + 240},
            "artifacts": {},
        }

    def _counts(self) -> dict[str, int]:
        if self.result != "Complete":
            return {}
        sides = {"listedFiles": 1000, "listedDirectories": 10, "listedBytes": 10**6}
        known = {"inventoryFiles": 1000, "inventoryBytes": 10**6, "expectedFiles": 1000, "holes": 0}
        kinds = [kind for kind in FINDING_KINDS if not kind.of_unmerged_area]
        found = {kind.name: 0 for kind in kinds} | {kind.bytes_name: 0 for kind in kinds if kind.bytes_name}
        return sides | known | found | dict(self.counts)

    def _gate(self, name: str) -> dict[str, str]:
        state, message = self.closed.get(name, ("Ready", f"{name} is open"))
        return {"name": name, "state": state, "observed": "1", "limit": "2", "message": message}


def action(request: str, confirmed: int, **numbers: Any) -> dict[str, Any]:
    """What a summary says of the requests of one kind."""
    nothing = {"requested": 0, "waiting": 0, "refused": {}, "skipped": {}, "unanswered": 0, "leftOver": 0}
    return {"request": request, "confirmed": confirmed, **nothing, "heldBack": {}, **numbers}


def write_findings(run: Path, kind: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """The findings of a kind; what a row does not say is null."""
    file = run / KIND_BY_NAME[kind].file  # type: ignore[index]
    file.parent.mkdir(exist_ok=True)
    table = pa.Table.from_pylist([{"root": "/store", **row} for row in rows], schema=FINDINGS)
    pq.write_table(table, file, compression="zstd")


def write_actions(run: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(list(rows), schema=ACTIONS), run / "actions.parquet")


def write_followed(run: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(list(rows), schema=FOLLOWED), run / "followed.parquet")
