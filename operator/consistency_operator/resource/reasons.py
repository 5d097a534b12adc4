"""Conditions, their reasons, and events, by which people and machines know what goes on.

Each is described in docs/reference/status.md and docs/reference/events.md, with what to do about it.
"""

from enum import StrEnum
from typing import Literal

ConditionType = Literal["Ready", "Stalled", "Overlapping", "Running", "Succeeded", "Consistent"]


class Ready(StrEnum):
    """Ready: the spec is valid and the schedule armed. Never: a run is going on."""

    SCHEDULED = "Scheduled"
    MANUAL_ONLY = "ManualOnly"
    SUSPENDED = "Suspended"
    INVALID_SPEC = "InvalidSpec"


class Stalled(StrEnum):
    """Stalled: nothing will go on until a person changes the spec. Present only when that is so."""

    INVALID_SPEC = "InvalidSpec"


class Overlapping(StrEnum):
    """Overlapping: another check of the site lists the same directories. Present only when that is so."""

    ROOTS_OVERLAP = "RootsOverlap"


class Running(StrEnum):
    """Running: what the run that is going on does, or what it waits for."""

    IDLE = "Idle"
    QUEUED = "Queued"
    PREPARING = "Preparing"
    SITE_NOT_READY = "SiteNotReady"
    BACKEND_UNREACHABLE = "BackendUnreachable"
    MISCONFIGURED = "Misconfigured"
    INVALID_SPEC = "InvalidSpec"
    JOB_REFUSED = "JobRefused"
    NAME_TAKEN = "NameTaken"
    PODS_WAITING = "PodsWaiting"
    SNAPSHOT = "Snapshot"
    LISTING = "Listing"
    COMPARISON = "Comparison"
    AWAITING_APPROVAL = "AwaitingApproval"
    ACTION = "Action"


class Succeeded(StrEnum):
    """Succeeded: how the last run ended. The first seven are those of a run that came to its end.

    Withdrawn is of the history alone: such a run has not begun, and changes no condition.
    """

    NO_RUN_YET = "NoRunYet"
    COMPLETED = "Completed"
    NOTHING_TO_DO = "NothingToDo"
    REPORTED = "Reported"
    GATE_CLOSED = "GateClosed"
    NOT_APPROVED = "NotApproved"
    INVALID_RUN = "InvalidRun"
    SITE_NOT_READY = "SiteNotReady"
    BACKEND_UNREACHABLE = "BackendUnreachable"
    STARTING_DEADLINE_EXCEEDED = "StartingDeadlineExceeded"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    MISCONFIGURED = "Misconfigured"
    SNAPSHOT_FAILED = "SnapshotFailed"
    LISTING_FAILED = "ListingFailed"
    COMPARISON_FAILED = "ComparisonFailed"
    ACTION_FAILED = "ActionFailed"
    JOB_VANISHED = "JobVanished"
    JOB_FOREIGN = "JobForeign"
    JOB_REFUSED = "JobRefused"
    NO_POD_STARTED = "NoPodStarted"
    RESULT_LOST = "ResultLost"
    WITHDRAWN = "Withdrawn"


class Consistent(StrEnum):
    """Consistent: what the last complete comparison found."""

    NEVER_COMPARED = "NeverCompared"
    NOTHING_FOUND = "NothingFound"
    FINDINGS = "Findings"


class EventReason(StrEnum):
    """Reasons of events on the resource."""

    RUN_STARTED = "RunStarted"
    STAGE_COMPLETED = "StageCompleted"
    JOB_REFUSED = "JobRefused"
    GATE_CLOSED = "GateClosed"
    APPROVAL_REQUIRED = "ApprovalRequired"
    ACTIONS_REQUESTED = "ActionsRequested"
    RUN_SUCCEEDED = "RunSucceeded"
    RUN_FAILED = "RunFailed"
    RUN_MISSED = "RunMissed"
    INVALID_SPEC = "InvalidSpec"
    ROOTS_OVERLAP = "RootsOverlap"


WARNINGS = frozenset(
    {
        EventReason.JOB_REFUSED,
        EventReason.GATE_CLOSED,
        EventReason.RUN_FAILED,
        EventReason.RUN_MISSED,
        EventReason.INVALID_SPEC,
        EventReason.ROOTS_OVERLAP,
    }
)
"""Events that are posted as Warning; all others as Normal."""
