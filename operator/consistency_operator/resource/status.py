"""`.status` of a `SiteConsistencyCheck` as a typed model; the schema in the CustomResourceDefinition is made from it.

All that the operator remembers is here and in the Jobs: a new operator goes on from these two alone. Models are
frozen; what is written is `CheckStatus.to_json()`, and what is there is read by `status_reading`.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from consistency_operator.names import JobStage
from consistency_operator.resource.reasons import ConditionType
from dynamo_consistency.sentences import shortened

Stage = Literal["Queued", "Preparing", "Snapshot", "Listing", "Comparison", "AwaitingApproval", "Action"]
RunTrigger = Literal["Schedule", "CatchUp", "Manual", "Requested"]
RunResult = Literal["Complete", "Invalid", "Failed"]
PastResult = Literal[RunResult, "Withdrawn"]
Unreadiness = Literal["SiteNotReady", "BackendUnreachable", "Misconfigured"]
"""Why a run cannot begin yet."""
Obstacle = Literal[Unreadiness, "InvalidSpec", "JobRefused", "NameTaken", "PodsWaiting"]
"""What a run that has begun waits for; while it does it holds no place among those that go on."""

HISTORY = 10
_LONGEST = 1024


def whole_seconds(time: datetime) -> datetime:
    """As Kubernetes writes times: in UTC, without fractions of a second."""
    return time.astimezone(UTC).replace(microsecond=0)


def _written(time: datetime) -> str:
    return whole_seconds(time).strftime("%Y-%m-%dT%H:%M:%SZ")


def short(text: str) -> str:
    """`text` at a length that suits a status."""
    return shortened(text, _LONGEST)


def _plausible(time: datetime) -> datetime:
    if not 1970 <= time.year < 9000:
        raise ValueError("must be a year with which one can reckon")
    return time


Time = Annotated[
    AwareDatetime, AfterValidator(_plausible), PlainSerializer(_written, return_type=str, when_used="json")
]
NonEmptyText = Annotated[str, Field(min_length=1)]
"""Of a field that must be there: what is empty is left out when a status is written."""
CountsByName = dict[str, int]


class StatusModel(BaseModel):
    """Base of everything in the status. In Python the fields are snake_case, in the resource camelCase."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Condition(StatusModel):
    """One condition, by Kubernetes' conventions."""

    type: ConditionType = Field(description="What the condition is about.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    reason: NonEmptyText = Field(description="Why, in one word for machines; docs/reference/status.md lists them all.")
    message: str = Field("", description="Why, in a sentence for people.")
    last_transition_time: Time = Field(description="When `status` last changed.")
    observed_generation: int = Field(0, description="Generation of the spec that the condition is about.")


class Refusal(StatusModel):
    """The API server has said that a Job was not made; it is asked for again."""

    attempts: int = Field(description="How often in a row.")
    message: NonEmptyText = Field(description="What the API server said last.")
    request_time: Time = Field(
        description="Which request that answered. While it is the Job's last one, there is surely no Job."
    )


class JobRecord(StatusModel):
    """A Job of the run."""

    stage: JobStage = Field(description="The stage that the Job does.")
    name: NonEmptyText = Field(description="Name of the Job, in the namespace of the check.")
    uid: str | None = Field(None, description="UID of the Job; absent until it has been seen.")
    request_time: Time = Field(description="When the Job was last asked for.")
    refusal: Refusal | None = Field(None, description="The Job was refused; absent as soon as it has been seen.")
    started_time: Time | None = Field(None, description="When a pod of it was first seen to run.")
    hindered_time: Time | None = Field(None, description="Since when a pod that should run does not.")
    completed_indexes: str | None = Field(None, description="Shards that are done, such as 0-2,4 (listing only).")
    failed_indexes: str | None = Field(None, description="Shards that have failed, such as 3 (listing only).")


class GateRecord(StatusModel):
    """A gate between findings and requests, as the last stage found it."""

    name: NonEmptyText = Field(description="Inventory, ListingHealth, Limits, Confirmation, Mode, Approval or Acting.")
    state: Literal["Ready", "Pending", "Rejected"] = Field(description="Pending: time or a person will open it.")
    observed: str = Field("", description="What was found.")
    limit: str = Field("", description="What is allowed.")
    message: str = Field("", description="What that means, in a sentence.")


class HoleRecord(StatusModel):
    """A directory that could not be listed; nothing in it is judged."""

    path: NonEmptyText = Field(description="The directory.")
    reason: str = Field("", description="Why.")


class Requests(StatusModel):
    """What was requested from the registry for one kind of finding; the full list is in `artifacts.actions`."""

    kind: NonEmptyText = Field(description="missing, mismatches, orphans, emptyDirectories or unmerged.")
    confirmed: int = Field(0, description="Findings that had been confirmed, and could be acted on.")
    requested: int = Field(0, description="Requests that the registry accepted.")
    waiting: int = Field(0, description="Findings that an earlier request still waits for.")
    skipped: CountsByName = Field({}, description="Findings left alone at the moment of acting, by reason.")
    refused: CountsByName = Field({}, description="Requests that the registry refused, by reason.")
    unanswered: int = Field(0, description="Requests to which no answer came; they are not repeated by this run.")
    left_over: int = Field(0, description="Confirmed findings that the budget of the run left for the next one.")
    held_back: CountsByName = Field({}, description="Confirmed findings that the run did not take up, by reason.")


class Approval(StatusModel):
    """Who has approved the run's action, as far as the API server tells."""

    via: Literal["Spec", "Annotation"] = Field(description="spec.approve.run, or the annotation.")
    manager: str | None = Field(None, description="Field manager that set it, such as kubectl-annotate or flux.")
    time: Time | None = Field(None, description="When that manager last changed its fields.")


class Trial(StatusModel):
    """The attempts to begin: is the site ready, does the backend answer."""

    attempts: int = Field(description="How often site and backend have been asked in vain.")
    reason: Unreadiness = Field(description="What is not ready.")
    message: str = Field("", description="What was answered.")
    time: Time = Field(description="When they were asked last.")
    next_time: Time = Field(description="When they are asked again.")


class Run(StatusModel):
    """The run that is going on."""

    id: NonEmptyText = Field(description="Unix minutes of when the run was due; the name of its directory begins so.")
    trigger: RunTrigger = Field(description="What started it.")
    generation: int = Field(description="Generation of the spec with which the run began; it sees no later edit.")
    start_time: Time = Field(description="When the run was due and entered the queue.")
    starting_deadline_time: Time | None = Field(None, description="When it is missed if it has not begun.")
    deadline_time: Time | None = Field(None, description="When it fails if it is still going on; set as it begins.")
    stage: Stage = Field(description="What the run is doing.")
    stage_start_time: Time = Field(description="Since when.")
    message: str = Field("", description="More about that, in a sentence.")
    waits_for: Obstacle | None = Field(None, description="What holds the run up; absent while it goes on.")
    preflight: Trial | None = Field(None, description="Site or backend were not ready; absent when all is well.")
    jobs: list[JobRecord] = Field([], description="Jobs of the run, in their order.")
    counts: CountsByName = Field({}, description="Files, directories and bytes counted so far, and findings by kind.")
    holes: list[HoleRecord] = Field([], description="The first of the directories that could not be listed.")
    unmerged_trouble: str = Field("", description="Why nothing of the unmerged area is judged.")
    gates: list[GateRecord] = Field([], description="Gates, in their order.")
    deletions: list[Requests] = Field([], description="Deletions requested from the registry, by kind of finding.")
    transfers: list[Requests] = Field([], description="Transfers requested from the registry, by kind of finding.")
    approval: Approval | None = Field(None, description="Who has approved the action; absent: nobody.")
    artifacts: dict[str, str] = Field({}, description="Where findings, reports and the list of requests are.")

    def job(self, stage: JobStage) -> JobRecord | None:
        """The record of the Job of `stage`, when it has been asked for."""
        return next((job for job in self.jobs if job.stage == stage), None)


class FinishedRun(StatusModel):
    """A run that has ended."""

    id: NonEmptyText = Field(description="Id of the run.")
    trigger: RunTrigger = Field(description="What started it.")
    start_time: Time = Field(description="When it was due and entered the queue.")
    completion_time: Time = Field(description="When it ended.")
    result: PastResult = Field(
        description="Complete; Invalid: it proves nothing; Failed: it did not come to its end; Withdrawn: not begun."
    )
    reason: NonEmptyText = Field(description="Why, in one word; the same as that of the condition Succeeded.")
    message: str = Field("", description="Why, in a sentence.")
    counts: CountsByName = Field({}, description="Files, directories and bytes counted, and findings by kind.")
    closed_gates: list[GateRecord] = Field([], description="Gates that kept findings from being acted on.")
    deletions: list[Requests] = Field([], description="Deletions requested from the registry, by kind of finding.")
    transfers: list[Requests] = Field([], description="Transfers requested from the registry, by kind of finding.")
    approval: Approval | None = Field(None, description="Who has approved the action; absent: nobody.")
    artifacts: dict[str, str] = Field({}, description="Where findings, reports and the list of requests are.")


class CheckStatus(StatusModel):
    """Everything that the operator says of a check."""

    observed_generation: int | None = Field(
        None, description="Generation of the spec that this status is about; -1: the operator has not seen it yet."
    )
    observed_schedule: str | None = Field(
        None, description="Schedule with time zone that is armed; absent when there is none, or it is suspended."
    )
    observed_schedule_time: Time | None = Field(
        None, description="Since when; no run is ever started for a time before it."
    )
    next_run_time: Time | None = Field(None, description="When the next scheduled run is due, with its jitter.")
    last_schedule_time: Time | None = Field(None, description="Last time of the schedule that was run or missed.")
    last_run_id: str | None = Field(None, description="Id of the last run; the next one's is greater.")
    last_run_time: Time | None = Field(None, description="When the last run began.")
    last_successful_run_time: Time | None = Field(None, description="When a run last came to its end as Complete.")
    last_manual_trigger: str | None = Field(None, description="Last spec.trigger.manual for which a run was started.")
    last_handled_requested_at: str | None = Field(
        None, description="Last annotation consistency.dynamo.io/requestedAt for which a run was started."
    )
    conditions: list[Condition] = Field([], description="Ready, Stalled, Overlapping, Running, Succeeded, Consistent.")
    run: Run | None = Field(None, description="The run that is going on; absent when there is none.")
    history: list[FinishedRun] = Field([], max_length=HISTORY, description="Runs that have ended, newest first.")

    def condition(self, type_: ConditionType) -> Condition | None:
        """The condition of this type."""
        return next((condition for condition in self.conditions if condition.type == type_), None)

    def to_json(self) -> dict[str, Any]:
        """The status as the API server gets it, without what is absent or empty; it replaces the one before."""
        return _without_empty(self.model_dump(mode="json", by_alias=True))


def _without_empty(data: dict[str, Any]) -> dict[str, Any]:
    pruned = {key: _without_empty(value) if isinstance(value, dict) else value for key, value in data.items()}
    return {
        key: [_without_empty(item) if isinstance(item, dict) else item for item in value]
        if isinstance(value, list)
        else value
        for key, value in pruned.items()
        if value not in (None, "", [], {})
    }
