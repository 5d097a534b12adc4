"""The table of stages: what a plan does for every stage, every fate of its Job, and whatever people do meanwhile."""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import pytest
from consistency_operator.cluster.job_state import JobState
from consistency_operator.cluster.worker_result import WorkerResult
from consistency_operator.names import JOB_STAGES, JobStage
from consistency_operator.plan import Preflight, World
from consistency_operator.plan.admission import Admitted
from consistency_operator.plan.admission import Queued as QueuedBehind
from consistency_operator.plan.job_stages import SEEN_WITHIN
from consistency_operator.resource.check import Resource
from consistency_operator.resource.status import Run, Stage, Trial
from plan_cases import (
    ADMITTED,
    DAY,
    FOUND,
    HOUR,
    MINUTE,
    NOW,
    READY,
    RUN,
    SUNDAYS,
    gates,
    invalid,
    job,
    planned,
    record,
    reported,
    resource,
    run_in,
    status_of,
    story,
)

RESULTS: dict[JobStage, tuple[WorkerResult, ...]] = {
    "Snapshot": (reported("Snapshot", counts={"inventoryFiles": 1000, "inventoryBytes": 5}),),
    "Listing": tuple(reported("Listing", shard=n, counts={"files": 5, "directories": 1, "holes": 0}) for n in range(4)),
    "Comparison": (reported("Comparison", counts=FOUND, gates=gates(Mode="Pending")),),
    "Action": (reported("Action", gates=gates()),),
}


class Fate(NamedTuple):
    """What the status has recorded of the Job of a stage, and what there is."""

    recorded: bool = True
    seen: bool = True
    jobs: tuple[JobState, ...] = ()
    asked: datetime = NOW - 30 * MINUTE
    deadline: datetime = NOW + DAY


def fate(name: str, stage: JobStage) -> Fate:
    problem = "it broke"
    fates = {
        "not asked for": Fate(recorded=False),
        "asked for just now": Fate(seen=False, asked=NOW - MINUTE / 2),
        "never seen": Fate(seen=False, asked=NOW - SEEN_WITHIN),
        "running": Fate(jobs=(job(stage),)),
        "complete": Fate(jobs=(job(stage, "Complete", results=RESULTS[stage]),)),
        "complete, seen for the first time": Fate(seen=False, jobs=(job(stage, "Complete", results=RESULTS[stage]),)),
        "failed": Fate(jobs=(job(stage, "Failed", problem=problem),)),
        "misconfigured": Fate(jobs=(job(stage, "Failed", problem=problem, misconfigured=True),)),
        "vanished": Fate(),
        "another of that name": Fate(jobs=(job(stage, uid="another"),)),
        "foreign": Fate(jobs=(job(stage, "Foreign", uid=""),)),
        "of an earlier check": Fate(recorded=False, jobs=(job(stage, "Leaving", uid=""),)),
        "of an earlier check, asked for": Fate(seen=False, jobs=(job(stage, "Leaving", uid=""),)),
        "of an earlier check, deadline over": Fate(recorded=False, jobs=(job(stage, "Leaving", uid=""),), deadline=NOW),
        "refused": Fate(jobs=(job(stage, "Refused", uid="", problem="too much memory"),)),
        "running, deadline over": Fate(jobs=(job(stage),), deadline=NOW),
        "complete, deadline over": Fate(jobs=(job(stage, "Complete", results=RESULTS[stage]),), deadline=NOW),
        "not asked for, deadline over": Fate(recorded=False, deadline=NOW),
        "stopped by its deadline": Fate(jobs=(job(stage, "Failed", reason="DeadlineExceeded"),)),
    }
    return fates[name]


FAILS = {stage: f"Failed/{stage}Failed" for stage in JOB_STAGES}
NEXT = {
    "Snapshot": "Listing + CreateJob Listing",
    "Listing": "Comparison + CreateJob Comparison",
    "Comparison": "Complete/Reported",
    "Action": "Complete/Completed",
}
ASKED_AGAIN = {stage: f"{stage} + CreateJob {stage}" for stage in JOB_STAGES} | {"Action": "Failed/JobVanished"}
TOO_LATE = dict.fromkeys(JOB_STAGES, "Failed/DeadlineExceeded")

