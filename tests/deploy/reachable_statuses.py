"""Every kind of status that the operator writes, found by letting all that can happen happen."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from consistency_operator.cluster.job_state import JobState
from consistency_operator.cluster.worker_result import WorkerResult
from consistency_operator.names import JOB_STAGES, JobStage, job_name
from consistency_operator.plan import Preflight, World, plan
from consistency_operator.plan.admission import Admitted, Queued
from consistency_operator.resource.check import from_body
from consistency_operator.resource.status import CheckStatus, GateRecord
from consistency_operator.resource.status_reading import read_status

NAME = "t2-de-rwth"
BEGIN = datetime(2026, 11, 22, 3, 5, tzinfo=UTC)
SPEC: dict[str, Any] = {"site": "T2_DE_RWTH", "schedule": "0 3 * * 0", "listing": {"roots": [{"path": "/store"}]}}
SPECS = {
    "armed": SPEC,
    "manual": {key: value for key, value in SPEC.items() if key != "schedule"} | {"trigger": {"manual": "now"}},
    "suspended": SPEC | {"suspend": True},
    "refused": SPEC | {"schedule": "never"},
}
LATER = (0, 3, 8, 15)
COUNTS = {"listedFiles": 10, "missing": 1, "orphans": 0, "mismatches": 0, "emptyDirectories": 0}
OPEN, WAITS, SHUT = (GateRecord(name="Approval", state=state) for state in ("Ready", "Pending", "Rejected"))


def body(spec: str) -> dict[str, Any]:
    return {
        "apiVersion": "consistency.dynamo.io/v1alpha1",
        "kind": "SiteConsistencyCheck",
        "metadata": {
            "name": NAME,
            "namespace": "consistency",
            "uid": "0e1f0c9c-6a53-4cf5-8bd7-3ee0b4a5a2a1",
            "generation": 3,
            "creationTimestamp": "2026-11-16T00:00:00Z",
        },
        "spec": SPECS[spec],
    }


def reachable(spec: str) -> list[dict[str, Any]]:
    """The check with statuses that can come about: each stage, and each condition with each reason, stands in one."""
    seen: set[Any] = set()
    found: list[CheckStatus] = []
    new = [CheckStatus()]
    resource = from_body(body(spec))
    while new:
        status = new.pop()
        for jobs, world, days in _what_may_be(status):
            later = plan(resource, read_status(status.to_json()), jobs, BEGIN + timedelta(days=days), world).status
            if _said(later) - seen:
                seen |= _said(later)
                found.append(later)
                new.append(later)
    return [body(spec) | {"status": status.to_json()} for status in found]


def _said(status: CheckStatus) -> set[Any]:
    stage = status.run and status.run.stage
    jobs = [(job.stage, job.uid is not None) for job in status.run.jobs] if status.run else []
    return {stage, *jobs, *((one.type, one.status, one.reason) for one in status.conditions)}


def _what_may_be(status: CheckStatus) -> Iterator[tuple[list[JobState], World, int]]:
    """Jobs, the world, and days since the beginning."""
    run = status.run.id if status.run else ""
    if status.run is None or status.run.stage in ("Queued", "Preparing"):
        return itertools.product([[]], _worlds(run), LATER)
    done = [_job(stage, run, "Complete") for stage in JOB_STAGES[: _jobs_asked_for(status)]]
    now = [[], *([job] for job in _fates(JOB_STAGES[min(len(done), len(JOB_STAGES) - 1)], run))]
    return itertools.product([done + more for more in now], [World()], LATER)


def _worlds(run: str) -> Iterator[World]:
    answers = [
        None,
        Preflight(run, BEGIN, ok=True),
        Preflight(run, BEGIN, False, "SiteNotReady"),
        Preflight(run, BEGIN, False, "BackendUnreachable"),
    ]
    return (World(turn, answer) for turn in (Queued(run, "waits"), Admitted(run)) for answer in answers)


def _jobs_asked_for(status: CheckStatus) -> int:
    return max(len(status.run.jobs) - 1, 0) if status.run else 0


def _fates(stage: JobStage, run: str) -> Iterator[JobState]:
    for gate in (OPEN, WAITS, SHUT):
        yield _job(stage, run, "Complete", gate)
    for state in ("Running", "Failed", "Foreign", "Refused"):
        yield _job(stage, run, state)
    yield JobState(stage, run, job_name(NAME, run, stage), uid="u", state="Failed", misconfigured=True)


def _job(stage: JobStage, run: str, state: Any, gate: GateRecord = OPEN) -> JobState:
    result = WorkerResult(stage, run, 0, "Complete", counts=COUNTS, gates=(gate,))
    return JobState(
        stage, run, job_name(NAME, run, stage), uid="u", state=state, results=(result,), completed_indexes="0"
    )
