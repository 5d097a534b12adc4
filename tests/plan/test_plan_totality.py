"""The plan has an answer to everything, also to what cannot be, and does not change its mind."""

import json
from datetime import timedelta
from typing import Any, TypeVar, get_args

import pytest
from consistency_operator.cluster.job_state import JobState, JobStateName
from consistency_operator.cluster.worker_result import WorkerResult
from consistency_operator.names import ANNOTATION_APPROVE, JOB_STAGES
from consistency_operator.plan import CreateJob, Preflight, World
from consistency_operator.plan.admission import Admitted, Queued
from consistency_operator.plan.context import run_number
from consistency_operator.resource.check import Resource, from_body
from consistency_operator.resource.status import (
    CheckStatus,
    Condition,
    FinishedRun,
    GateRecord,
    JobRecord,
    Refusal,
    Run,
    Stage,
    StatusModel,
    Trial,
)
from consistency_operator.resource.status_reading import read_status
from hypothesis import given
from hypothesis import strategies as st
from plan_cases import CLEAN, FOUND, GATES, NOW, RUN, gates, invalid, planned, resource, run_in, status_of

Model = TypeVar("Model", bound=StatusModel)

RUNS = st.sampled_from([RUN, str(int(RUN) + 1), str(int(RUN) + 60), "1", "no number"])
TIMES = st.sampled_from([-(10**9), -90_000, -3600, -61, -30, -1, 0, 1, 30, 61, 3600, 90_000, 10**9]).map(
    lambda seconds: NOW + timedelta(seconds=seconds)
)
UIDS = st.sampled_from([None, "uid 1", "uid 2"])
REASONS = st.sampled_from(["Completed", "AnotherOne"])
WORDS = st.sampled_from(["", "problem"])
GATE_LISTS = st.one_of(
    st.just([]),
    st.fixed_dictionaries({name: st.sampled_from(["Ready", "Ready", "Pending", "Rejected"]) for name in GATES}).map(
        lambda closed: list(gates(**closed))
    ),
)


def models(model: type[Model], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Model]:
    return st.fixed_dictionaries(fields).map(lambda values: model(**values))


