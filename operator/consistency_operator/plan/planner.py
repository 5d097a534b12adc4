"""The plan of a check: steps until nothing more is to be done, then the conditions and events that report it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from consistency_operator.cluster.job_state import JobState
from consistency_operator.plan import clock, conditions, job_retention, triggers
from consistency_operator.plan.context import Enter, Finish, PlanContext, StageOutcome, Wait, Withdraw, run_number
from consistency_operator.plan.stages import advance
from consistency_operator.plan.types import Action, Event, Plan, World
from consistency_operator.resource.check import Resource
from consistency_operator.resource.reasons import EventReason, Succeeded
from consistency_operator.resource.status import (
    HISTORY,
    CheckStatus,
    FinishedRun,
    PastResult,
    Run,
    short,
    whole_seconds,
)

_MOST_STEPS = 50
_SOON = timedelta(seconds=10)


def plan(resource: Resource, status: CheckStatus, jobs: Iterable[JobState], now: datetime, world: World) -> Plan:
    """What to do about one check, from its resource, its last status and all Jobs that it owns.

    Total: gives a plan for every combination, and never raises. Idempotent: planning from `Plan.status` with all else
    the same gives that status again. Of the Jobs, those that are missing are known to be missing: the caller must have
    listed all of them before it asks. A resource that is being deleted is left alone: its Jobs go with it.
    """
    if resource.deleting:
        return Plan(status)
    edited = status.observed_generation != resource.generation
    context = PlanContext(resource, tuple(jobs), whole_seconds(now), world, edited)
    draft = Draft(triggers.observe_schedule(context, clock.believed(context, status)))
    for _ in range(_MOST_STEPS):
        if draft.settled:
            break
        draft = _step(context, draft)
    update = {
        "observed_generation": resource.generation,
        "next_run_time": triggers.next_run_time(context, draft.status),
    }
    after = conditions.with_all_conditions(context, draft.status.model_copy(update=update))
    wake_at = min(filter(None, (draft.wake_at, after.next_run_time)), default=None)
    return Plan(
        status=after,
        events=(*conditions.condition_events(status, after), *draft.events),
        actions=(*draft.actions, *job_retention.deletions(context, after)),
        wake_at=wake_at if draft.settled else context.now + _SOON,
    )


@dataclass(frozen=True)
class Draft:
    """A plan that is not finished. `settled`: no further step changes anything now."""

    status: CheckStatus
    events: tuple[Event, ...] = ()
    actions: tuple[Action, ...] = ()
    wake_at: datetime | None = None
    settled: bool = False

    def with_status(self, status: CheckStatus, *events: Event) -> "Draft":
        """The draft with another status, and with further events."""
        return replace(self, status=status, events=self.events + events)


def _step(context: PlanContext, draft: Draft) -> Draft:
    run = draft.status.run
    if run is not None:
        return _apply(context, draft, advance(context, draft.status, run))
    status, events = triggers.start_run(context, draft.status)
    return replace(draft.with_status(status, *events), settled=status == draft.status)


def _apply(context: PlanContext, draft: Draft, outcome: StageOutcome) -> Draft:
    match outcome:
        case Wait(run, until, actions):
            waiting = run.model_copy(update={"message": short(run.message)})
            draft = draft.with_status(draft.status.model_copy(update={"run": waiting}), *outcome.events)
            return replace(draft, actions=actions, wake_at=until, settled=True)
        case Enter():
            return draft.with_status(_entered(context, draft.status, outcome), *outcome.events)
        case Finish():
            return draft.with_status(_finished(context, draft.status, outcome), *outcome.events, _end(outcome))
        case Withdraw(run, message):
            past = _past(context, run, "Withdrawn", Succeeded.WITHDRAWN, message)
            return draft.with_status(_with_past(context, draft.status, past), Event(EventReason.RUN_MISSED, message))


def _entered(context: PlanContext, status: CheckStatus, outcome: Enter) -> CheckStatus:
    moved = {"stage": outcome.stage, "stage_start_time": context.now, "waits_for": None}
    run = outcome.run.model_copy(update=moved)
    update: dict[str, object] = {"run": run}
    if outcome.stage == "Preparing":
        update["last_run_time"] = context.now
    if outcome.stage == "AwaitingApproval":
        update["last_successful_run_time"] = context.now
    status = status.model_copy(update=update)
    return (
        conditions.with_verdict(context, status, run.counts)
        if outcome.stage in ("AwaitingApproval", "Action")
        else status
    )


def _finished(context: PlanContext, status: CheckStatus, outcome: Finish) -> CheckStatus:
    complete = outcome.result == "Complete"
    past = _past(context, outcome.run, outcome.result, outcome.reason, outcome.message)
    status = _with_past(context, status, past)
    if complete and outcome.run.stage != "AwaitingApproval":
        status = status.model_copy(update={"last_successful_run_time": context.now})
    status = conditions.set_condition(context, status, "Succeeded", complete, outcome.reason, message=outcome.message)
    return conditions.with_verdict(context, status, outcome.run.counts) if complete else status


def _with_past(context: PlanContext, status: CheckStatus, past: FinishedRun) -> CheckStatus:
    """The status after a run, its history newest first; a run of a time that is far ahead is none of the newest."""
    others = [run for run in status.history if run.id != past.id]

    def place(run: FinishedRun) -> int:
        number = run_number(run.id)
        return 0 if context.is_far_ahead(number) else number

    history = sorted([past, *others], key=place, reverse=True)
    return status.model_copy(update={"run": None, "history": history[:HISTORY]})


def _past(context: PlanContext, run: Run, result: PastResult, reason: Succeeded, message: str) -> FinishedRun:
    return FinishedRun(
        id=run.id,
        trigger=run.trigger,
        start_time=run.start_time,
        completion_time=context.now,
        result=result,
        reason=reason,
        message=short(message),
        counts=run.counts,
        closed_gates=[gate for gate in run.gates if gate.state != "Ready"],
        deletions=run.deletions,
        transfers=run.transfers,
        approval=run.approval,
        artifacts=run.artifacts,
    )


def _end(outcome: Finish) -> Event:
    reason = EventReason.RUN_SUCCEEDED if outcome.result == "Complete" else EventReason.RUN_FAILED
    return Event(reason, f"run {outcome.run.id}: {outcome.reason}: {outcome.message}")
