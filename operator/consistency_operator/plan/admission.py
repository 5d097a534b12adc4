"""How many runs may go on at the same time, over all checks, and which one is next.

The problem: a run that cannot go on, because a database is dead or a node is full, must not keep those waiting that
can. Twenty checks of a dead database would hold all places for days.

The way: a place is held by a run that goes on, and by one whose backend is being asked for the first time. A run that
waits for an answer gives its place up, and queues again when the answer has come, at the turn that it had. One that
waits for a Job or a pod gives it up as well, as long as no more than `limit` do so, since all of them may go on at the
same moment. Of the rest the one that has waited longest is next. Two exceptions keep a single backend from taking
everything: it holds no more than its share of the places where there are other backends, and few of its runs ask it at
the same time, only one while it does not answer.

Not chosen: places of its own for each backend, since most would stand empty; a test of the backend before a run is let
into the queue, since what it says is old when the run begins.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from consistency_operator.cluster.job_state import JobState
from consistency_operator.resource.check import Resource
from consistency_operator.resource.status import CheckStatus, Run, Trial

ClaimState = Literal["Queued", "Asking", "Going", "Stalled", "Silent"]


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
    """What one check wants, or has; it has waited `since` then.

    `state`: Queued: it wants a place. Asking: it has one, and its backend has not answered yet. Going: it has one.
    Stalled: its run waits for a Job or a pod, and has given its place up. Silent: its backend does not answer; it has
    none either.
    """

    key: str
    run_id: str
    since: datetime
    state: ClaimState
    backend: str = ""

    @property
    def active(self) -> bool:
        """It has a place."""
        return self.state in ("Asking", "Going")


@dataclass(frozen=True)
class Places:
    """`limit`: how many there are. `asking`: how many may ask one backend at a time. `shared`: by several backends."""

    limit: int
    asking: int = 4
    shared: bool = False

    @property
    def share(self) -> int:
        """How many a single backend may have: where there are others, a tenth is kept for them."""
        return max(1, self.limit - -(-self.limit // 10)) if self.shared else self.limit


def claim_of(resource: Resource, status: CheckStatus, jobs: Iterable[JobState]) -> Claim | None:
    """The claim of a check; None when it neither runs nor waits.

    A Job that is not over holds a slot, whatever the status says of its run, unless none of its pods runs. `status`
    must be the last one that the operator has written, even if the watch has not shown it yet: otherwise two runs are
    given the same free slot.
    """
    run = status.run
    backend = resource.check.spec.backend if resource.check else ""
    unfinished = next((job for job in jobs if job.unfinished), None)
    if unfinished is not None:
        stalled = run is not None and run.id == unfinished.run_id and run.waits_for is not None
        since = run.start_time if run else resource.created
        return Claim(resource.key, unfinished.run_id, since, "Stalled" if stalled else "Going", backend)
    state = None if run is None or resource.deleting else _state(run)
    return Claim(resource.key, run.id, run.start_time, state, backend) if run and state else None


def _state(run: Run) -> ClaimState | None:
    match run.stage:
        case "Queued":
            return "Queued"
        case "Preparing":
            return _state_of_trial(run.preflight)
        case "AwaitingApproval":
            return None
        case _:
            return "Stalled" if run.waits_for else "Going"


def _state_of_trial(trial: Trial | None) -> ClaimState | None:
    if trial is None:
        return "Asking"
    return "Silent" if trial.reason == "BackendUnreachable" else None


def decide(key: str, claims: Iterable[Claim], places: Places) -> Admitted | Queued | None:
    """Whether the run of `key` may begin, given the claims of all checks, its own included; None if it does not wait.

    The message names the check just before it in the queue, which changes once, and not its position, which changes all
    the time.
    """
    everyone = list(claims)
    queue = _queue(everyone)
    position = next((place for place, claim in enumerate(queue) if claim.key == key), None)
    if position is None:
        return None
    mine = queue[position]
    if mine in admitted(everyone, places):
        return Admitted(mine.run_id)
    if mine.backend in _silent(everyone):
        message = f"waits behind others that ask the backend {mine.backend}, which does not answer"
        return Queued(mine.run_id, message)
    behind = f", behind {queue[position - 1].key}" if position else ", first in the queue"
    return Queued(mine.run_id, f"waits{behind}: at most {places.limit} runs go on at a time")


def admitted(claims: Iterable[Claim], places: Places) -> list[Claim]:
    """Those in the queue that may begin now, in their order."""
    return list(_admitted(list(claims), places))


def _admitted(claims: list[Claim], places: Places) -> Iterator[Claim]:
    states = Counter(claim.state for claim in claims)
    free = places.limit - states["Asking"] - states["Going"] - max(0, states["Stalled"] - places.limit)
    if free <= 0:
        return
    held = Counter(claim.backend for claim in claims if claim.active)
    asking = Counter(claim.backend for claim in claims if claim.state == "Asking")
    silent = _silent(claims)
    for claim in _queue(claims):
        if free <= 0:
            return
        most_asking = 1 if claim.backend in silent else places.asking
        if held[claim.backend] < places.share and asking[claim.backend] < most_asking:
            free -= 1
            held[claim.backend] += 1
            asking[claim.backend] += 1
            yield claim


def _queue(claims: Iterable[Claim]) -> list[Claim]:
    """By how long they have waited, and by name where that is equal."""
    return sorted((claim for claim in claims if claim.state == "Queued"), key=lambda claim: (claim.since, claim.key))


def _silent(claims: Iterable[Claim]) -> set[str]:
    """Backends that some run has asked in vain, and that have not answered since."""
    return {claim.backend for claim in claims if claim.state == "Silent"}