REFUSALS = models(Refusal, attempts=st.integers(1, 10**6), message=st.just("no"), request_time=TIMES)
RECORDS = models(
    JobRecord,
    stage=st.sampled_from(JOB_STAGES),
    name=st.just("x"),
    uid=UIDS,
    request_time=TIMES,
    refusal=st.none() | REFUSALS,
    started_time=st.none() | TIMES,
    hindered_time=st.none() | TIMES,
)
TRIALS = models(
    Trial,
    attempts=st.integers(0, 10**6),
    reason=st.sampled_from(["SiteNotReady", "BackendUnreachable", "Misconfigured"]),
    message=WORDS,
    time=TIMES,
    next_time=TIMES,
)
RUNNING = models(
    Run,
    id=RUNS,
    trigger=st.just("Manual"),
    generation=st.integers(0, 5),
    start_time=TIMES,
    starting_deadline_time=st.none() | TIMES,
    deadline_time=st.none() | TIMES,
    stage=st.sampled_from(get_args(Stage)),
    stage_start_time=TIMES,
    waits_for=st.sampled_from([None, "JobRefused", "PodsWaiting", "Misconfigured"]),
    preflight=st.none() | TRIALS,
    jobs=st.lists(RECORDS, max_size=4, unique_by=lambda record: record.stage),
    counts=st.sampled_from([{}, FOUND, CLEAN]),
    gates=GATE_LISTS,
)
PAST = models(
    FinishedRun,
    id=RUNS,
    trigger=st.just("Manual"),
    start_time=TIMES,
    completion_time=TIMES,
    result=st.sampled_from(["Complete", "Failed", "Invalid", "Withdrawn"]),
    reason=REASONS,
)
CONDITIONS = models(
    Condition,
    type=st.sampled_from(["Ready", "Stalled", "Overlapping", "Running", "Succeeded", "Consistent"]),
    status=st.sampled_from(["True", "False", "Unknown"]),
    reason=REASONS,
    last_transition_time=TIMES,
)
STATUSES = models(
    CheckStatus,
    observed_schedule=st.sampled_from([None, "CRON_TZ=UTC */5 * * * *", "another"]),
    observed_schedule_time=st.none() | TIMES,
    last_schedule_time=st.none() | TIMES,
    last_manual_trigger=st.sampled_from([None, "now", "before"]),
    conditions=st.lists(CONDITIONS, max_size=5, unique_by=lambda condition: condition.type),
    run=st.none() | RUNNING,
    history=st.lists(PAST, max_size=3),
)
RESULTS = st.builds(
    WorkerResult,
    stage=st.sampled_from(JOB_STAGES),
    run_id=RUNS,
    exit_code=st.integers(0, 2),
    result=st.sampled_from(["Complete", "Failed", "Invalid"]),
    message=WORDS,
    counts=st.sampled_from([None, {}, FOUND, CLEAN]),
    gates=GATE_LISTS.map(tuple),
)
JOBS = st.builds(
    JobState,
    stage=st.sampled_from(JOB_STAGES),
    run_id=RUNS,
    name=st.just("x"),
    uid=UIDS.map(str),
    state=st.sampled_from(get_args(JobStateName)),
    reason=st.sampled_from(["", "DeadlineExceeded", "FailedIndexes"]),
    problem=WORDS,
    listed=st.booleans(),
    reported=st.booleans(),
    hindered=st.booleans(),
    idle=st.booleans(),
    suspended=st.booleans(),
    started=st.booleans(),
    asked=st.none() | TIMES,
    deleting=st.booleans(),
    misconfigured=st.booleans(),
    completions=st.integers(1, 3),
    max_failed_indexes=st.integers(0, 2),
    completed_indexes=st.sampled_from(["", "0", "0-1", "nonsense"]),
    failed_indexes=st.sampled_from(["", "1", "1-2"]),
    finished=st.none() | TIMES,
    results=st.lists(RESULTS, max_size=2).map(tuple),
)
RESOURCES = st.sampled_from(
    [
        resource(),
        resource({ANNOTATION_APPROVE: RUN}),
        resource(deleting=True),
        resource(suspend=True, schedule="*/5 * * * *"),
        resource(schedule="*/5 * * * *", jitterSeconds=90, startingDeadlineSeconds=60),
        resource(schedule="*/5 * * * *", trigger={"manual": "now"}, successfulRunsHistoryLimit=0),
        resource(schedule="0 3 29 2 *", timeZone="Europe/Zurich", runDeadlineSeconds=1),
        invalid(),
    ]
)
ADMISSIONS = st.one_of(st.none(), st.builds(Admitted, RUNS), st.builds(Queued, RUNS, st.just("behind")))
ANSWERS = st.one_of(
    st.none(),
    st.builds(
        Preflight,
        RUNS,
        TIMES,
        st.booleans(),
        st.sampled_from(["", "SiteNotReady", "BackendUnreachable", "Misconfigured"]),
        backends=st.sampled_from(["", "v1"]),
    ),
)
WORLDS = st.builds(World, ADMISSIONS, ANSWERS, backends=st.sampled_from(["", "v1"]), backend_answered=st.none() | TIMES)


@given(of=RESOURCES, status=STATUSES, jobs=st.lists(JOBS, max_size=4), now=TIMES, world=WORLDS)
def test_there_is_a_plan_for_everything_and_it_stands(
    of: Resource, status: CheckStatus, jobs: list[JobState], now: Any, world: World
) -> None:
    first = planned(of, status, *jobs, now=now, world=world)
    assert read_status(json.loads(json.dumps(first.status.to_json()))) == first.status
    assert first.wake_at is None or first.wake_at > now, "a supervisor would turn in circles"
    second = planned(of, first.status, *jobs, now=now, world=world)
    assert second.status == first.status
    assert second.events == ()
    assert not [action for action in second.actions if isinstance(action, CreateJob)]
    far_ahead = status.run and run_number(status.run.id) > (now + timedelta(days=1)).timestamp() // 60
    if status.run and first.status.run and status.run.id != first.status.run.id and not far_ahead:
        assert run_number(first.status.run.id) > run_number(status.run.id)


@given(status=STATUSES)
def test_a_status_is_what_it_was_after_it_was_written_and_read(status: CheckStatus) -> None:
    assert read_status(json.loads(json.dumps(status.to_json()))) == status


