"""The table of stages: what a plan does for every stage, every fate of its Job, and whatever people do meanwhile."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from consistency_operator.cluster.job_state import JobState
from consistency_operator.cluster.worker_result import WorkerResult
from consistency_operator.names import JOB_STAGES, JobStage
from consistency_operator.plan import Plan, Preflight, World
from consistency_operator.plan.admission import Admitted
from consistency_operator.plan.admission import Queued as QueuedBehind
from consistency_operator.plan.job_requests import SEEN_WITHIN
from consistency_operator.resource.check import Resource
from consistency_operator.resource.reasons import EventReason
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
    kinds,
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
    refused: bool = False
    hindered: datetime | None = None


JUST_NOW = NOW - timedelta(seconds=9)


def refused(stage: JobStage, asked: datetime = NOW - 30 * MINUTE) -> JobState:
    return job(stage, "NotMade", uid="", problem="exceeded quota: jobs, used: 5", asked=asked)


def without_pods(stage: JobStage, *, suspended: bool = False) -> JobState:
    return job(stage, hindered=True, idle=True, started=False, suspended=suspended)


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
        "cannot be made": Fate(jobs=(job(stage, "Refused", uid="", problem="too much memory"),)),
        "refused just now": Fate(seen=False, asked=JUST_NOW, jobs=(refused(stage, JUST_NOW),)),
        "refused, to be asked for again": Fate(seen=False, jobs=(refused(stage),)),
        "refused, known from before a restart": Fate(seen=False, refused=True),
        "refused, and asked for again": Fate(seen=False, asked=NOW - MINUTE / 2, jobs=(refused(stage),)),
        "refused, asked for again, never seen": Fate(seen=False, asked=NOW - SEEN_WITHIN, jobs=(refused(stage),)),
        "refused, deadline over": Fate(seen=False, refused=True, deadline=NOW),
        "between two pods": Fate(asked=NOW - HOUR, jobs=(job(stage, hindered=True, idle=True),)),
        "no pod for a while": Fate(hindered=NOW - MINUTE, jobs=(without_pods(stage),)),
        "no pod for an hour": Fate(asked=NOW - HOUR, hindered=NOW - HOUR, jobs=(without_pods(stage),)),
        "no pod for an hour, after one that ran": Fate(
            asked=NOW - HOUR, hindered=NOW - HOUR, jobs=(job(stage, hindered=True, idle=True),)
        ),
        "suspended for an hour": Fate(
            asked=NOW - HOUR, hindered=NOW - HOUR, jobs=(without_pods(stage, suspended=True),)
        ),
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
    "cannot be made": dict.fromkeys(JOB_STAGES, "Failed/JobRefused"),
    "refused just now": {stage: stage for stage in JOB_STAGES},
    "refused, to be asked for again": {stage: f"{stage} + CreateJob {stage}" for stage in JOB_STAGES},
    "refused, known from before a restart": {stage: f"{stage} + CreateJob {stage}" for stage in JOB_STAGES},
    "refused, and asked for again": {stage: stage for stage in JOB_STAGES},
    "refused, asked for again, never seen": ASKED_AGAIN,
    "refused, deadline over": dict.fromkeys(JOB_STAGES, "Failed/JobRefused"),
    "between two pods": {stage: stage for stage in JOB_STAGES},
    "no pod for a while": {stage: f"{stage} + ListPods" for stage in JOB_STAGES},
    "no pod for an hour": dict.fromkeys(JOB_STAGES, "Failed/NoPodStarted + DeleteJob"),
    "no pod for an hour, after one that ran": {stage: f"{stage} + ListPods" for stage in JOB_STAGES},
    "suspended for an hour": {stage: f"{stage} + ListPods" for stage in JOB_STAGES},
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
    own = (
        [record(stage, seen=was.seen, asked=was.asked, refused=was.refused, hindered=was.hindered)]
        if was.recorded
        else []
    )
    return run_in(stage, earlier + own, deadline_time=was.deadline, counts={"missing": 3}, gates=list(gates()))


ROWS = [(name, stage) for name, row in TABLE.items() for stage in row]
OF_THE_CLOCK_ALONE = (
    "never seen",
    "running, deadline over",
    "not asked for, deadline over",
    "complete, deadline over",
    "of an earlier check, deadline over",
    "refused just now",
    "refused, to be asked for again",
    "refused, known from before a restart",
    "refused, asked for again, never seen",
    "refused, deadline over",
    "no pod for a while",
    "no pod for an hour",
    "no pod for an hour, after one that ran",
    "suspended for an hour",
)


@pytest.mark.parametrize("meanwhile", MEANWHILE)
@pytest.mark.parametrize(("name", "stage"), ROWS)
def test_a_stage_whatever_people_do_meanwhile(stage: JobStage, name: str, meanwhile: str) -> None:
    of = MEANWHILE[meanwhile]
    if name == "refused just now" and of.generation != 4:  # what is wrong may have been in the spec
        name = "refused, to be asked for again"
    _stage_is(stage, name, of, NOW)


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


def refusals(stage: JobStage) -> Iterator[tuple[Plan, datetime]]:
    """A Job that is refused, each time after two seconds, until the run ends: what is planned then, and when."""
    status, now = status_of(run_in(stage, deadline_time=NOW + 2 * DAY)), NOW
    while True:
        asked = planned(resource(), status, now=now)
        if asked.status.run is None:
            yield asked, now
            return
        assert kinds(asked.actions) == [f"CreateJob {stage}"]
        words = f"exceeded quota: jobs, used: {now.minute}"
        answer = job(stage, "NotMade", uid="", problem=words, asked=now)
        heard = planned(resource(), asked.status, answer, now=now + TWO)
        yield heard, now
        status, now = heard.status, heard.wake_at or now


@pytest.mark.parametrize("stage", JOB_STAGES)
def test_a_job_that_is_refused_is_asked_for_again_until_the_deadline(stage: JobStage) -> None:
    plans = list(refusals(stage))
    *waiting, (last, _) = plans
    events = [event.reason for result, _ in plans for event in result.events]
    assert events == [EventReason.JOB_REFUSED, EventReason.RUN_FAILED], "it is told once, numbers apart"
    pauses = [(result.wake_at - now).total_seconds() for result, now in waiting if result.wake_at]
    assert pauses[:7] == [30, 60, 120, 240, 480, 600, 600]
    for result, _ in waiting:
        run, running = result.status.run, result.status.condition("Running")
        assert run
        assert running
        assert (run.stage, run.waits_for, running.reason) == (stage, "JobRefused", "JobRefused")
        assert "exceeded quota: jobs, used: " in run.message
        assert "asked again at " in run.message
    [past] = last.status.history
    assert past.reason == "JobRefused"
    assert "until the end of spec.runDeadlineSeconds: exceeded quota" in past.message


def test_a_refusal_is_of_the_request_that_it_answered() -> None:
    """An answer that comes late, or is told again, is not taken for that of a later request."""
    status = status_of(run_in("Action", [record("Action", seen=False, asked=NOW - MINUTE / 2)]))
    late = planned(resource(), status, refused("Action", NOW - MINUTE))
    assert late.status.run
    assert late.status.run.jobs[0].refusal is None
    assert story(planned(resource(), late.status, refused("Action", NOW - MINUTE), now=NOW + HOUR)) == (
        "Failed/JobVanished"
    )


def test_a_job_without_a_pod_says_why_and_where_to_look() -> None:
    status = status_of(run_in("Listing", [record("Listing", hindered=NOW - MINUTE)]))
    why = replace(
        without_pods("Listing"), problem="shard 0 waits for a node: no memory", look_at="pod/t2-x-1-listing-0-x"
    )
    run = planned(resource(), status, why).status.run
    assert run
    assert run.waits_for == "PodsWaiting"
    assert run.message == (
        "shard 0 waits for a node: no memory; look further with: kubectl -n grid describe pod/t2-x-1-listing-0-x"
    )
    one_of_several = planned(resource(), status, replace(why, idle=False)).status.run
    assert one_of_several
    assert (one_of_several.waits_for, one_of_several.message) == (None, run.message)


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
    assert result.status.run.waits_for == "InvalidSpec"
    corrected = planned(resource(), result.status, now=NOW + HOUR)
    assert story(corrected) == f"{stage} + CreateJob {stage}"
    assert story(planned(invalid(), result.status, now=NOW + DAY)) == "Failed/DeadlineExceeded"


TWO = timedelta(seconds=2)
QUEUED = run_in("Queued", starting_deadline_time=NOW + HOUR)
PREPARING = run_in("Preparing")
TRIED = Trial(attempts=3, reason="SiteNotReady", message="it sleeps", time=NOW - MINUTE, next_time=NOW + MINUTE)
TRYING = run_in("Preparing", preflight=TRIED)
NOT_READY = World(preflight=Preflight(RUN, NOW, ok=False, reason="SiteNotReady", message="it sleeps"))
OF_ANOTHER = World(Admitted("1"), Preflight("1", NOW, ok=True))
UNREACHABLE = TRIED.model_copy(update={"reason": "BackendUnreachable"})
MISTYPED = "there is no backend 'defualt'; did you mean default?"
WRONG = World(preflight=Preflight(RUN, NOW, False, "Misconfigured", MISTYPED, backends="v1"), backends="v1")
TRYING_WRONG = run_in(
    "Preparing",
    preflight=Trial(attempts=1, reason="Misconfigured", message=MISTYPED, time=NOW, next_time=NOW + HOUR),
)

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
    "it is suspended in the queue": (QUEUED, resource(suspend=True), ADMITTED, "Withdrawn/Withdrawn"),
    "it becomes invalid in the queue": (QUEUED, invalid(), ADMITTED, "Withdrawn/Withdrawn"),
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
    "the site becomes ready": (TRYING, resource(), READY, "Queued"),
    "the site becomes ready, and there is a place": (
        TRYING,
        resource(),
        World(Admitted(RUN), READY.preflight),
        "Snapshot + CreateJob Snapshot",
    ),
    "it was ready before a long time in the queue": (
        PREPARING,
        resource(),
        World(preflight=Preflight(RUN, NOW - HOUR, ok=True)),
        "Preparing + AskBackend",
    ),
    "it is misconfigured": (PREPARING, resource(), WRONG, "Preparing"),
    "it is still misconfigured": (TRYING_WRONG, resource(), WRONG, "Preparing"),
    "backends.yaml has changed": (TRYING_WRONG, resource(), replace(WRONG, backends="v2"), "Preparing + AskBackend"),
    "the operator was started anew": (TRYING_WRONG, resource(), World(backends="v1"), "Preparing + AskBackend"),
    "the check has changed": (TRYING_WRONG, replace(resource(), generation=5), WRONG, "Preparing + AskBackend"),
    "the check has changed while the site was not ready": (
        TRYING,
        replace(resource(), generation=5),
        World(),
        "Preparing + AskBackend",
    ),
    "the backend answers others": (
        TRYING.model_copy(update={"preflight": UNREACHABLE}),
        resource(),
        World(backend_answered=NOW),
        "Preparing + AskBackend",
    ),
    "the backend answers others, and was asked in vain just now": (
        TRYING.model_copy(update={"preflight": UNREACHABLE.model_copy(update={"time": NOW - TWO})}),
        resource(),
        World(backend_answered=NOW),
        "Preparing",
    ),
    "the backend answered others before": (
        TRYING.model_copy(update={"preflight": UNREACHABLE}),
        resource(),
        World(backend_answered=NOW - MINUTE),
        "Preparing",
    ),
    "misconfigured until the end": (
        TRYING_WRONG.model_copy(update={"deadline_time": NOW}),
        resource(),
        WRONG,
        "Failed/Misconfigured",
    ),
    "not admitted again in time": (
        QUEUED.model_copy(update={"deadline_time": NOW}),
        resource(),
        World(),
        "Failed/StartingDeadlineExceeded",
    ),
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
    "it is suspended while the site is asked": (TRYING, resource(suspend=True), READY, "Withdrawn/Withdrawn"),
    "it becomes invalid while the site is asked": (TRYING, invalid(), READY, "Withdrawn/Withdrawn"),
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
