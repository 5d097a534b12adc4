"""What the operator's own exposition says over 52 hours of some checks, as series of `promtool test rules`.

Time begins in 1970, as it does for promtool; a scrape an hour. Each check is what a person would call it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from consistency_operator.cluster.digest import KnownCheck, understood
from consistency_operator.metrics.exposition import METRIC_PREFIX, Metrics, OperatorState
from consistency_operator.resource.status import CheckStatus
from prometheus_client.parser import text_string_to_metric_families

HOURS = 52
COUNTED = {"listedFiles": 990, "inventoryFiles": 1000, "listedBytes": 9900, "inventoryBytes": 10000, "holes": 0}
NOTHING = {"missing": 0, "missingBytes": 0, "orphans": 0, "orphanBytes": 0, "mismatches": 0, "emptyDirectories": 0}
SHUT = {
    "closed_gates": [
        {"name": "Limits", "state": "Rejected", "message": "too many"},
        {"name": "Confirmation", "state": "Pending", "message": "wait"},
    ]
}
DELETED = [{"kind": "orphans", "confirmed": 8, "requested": 7, "refused": {"no right": 1}}]


def at(hour: float) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(hours=hour)


@dataclass
class Ended:
    """A run that was due and has ended, in hours."""

    begin: float
    end: float
    result: str = "Complete"
    reason: str = "Reported"
    counts: dict[str, int] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def status(self) -> dict[str, Any]:
        counts = COUNTED | NOTHING | self.counts if self.result == "Complete" else {"inventoryFiles": 7}
        return {"id": str(int(self.begin * 60)), "trigger": "Schedule", "start_time": at(self.begin), "counts": counts,
                "completion_time": at(self.end), "result": self.result, "reason": self.reason, **self.more}  # fmt: skip


@dataclass
class Check:
    """`stage`: of the run that goes on `since` then, and began an hour before."""

    site: str
    ended: list[Ended] = field(default_factory=list)
    stage: str = ""
    since: float = 0
    waits: str | None = None
    suspended: bool = False

    def status(self, hour: int) -> CheckStatus:
        ended = [run for run in self.ended if run.end <= hour]
        complete = [run for run in ended if run.result == "Complete"]
        run = self._run() if self.stage and self.since <= hour else None
        return CheckStatus.model_validate({
            "conditions": [condition("Ready", "Scheduled"), *([condition("Running", run["reason"])] if run else [])],
            "next_run_time": None if self.suspended else at(75),
            "last_run_time": at(ended[-1].begin) if ended else None,
            "last_successful_run_time": at(complete[-1].end) if complete else None,
            "run": run,
            "history": [run.status() for run in reversed(ended)],
        })  # fmt: skip

    def _run(self) -> dict[str, Any]:
        times = {"start_time": at(self.since - 1), "stage_start_time": at(self.since)}
        run = {"id": "3000", "trigger": "Schedule", "generation": 1, "deadline_time": at(self.since + 48)}
        return {**run, **times, "stage": self.stage, "waits_for": self.waits, "reason": self.waits or self.stage}

    def known(self, hour: int) -> KnownCheck:
        name = self.site.lower().replace("_", "-")
        metadata = {"namespace": "grid", "name": name, "uid": name, "resourceVersion": "1"}
        spec = {"site": self.site, "listing": {"roots": [{"path": "/store"}]}, "suspend": self.suspended}
        return understood({
            "apiVersion": "consistency.dynamo.io/v1alpha1", "kind": "SiteConsistencyCheck",
            "metadata": metadata | {"creationTimestamp": "1970-01-01T00:00:00Z"},
            "spec": spec | {"schedule": "0 3 * * *"}, "status": self.status(hour).to_json(),
        })  # fmt: skip


def condition(type_: str, reason: str) -> dict[str, Any]:
    return {"type": type_, "status": "True", "reason": reason, "last_transition_time": at(0)}


REMOVED = {"requestsRemoved": 6, "orphans": 8, "orphanBytes": 800, "missing": 2}
CHECKS = [
    Check("T2_Quiet", [Ended(3, 4, reason="NothingToDo"), Ended(27, 29, reason="NothingToDo"), Ended(51, 52)]),
    Check("T2_Deletes", [
        Ended(3, 4, counts={"orphans": 9, "orphanBytes": 900}),
        Ended(27, 30, reason="Completed", counts={"orphans": 9, "orphanBytes": 900}, more={"deletions": DELETED}),
        Ended(51, 51.5, reason="Completed", counts=REMOVED, more={"deletions": DELETED}),
    ]),
    Check("T2_Shut", [
        Ended(3, 4),
        Ended(27, 28, reason="GateClosed", counts={"orphans": 500, "orphanBytes": 5000, "holes": 3}, more=SHUT),
    ], stage="Listing", since=51, waits="PodsWaiting"),
    Check("T2_Fails", [Ended(3, 4, "Failed", "ListingFailed"), Ended(27, 29, "Invalid", "InvalidRun")], "Snapshot", 50),
    Check("T2_Asks", [Ended(3, 4)], stage="AwaitingApproval", since=29),
    Check("T2_Off", suspended=True),
]  # fmt: skip


def exposition(hour: int) -> bytes:
    """What a scrape gets at this hour."""
    state = OperatorState(overdue=hour / 10, places=20, places_used=2, problems=1)
    return Metrics().exposition([check.known(hour) for check in CHECKS], state)


def series() -> list[dict[str, str]]:
    """`input_series` of all that is ours; a value an hour, `_` where there is none."""
    recorded: dict[str, dict[int, float]] = {}
    for hour in range(HOURS + 1):
        for name, value in _samples(exposition(hour).decode(), pod=f"consistency-operator-{hour // 26}"):
            recorded.setdefault(name, {})[hour] = value
    return [
        {"series": name, "values": " ".join(str(values.get(hour, "_")) for hour in range(HOURS + 1))}
        for name, values in recorded.items()
    ]


def _samples(text: str, pod: str) -> Iterator[tuple[str, float]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name.startswith(METRIC_PREFIX):
                labels = {**sample.labels, "pod": pod}
                written = ", ".join(f"{name}={json.dumps(value)}" for name, value in labels.items())
                yield f"{sample.name}{{{written}}}", sample.value