PAST = {
    "id": "29412180",
    "trigger": "Manual",
    "startTime": "2026-11-22T12:00:00Z",
    "completionTime": "2026-11-22T13:00:00Z",
    "result": "Complete",
    "reason": "Completed",
}
TRUE = {"type": "Succeeded", "status": "True", "reason": "Completed", "lastTransitionTime": "2026-11-22T12:00:00Z"}


@pytest.mark.parametrize("stranger", [TRUE | {"type": "Haunted"}, {"type": "Ready"}, 7, None])
def test_of_conditions_and_of_the_history_only_what_cannot_be_understood_is_lost(stranger: object) -> None:
    """Those of a newer operator, after a step back, or of somebody else."""
    status = read_status({"conditions": [stranger, TRUE], "history": [stranger, PAST]})
    assert [condition.type for condition in status.conditions] == ["Succeeded"]
    assert [run.id for run in status.history] == [PAST["id"]]


def test_of_a_run_that_cannot_be_understood_nothing_counts() -> None:
    """Half of it could say that no Job was asked for."""
    run = run_in("Action").model_dump(by_alias=True)
    assert read_status({"run": run | {"jobs": [{"stage": "Action"}]}, "conditions": [TRUE]}).run is None


BROKEN: dict[str, tuple[dict[str, Any], set[str]]] = {
    "not there": ({}, set()),
    "a stage of the future": ({"run": run_in("Listing").model_dump(by_alias=True) | {"stage": "Dancing"}}, set()),
    "a date that is none": ({"lastRunTime": "yesterday", "lastRunId": "7"}, {"last_run_id"}),
    "a date without a zone": ({"lastRunTime": "2026-11-22T12:00:00", "lastRunId": "7"}, {"last_run_id"}),
    "the end of time": ({"lastScheduleTime": "9999-12-31T23:59:59Z", "lastRunId": "7"}, {"last_run_id"}),
    "a field of the future": ({"mood": "good", "lastRunId": "7"}, {"last_run_id"}),
    "another type": ({"history": "none", "lastRunId": "7"}, {"last_run_id"}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_of_a_status_that_cannot_be_understood_the_rest_counts(name: str) -> None:
    data, understood = BROKEN[name]
    status = read_status(data)
    assert status.model_fields_set - {"mood"} == understood
    assert planned(resource(), status).status.condition("Ready")


@pytest.mark.parametrize("data", [None, [], "text", 7])
def test_what_is_no_status_at_all_counts_as_none(data: object) -> None:
    assert read_status(data) == CheckStatus()


# --------------------------------------------------------------------------------------------------------- resources


def body(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "consistency.dynamo.io/v1alpha1",
        "kind": "SiteConsistencyCheck",
        "metadata": {
            "name": "t2-x",
            "namespace": "grid",
            "uid": "u",
            "generation": 3,
            "creationTimestamp": "2026-11-22T12:00:00Z",
            "annotations": {ANNOTATION_APPROVE: RUN},
            "managedFields": [{"manager": "flux"}],
        },
        "spec": {"site": "T2_X", "listing": {"roots": [{"path": "/store/mc"}]}, **spec},
        "status": {"observedGeneration": 2},
    }


def test_a_resource_is_what_its_body_says() -> None:
    of = from_body(body())
    assert (of.key, of.uid, of.generation, of.created, of.errors, of.deleting) == ("grid/t2-x", "u", 3, NOW, "", False)
    assert of.check
    assert of.check.spec.site == "T2_X"
    assert of.annotations == {ANNOTATION_APPROVE: RUN}


def test_each_problem_of_an_invalid_spec_is_told_on_a_line_with_its_field() -> None:
    of = from_body(body(timeZone="Europe/Zurich", policy={"orphans": {"mode": "Delete"}}))
    assert of.check is None
    assert [line.split(": ")[0] for line in of.errors.splitlines()] == ["spec.timeZone", "spec.policy.orphans.mode"]


def test_a_body_that_is_being_deleted_says_so() -> None:
    dying = body()
    dying["metadata"]["deletionTimestamp"] = "2026-11-22T12:00:00Z"
    assert from_body(dying).deleting


def test_gates_are_all_named_once() -> None:
    assert [gate.name for gate in gates()] == list(GATES)
    assert all(isinstance(gate, GateRecord) for gate in gates())
    assert status_of().run is None
