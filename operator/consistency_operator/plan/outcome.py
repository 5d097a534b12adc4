"""After the comparison: what the findings and the gates let happen; after the action: what has happened."""

from collections.abc import Iterable

from consistency_operator.plan.context import Enter, Finish, StageOutcome
from consistency_operator.plan.types import Event
from consistency_operator.resource.reasons import EventReason, Succeeded
from consistency_operator.resource.status import CountsByName, GateRecord, Run
from dynamo_consistency.kinds import ACTED_ON_KINDS, COMPARED_KINDS, findings_text
from dynamo_consistency.notify.events import waits_for_approval_alone
from dynamo_consistency.text import word_for

ALWAYS_COUNTED = tuple(kind.name for kind in COMPARED_KINDS if kind.request)
"""What a complete comparison has counted, whatever the check, and what the verdict needs."""


def compared(run: Run) -> StageOutcome:
    """Of a run that is complete, with its counts and gates. Where in doubt, it ends here and requests nothing."""
    completed = Event(EventReason.STAGE_COMPLETED, f"Comparison: {_found(run)}")
    closed = [gate for gate in run.gates if gate.state != "Ready"]
    if not closed and _total(run.counts):
        return Enter(run, "Action", (completed,))
    if waits_for_approval_alone({gate.name: gate.state for gate in closed}):
        return _ask_for_approval(run, closed, completed)
    rejected = [gate for gate in closed if gate.state == "Rejected"]
    if rejected:
        return _closed(run, rejected, (completed,))
    if not _total(run.counts):
        return Finish(run, "Complete", Succeeded.NOTHING_TO_DO, _found(run), (completed,))
    return Finish(run, "Complete", Succeeded.REPORTED, f"{_found(run)}; {_said(closed)}", (completed,))


def requested(run: Run) -> StageOutcome:
    """Of a run whose action has come to its end; it has looked at the gates again."""
    rejected = [gate for gate in run.gates if gate.state != "Ready"]
    if rejected and not run.deletions and not run.transfers:
        return _closed(run, rejected, ())
    message = _requested(run)
    event = Event(EventReason.ACTIONS_REQUESTED, message)
    return Finish(run, "Complete", Succeeded.COMPLETED, f"{_found(run)}; {message}", (event,))


def _found(run: Run) -> str:
    """The findings in words, and why some may be lacking."""
    lacking = f"; nothing of the unmerged area is deleted: {run.unmerged_trouble}" if run.unmerged_trouble else ""
    return findings_text(run.counts) + lacking


def _total(counts: CountsByName) -> int:
    """Findings that may be acted on."""
    return sum(counts.get(kind.name, 0) for kind in ACTED_ON_KINDS)


def _ask_for_approval(run: Run, closed: list[GateRecord], completed: Event) -> StageOutcome:
    if run.approval:
        return Enter(run, "Action", (completed,))
    message = f"{_found(run)}; {_said(closed)}"
    event = Event(EventReason.APPROVAL_REQUIRED, message)
    return Enter(run.model_copy(update={"message": message}), "AwaitingApproval", (completed, event))


def _closed(run: Run, gates: list[GateRecord], before: tuple[Event, ...]) -> StageOutcome:
    message = f"{_found(run)}; {_said(gates)}"
    event = Event(EventReason.GATE_CLOSED, message)
    return Finish(run, "Complete", Succeeded.GATE_CLOSED, message, (*before, event))


def _said(gates: Iterable[GateRecord]) -> str:
    return "; ".join(f"{gate.name}: {gate.message or gate.state}" for gate in gates)


def times(number: int) -> str:
    """How often, in words."""
    return "once" if number == 1 else f"{number} times"


def _requested(run: Run) -> str:
    deletions = sum(request.requested for request in run.deletions)
    transfers = sum(request.requested for request in run.transfers)
    message = f"requested: {_number(deletions, 'deletion')}, {_number(transfers, 'transfer')}"
    waiting = sum(request.waiting for request in (*run.deletions, *run.transfers))
    of_earlier = f"; for {_number(waiting, 'finding')} a request of an earlier run still waits" if waiting else ""
    return message + of_earlier


def _number(number: int, word: str) -> str:
    return f"{number} {word_for(number, word)}"
