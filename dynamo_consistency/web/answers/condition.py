"""How a check is: what of it needs a person, and what that person should do."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dynamo_consistency.kinds import ACTED_ON_KINDS, COMPARED_KINDS, TWIN, UNMERGED
from dynamo_consistency.text import duration
from dynamo_consistency.web.index.checks import CheckFacts
from dynamo_consistency.web.index.digest import ClosedGate, Digest
from dynamo_consistency.web.models.sites import State
from dynamo_consistency.web.resources import ResourceState

STOPS = ("Inventory", "ListingHealth", "Limits")
"""Gates that something wrong closes, and not the time or a person's choice."""
LATE = timedelta(hours=1)
_WITHOUT_DEADLINE = timedelta(days=2)
_DIFFERENCES = (*(kind.name for kind in COMPARED_KINDS if kind is not TWIN), "holes")


@dataclass(frozen=True)
class Condition:
    """last: the last run that has ended, a dead one included; complete: the last complete run; earlier: the complete
    ones before that, oldest first; running: one that goes on. due: when the next run is; overdue: for how long."""

    state: State
    last: Digest | None
    complete: Digest | None
    earlier: list[Digest]
    running: Digest | None
    due: datetime | None
    overdue: timedelta
    awaiting: bool


def condition_of(
    runs: list[Digest], check: CheckFacts | None, now: datetime, resource: ResourceState | None = None
) -> Condition:
    """`runs`: of one check, oldest first, at least one. `check`: as the last of them holds it; `resource`: as it is."""
    deadline = check.run_deadline if check else _WITHOUT_DEADLINE
    goes_on = [run for run in runs[-1:] if not run.has_ended and _age(run, now) <= deadline]
    ended = runs[:-1] if goes_on else runs
    complete = [run for run in runs if run.is_complete]
    due = check.next_due(runs[-1].start) if check else None
    due = resource.next_run if resource else due
    overdue = _overdue(due, check, complete[-1] if complete else None, now) if not goes_on else timedelta()
    last, awaiting = ended[-1] if ended else None, bool(complete) and awaits_approval(complete[-1])
    return Condition(
        state=_state(last, complete[-1] if complete else None, awaiting, bool(overdue)),
        last=last,
        complete=complete[-1] if complete else None,
        earlier=complete[:-1],
        running=goes_on[0] if goes_on else None,
        due=due,
        overdue=overdue,
        awaiting=awaiting,
    )


def awaits_approval(run: Digest) -> bool:
    """Would an approval let it act? It lifts the limits, and no other gate."""
    closed = {gate.name for gate in run.closed}
    return "Approval" in closed and closed <= {"Approval", "Limits"}


def _age(run: Digest, now: datetime) -> timedelta:
    return timedelta.max if run.start is None else now - datetime.fromtimestamp(run.start, UTC)


def _overdue(due: datetime | None, check: CheckFacts | None, complete: Digest | None, now: datetime) -> timedelta:
    if due is None or check is None:
        return timedelta()
    if now > due + LATE:
        return now - due
    interval = check.interval(now)
    if complete is None or complete.start is None or interval is None:
        return timedelta()
    late = now - datetime.fromtimestamp(complete.start, UTC) - 2 * interval
    return max(late, timedelta())


def _state(last: Digest | None, complete: Digest | None, awaiting: bool, overdue: bool) -> State:
    if last is not None and not last.is_complete:
        return "Failed"
    if complete is not None and not awaiting and _stopped(complete):
        return "GateClosed"
    if awaiting:
        return "AwaitingApproval"
    if overdue:
        return "Overdue"
    differs = complete is not None and any(complete.counts.get(name) for name in _DIFFERENCES)
    return "Findings" if differs else "Quiet"


def _stopped(run: Digest) -> list[ClosedGate]:
    return [gate for gate in run.closed if gate.name in STOPS and gate.state == "Rejected"]


def next_step(condition: Condition, check: CheckFacts | None) -> str:
    """What a person should do, in one sentence."""
    last, complete = condition.last, condition.complete
    if condition.state == "Failed" and last is not None:
        return after_failure(last)
    if complete is None:
        return "Nothing to do: the first run is under way." if condition.running else "Start a run."
    if condition.state == "GateClosed":
        gate = _stopped(complete)[0]
        return f"Find out why the gate {gate.name} is closed: {gate.message.rstrip('.')}."
    if condition.state == "AwaitingApproval":
        return f"Look at run {complete.run_id} and approve it, or leave its findings to the next run."
    if condition.state == "Overdue":
        late = duration(condition.overdue.total_seconds())
        return f"See why no run has succeeded: one is overdue for {late}."
    return _of_findings(complete, check) if condition.state == "Findings" else "Nothing to do."


def after_failure(last: Digest) -> str:
    """What a person should do about a run that has not come to its end, or proves nothing."""
    if last.result == "Unfinished":
        return f"See why run {last.run_id} has not come to its end, then run the check again."
    if last.result == "Unreadable":
        return f"Run {last.run_id} cannot be read and counts for nothing: look at its summary.json, then run again."
    reason = last.reason.rstrip(".") or "it does not say why"
    became = "fail" if last.result == "Failed" else last.result.lower()
    return f"Mend what made the last run {became}, then run the check again: {reason}."


def _of_findings(run: Digest, check: CheckFacts | None) -> str:
    if run.requested:
        return f"Nothing to do: {run.requested:,} requests are made, and the next run tells what became of them."
    found = [kind for kind in ACTED_ON_KINDS if run.counts.get(kind.name) and kind is not UNMERGED]
    if not found:
        return "Look at the directories that could not be listed."
    if check and not any(check.modes.get(kind.name) == "Enforce" for kind in found):
        return "Look at the findings: the check only reports them (mode Report), and requests nothing."
    if any(gate.name == "Confirmation" for gate in run.closed):
        return "Nothing to do: the findings have to stand in more runs before anything is requested."
    return "Look at the findings: nothing was requested for them in the last run."