TABLE: dict[str, dict[str, str]] = {
    "not asked for": {stage: f"{stage} + CreateJob {stage}" for stage in JOB_STAGES},
    "asked for just now": {stage: stage for stage in JOB_STAGES},
    "never seen": ASKED_AGAIN,
    "running": {stage: stage for stage in JOB_STAGES},
    "complete": NEXT,
    "complete, seen for the first time": NEXT,
    "failed": FAILS,
    "misconfigured": dict.fromkeys(JOB_STAGES, "Failed/Misconfigured"),
    "vanished": dict.fromkeys(JOB_STAGES, "Failed/JobVanished"),
    "another of that name": dict.fromkeys(JOB_STAGES, "Failed/JobVanished + DeleteJob"),
    "foreign": dict.fromkeys(JOB_STAGES, "Failed/JobForeign"),
    "of an earlier check": {stage: f"{stage} + CreateJob {stage}" for stage in JOB_STAGES},
    "of an earlier check, asked for": {stage: f"{stage} + CreateJob {stage}" for stage in JOB_STAGES},
    "of an earlier check, deadline over": TOO_LATE,
    "refused": dict.fromkeys(JOB_STAGES, "Failed/JobRefused"),
    "running, deadline over": dict.fromkeys(JOB_STAGES, "Failed/DeadlineExceeded + DeleteJob"),
    "complete, deadline over": {**TOO_LATE, "Comparison": "Complete/Reported", "Action": "Complete/Completed"},
    "not asked for, deadline over": TOO_LATE,
    "stopped by its deadline": TOO_LATE,
}

MEANWHILE: dict[str, Resource] = {
    "nothing": resource(),
    "suspended": resource(suspend=True),
    "spec edited": replace(resource(listing={"roots": [{"path": "/store/data"}], "shards": 9}), generation=5),
    "schedule edited": replace(resource(schedule="*/5 * * * *"), generation=5),
}


def of_run(stage: JobStage, was: Fate) -> Run:
    earlier = [record(done) for done in JOB_STAGES[: JOB_STAGES.index(stage)]]
    own = [record(stage, seen=was.seen, asked=was.asked)] if was.recorded else []
    return run_in(stage, earlier + own, deadline_time=was.deadline, counts={"missing": 3}, gates=list(gates()))


ROWS = [(name, stage) for name, row in TABLE.items() for stage in row]
OF_THE_CLOCK_ALONE = (
    "never seen",
    "running, deadline over",
    "not asked for, deadline over",
    "complete, deadline over",
    "of an earlier check, deadline over",
)


@pytest.mark.parametrize("meanwhile", MEANWHILE)
@pytest.mark.parametrize(("name", "stage"), ROWS)
def test_a_stage_whatever_people_do_meanwhile(stage: JobStage, name: str, meanwhile: str) -> None:
    _stage_is(stage, name, MEANWHILE[meanwhile], NOW)


@pytest.mark.parametrize(("name", "stage"), [row for row in ROWS if row[0] not in OF_THE_CLOCK_ALONE])
def test_a_stage_after_the_clock_has_gone_back(stage: JobStage, name: str) -> None:
    _stage_is(stage, name, resource(), NOW - 3 * HOUR)


def _stage_is(stage: JobStage, name: str, of: Resource, now: datetime) -> None:
    was = fate(name, stage)
    result = planned(of, status_of(of_run(stage, was)), *was.jobs, now=now)
    assert story(result) == TABLE[name][stage]
    again = planned(of, result.status, *was.jobs, now=now)
    assert again.status == result.status
    assert again.events == ()
    assert "CreateJob" not in story(again)


@pytest.mark.parametrize("stage", JOB_STAGES)
@pytest.mark.parametrize("name", TABLE)
def test_of_a_check_that_is_being_deleted_nothing_is_done(stage: JobStage, name: str) -> None:
    was = fate(name, stage)
    status = status_of(of_run(stage, was))
    result = planned(resource(deleting=True), status, *was.jobs)
    assert (result.status, result.actions, result.events, result.wake_at) == (status, (), (), None)


@pytest.mark.parametrize("stage", JOB_STAGES)
def test_a_run_waits_for_a_valid_spec_before_its_next_job(stage: JobStage) -> None:
    status = status_of(of_run(stage, Fate(recorded=False)))
    result = planned(invalid(), status)
    assert story(result) == stage
    assert result.status.run
    assert "not valid" in result.status.run.message
    corrected = planned(resource(), result.status, now=NOW + HOUR)
    assert story(corrected) == f"{stage} + CreateJob {stage}"
    assert story(planned(invalid(), result.status, now=NOW + DAY)) == "Failed/DeadlineExceeded"


QUEUED = run_in("Queued", starting_deadline_time=NOW + HOUR)
PREPARING = run_in("Preparing")
TRIED = Trial(attempts=3, reason="SiteNotReady", message="it sleeps", time=NOW - MINUTE, next_time=NOW + MINUTE)
TRYING = run_in("Preparing", preflight=TRIED)
NOT_READY = World(preflight=Preflight(RUN, NOW, ok=False, reason="SiteNotReady", message="it sleeps"))
OF_ANOTHER = World(Admitted("1"), Preflight("1", NOW, ok=True))

