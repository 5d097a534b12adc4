"""What the tests of the plan are made of: a check, its runs and Jobs, in the words of the tables."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from consistency_operator import names
from consistency_operator.cluster.job_state import JobState, JobStateName
from consistency_operator.cluster.worker_result import WorkerResult
from consistency_operator.names import JobStage
from consistency_operator.plan import Plan, Preflight, World, plan
from consistency_operator.plan.admission import Admitted
from consistency_operator.plan.types import Action
from consistency_operator.resource.check import Resource
from consistency_operator.resource.status import CheckStatus, GateRecord, JobRecord, Refusal, Run, Stage

from dynamo_consistency.check import SiteConsistencyCheck

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RUN = str(int(NOW.timestamp()) // 60 - 60)
"""A run that was due an hour ago."""

SUNDAYS: Mapping[str, Any] = {"schedule": "0 3 * * 0"}
GATES = ("Inventory", "ListingHealth", "Limits", "Confirmation", "Mode", "Approval", "Acting")
FOUND = {"missing": 3, "orphans": 40, "mismatches": 0, "emptyDirectories": 2, "listedFiles": 1000}
CLEAN = dict.fromkeys(("missing", "orphans", "mismatches", "emptyDirectories"), 0)


def check(**spec: Any) -> SiteConsistencyCheck:
    """A check that is only run by hand, with `spec` as a person writes it laid over it."""
    return SiteConsistencyCheck.model_validate(
        {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {"name": "t2-x"},
            "spec": {"site": "T2_X", "listing": {"roots": [{"path": "/store/mc"}]}, **spec},
        }
    )


def resource(annotations: Mapping[str, str] | None = None, *, deleting: bool = False, **spec: Any) -> Resource:
    return Resource(
        namespace="grid",
        name="t2-x",
        uid="uid-of-check",
        generation=4,
        created=NOW - 100 * DAY,
        check=check(**spec),
        deleting=deleting,
        annotations=annotations or {},
    )


def invalid(errors: str = "spec.listing.roots: is missing") -> Resource:
    return replace(resource(), check=None, errors=errors)


def job(stage: JobStage, state: JobStateName = "Running", run_id: str = RUN, **more: Any) -> JobState:
    name = names.job_name("t2-x", run_id, stage)
    ended = {"finished": NOW - MINUTE} if state in ("Complete", "Failed") else {}
    return JobState(stage, run_id, name, **{"uid": f"uid-{stage}-{run_id}", "state": state, **ended, **more})


def reported(stage: JobStage, **more: Any) -> WorkerResult:
    """The message of a worker that came to its end."""
    return WorkerResult(stage, RUN, 0, "Complete", **more)


def gates(**closed: str) -> tuple[GateRecord, ...]:
    """All gates, open but for `closed`: its state by name."""
    states: Mapping[str, Any] = {**dict.fromkeys(GATES, "Ready"), **closed}
    return tuple(GateRecord(name=name, state=state, message=f"{name} is {state}") for name, state in states.items())


def comparison(counts: Mapping[str, int] = FOUND, **closed: str) -> JobState:
    """A comparison that came to its end, with these gates closed."""
    return job("Comparison", "Complete", results=(reported("Comparison", counts=dict(counts), gates=gates(**closed)),))


def record(
    stage: JobStage,
    *,
    seen: bool = True,
    asked: datetime = NOW - 30 * MINUTE,
    refused: bool = False,
    hindered: datetime | None = None,
) -> JobRecord:
    of = job(stage)
    refusal = Refusal(attempts=1, message="exceeded quota", request_time=asked) if refused else None
    return JobRecord(
        stage=stage,
        name=of.name,
        uid=of.uid if seen else None,
        request_time=asked,
        refusal=refusal,
        hindered_time=hindered,
    )


def run_in(stage: Stage, jobs: Iterable[JobRecord] = (), **more: Any) -> Run:
    """A run that has been in `stage` for half an hour."""
    deadline = None if stage == "Queued" else NOW + DAY
    fields: dict[str, Any] = {
        "id": RUN,
        "trigger": "Manual",
        "generation": 4,
        "start_time": NOW - HOUR,
        "deadline_time": deadline,
        "stage": stage,
        "stage_start_time": NOW - 30 * MINUTE,
        "jobs": list(jobs),
    }
    return Run(**(fields | more))


def status_of(run: Run | None = None, **more: Any) -> CheckStatus:
    """The status of a check that is on by hand, as a plan leaves it."""
    base = plan(resource(), CheckStatus(run=run), (), NOW - 2 * HOUR, World()).status if run is None else CheckStatus()
    return base.model_copy(update={"run": run, "observed_generation": 4, **more})


def planned(
    of: Resource, status: CheckStatus, *jobs: JobState, now: datetime = NOW, world: World | None = None
) -> Plan:
    return plan(of, status, jobs, now, world or World())


ADMITTED = World(admission=Admitted(RUN))
READY = World(preflight=Preflight(RUN, NOW, ok=True))


def kinds(actions: Iterable[Action]) -> list[str]:
    """Actions in short: `CreateJob Listing`, `AskBackend`."""
    return [" ".join(filter(None, [type(action).__name__, getattr(action, "stage", "")])) for action in actions]


def story(result: Plan) -> str:
    """What a plan makes of its check, on one line: the stage, or how the run ended; and what is to be done."""
    run = result.status.run
    if run is not None:
        where = run.stage
    elif result.status.history:
        where = f"{result.status.history[0].result}/{result.status.history[0].reason}"
    else:
        where = "idle"
    return " + ".join([where, *kinds(result.actions)])
