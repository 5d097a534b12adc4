"""How many runs may go on at the same time, over all checks, and which one is next: the one that has waited longest."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from consistency_operator.cluster.job_state import JobState
from consistency_operator.resource.check import Resource
from consistency_operator.resource.status import CheckStatus

_HOLDS_NO_SLOT = ("Queued", "AwaitingApproval")


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
    """What one check wants: to go on (`active`), or to begin when it is its turn; it has waited `since` then."""

    key: str
    run_id: str
    since: datetime
    active: bool


def claim_of(resource: Resource, status: CheckStatus, jobs: Iterable[JobState]) -> Claim | None:
    """The claim of a check; None when it neither runs nor waits.

    A Job that is not over holds a slot, whatever the status says of its run. `status` must be the last one that the
    operator has written, even if the watch has not shown it yet: otherwise two runs are given the same free slot.
    """
    run = status.run
    unfinished = next((job for job in jobs if job.unfinished), None)
    if unfinished is not None:
        return Claim(resource.key, unfinished.run_id, run.start_time if run else resource.created, active=True)
    if run is None or resource.deleting or run.stage == "AwaitingApproval":
        return None
    return Claim(resource.key, run.id, run.start_time, active=run.stage not in _HOLDS_NO_SLOT)


def decide(key: str, claims: Iterable[Claim], limit: int) -> Admitted | Queued | None:
    """Whether the run of `key` may begin, given the claims of all checks, its own included; None if it does not wait.

    Free slots go to those that have waited longest, and by name where that is equal. The message names the check just
    before it in the queue, which changes once, and not its position, which changes all the time.
    """
    everyone = list(claims)
    queue = sorted((claim for claim in everyone if not claim.active), key=lambda claim: (claim.since, claim.key))
    keys = [claim.key for claim in queue]
    if key not in keys:
        return None
    position = keys.index(key)
    mine = queue[position]
    if position < limit - (len(everyone) - len(queue)):
        return Admitted(mine.run_id)
    behind = f", behind {keys[position - 1]}" if position else ", first in the queue"
    return Queued(mine.run_id, f"waits{behind}: at most {limit} runs go on at a time")