BEFORE_THE_FIRST_JOB: dict[str, tuple[Run, Resource, World, str]] = {
    "nobody has said whose turn it is": (QUEUED, resource(), World(), "Queued"),
    "it has to wait": (QUEUED, resource(), World(QueuedBehind(RUN, "behind grid/other")), "Queued"),
    "it is its turn": (QUEUED, resource(), ADMITTED, "Preparing + AskBackend"),
    "it is the turn of an earlier run": (QUEUED, resource(), OF_ANOTHER, "Queued"),
    "its turn comes too late": (
        QUEUED.model_copy(update={"starting_deadline_time": NOW}),
        resource(),
        ADMITTED,
        "Failed/StartingDeadlineExceeded",
    ),
    "it is suspended in the queue": (QUEUED, resource(suspend=True), ADMITTED, "idle"),
    "it becomes invalid in the queue": (QUEUED, invalid(), ADMITTED, "idle"),
    "it is edited in the queue": (QUEUED, replace(resource(**SUNDAYS), generation=5), World(), "Queued"),
    "no answer yet": (PREPARING, resource(), World(), "Preparing + AskBackend"),
    "the site is ready": (PREPARING, resource(), READY, "Snapshot + CreateJob Snapshot"),
    "another site was ready": (PREPARING, resource(), OF_ANOTHER, "Preparing + AskBackend"),
    "the site is not ready": (PREPARING, resource(), NOT_READY, "Preparing"),
    "a pause between two questions": (TRYING, resource(), World(), "Preparing"),
    "the same answer again": (
        TRYING,
        resource(),
        World(preflight=Preflight(RUN, NOW - MINUTE, ok=False)),
        "Preparing",
    ),
    "the pause is over": (
        TRYING.model_copy(update={"preflight": TRIED.model_copy(update={"next_time": NOW})}),
        resource(),
        World(),
        "Preparing + AskBackend",
    ),
    "the clock has gone back in the pause": (
        TRYING.model_copy(update={"preflight": TRIED.model_copy(update={"next_time": NOW + DAY})}),
        resource(),
        World(),
        "Preparing + AskBackend",
    ),
    "the site becomes ready": (TRYING, resource(), READY, "Snapshot + CreateJob Snapshot"),
    "never ready in time": (
        TRYING.model_copy(update={"deadline_time": NOW}),
        resource(),
        World(),
        "Failed/SiteNotReady",
    ),
    "no answer in time": (
        PREPARING.model_copy(update={"deadline_time": NOW}),
        resource(),
        World(),
        "Failed/DeadlineExceeded",
    ),
    "it is suspended while the site is asked": (TRYING, resource(suspend=True), READY, "idle"),
    "it becomes invalid while the site is asked": (TRYING, invalid(), READY, "idle"),
    "nobody approves": (run_in("AwaitingApproval", deadline_time=NOW - DAY), resource(), World(), "AwaitingApproval"),
    "nobody approves, suspended": (run_in("AwaitingApproval"), resource(suspend=True), World(), "AwaitingApproval"),
    "nobody approves, invalid": (run_in("AwaitingApproval"), invalid(), World(), "AwaitingApproval"),
}


@pytest.mark.parametrize("name", BEFORE_THE_FIRST_JOB)
def test_a_stage_without_a_job(name: str) -> None:
    run, of, world, expected = BEFORE_THE_FIRST_JOB[name]
    result = planned(of, status_of(run), world=world)
    assert story(result) == expected
    assert planned(of, result.status, world=world).status == result.status


@pytest.mark.parametrize("stage", ["Queued", "Preparing", "AwaitingApproval"])
def test_nothing_is_done_for_a_check_that_is_being_deleted_before_its_first_job(stage: Stage) -> None:
    status = status_of(run_in(stage))
    assert planned(resource(deleting=True), status, world=READY).status == status


def test_the_pauses_between_questions_to_a_site_that_is_not_ready_grow_to_an_hour() -> None:
    status, now, pauses = status_of(run_in("Preparing", deadline_time=NOW + 9 * DAY)), NOW, []
    for _ in range(10):
        answer = World(preflight=Preflight(RUN, now, ok=False, reason="BackendUnreachable", message="no answer"))
        result = planned(resource(), status, now=now, world=answer)
        assert result.wake_at is not None
        pauses.append((result.wake_at - now).total_seconds())
        status, now = result.status, result.wake_at
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    condition = status.condition("Running")
    assert condition
    assert (condition.status, condition.reason) == ("True", "BackendUnreachable")
    assert "no answer" in condition.message
