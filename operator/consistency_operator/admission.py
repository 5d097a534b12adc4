"""How many runs may go on at a time, over all checks, and whose turn it is: the one that has waited longest."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from consistency_operator.jobs import JobState
from consistency_operator.resource import Resource
from consistency_operator.status import Status


@dataclass(frozen=True)
class Admitted:
    """The run may begin."""

    run_id: str


@dataclass(frozen=True)
class Queued:
    """The run has to wait; `message` says for what and behind whom."""

    run_id: str
    message: str


@dataclass(frozen=True)
class Claim:
    """What one check wants: to begin (`waiting`: it is Queued since then) or to go on (`active`)."""

    key: str
    run_id: str
    since: datetime
    active: bool


def claim_of(resource: Resource, status: Status, jobs: Iterable[JobState]) -> Claim | None:
    """The claim of a check; None when it neither runs nor waits.

    `status` must be the last one that the operator has written, even if the watch has not brought it back yet:
    otherwise two runs could be given the same free place.
    """
    raise NotImplementedError


def decide(key: str, claims: Iterable[Claim], limit: int) -> Admitted | Queued | None:
    """Whether the run of `key` may begin, given the claims of all checks (its own included); None if it waits not."""
    raise NotImplementedError
