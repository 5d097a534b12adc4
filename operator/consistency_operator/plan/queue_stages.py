"""The stages before the first Job: the run waits for its turn, then for site and backend."""

from datetime import datetime, timedelta

from consistency_operator.plan.admission import Admitted
from consistency_operator.plan.context import Enter, Finish, PlanContext, StageOutcome, Wait, Withdraw, pause_after
from consistency_operator.plan.outcome import times
from consistency_operator.plan.types import AskBackend, Event, Preflight
from consistency_operator.resource.reasons import EventReason, Succeeded
from consistency_operator.resource.status import Run, Trial, whole_seconds

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
LOOKED_AT = timedelta(minutes=1)
"""A new version of backends.yaml is noticed within this time by runs that wait for one."""
FRESH = timedelta(minutes=5)
"""What site and backend have answered is believed for so long."""


def queued(context: PlanContext, run: Run) -> StageOutcome:
    """Wait for a free run slot."""
    if over := _over_before_it_began(context, run):
        return over
    decided = context.admission(run)
    if isinstance(decided, Admitted):
        begins = Event(EventReason.RUN_STARTED, f"run {run.id} begins ({run.trigger})")
        update = {"deadline_time": context.deadline_from_now(), "message": ""}
        return Enter(run.model_copy(update=update), "Preparing", () if run.deadline_time else (begins,))
    message = decided.message if decided else run.message or "waits for its turn"
    return Wait(run.model_copy(update={"message": message}), _latest_start(run))


def preparing(context: PlanContext, run: Run) -> StageOutcome:
    """Ask whether the site is ready and the backend answers, again and again until the run is too late.

    A run that had to wait for the answer has given its place up: it queues again, at the turn that it had.
    """
    if over := _over_before_it_began(context, run):
        return over
    answer, trial = context.preflight(run), run.preflight
    if answer and _is_news(run, answer):
        if answer.ok:
            ready = {"preflight": None, "waits_for": None, "message": "", "generation": context.resource.generation}
            return Enter(run.model_copy(update=ready), "Queued" if trial else "Snapshot")
        trial = _one_more(context, trial, answer)
    if trial and context.edited:
        trial = trial.model_copy(update={"next_time": context.now})
    if trial is None:
        return Wait(run, _latest_start(run), (AskBackend(run.id),))
    update = {"preflight": trial, "waits_for": trial.reason, "message": _trial_message(trial)}
    run = run.model_copy(update=update)
    if _pauses(context, trial) and not _may_have_changed(context, run, trial):
        return Wait(run, _looked_at_again(context, run, trial))
    return Wait(run, _latest_start(run), (AskBackend(run.id),))


def _is_news(run: Run, answer: Preflight) -> bool:
    """Was it given for this trial, and not long ago, before the run had to queue again?"""
    if run.preflight:
        return whole_seconds(answer.time) != run.preflight.time
    return answer.time >= run.stage_start_time - FRESH


def _pauses(context: PlanContext, trial: Trial) -> bool:
    return context.now < trial.next_time <= context.now + LONGEST_PAUSE  # else the clock has gone back


def _may_have_changed(context: PlanContext, run: Run, trial: Trial) -> bool:
    """Is there a reason to ask before the pause is over?"""
    if trial.reason == "Misconfigured":
        answer = context.preflight(run)
        return answer is None or answer.backends != context.world.backends
    return _answers_again(context, trial) and context.now >= trial.time + FIRST_PAUSE


def _answers_again(context: PlanContext, trial: Trial) -> bool:
    """Has the backend answered another check since it was asked in vain for this one?"""
    answered = context.world.backend_answered
    return trial.reason == "BackendUnreachable" and answered is not None and answered > trial.time


def _looked_at_again(context: PlanContext, run: Run, trial: Trial) -> datetime:
    soon = context.now + LOOKED_AT if trial.reason == "Misconfigured" else None
    once_more = trial.time + FIRST_PAUSE if _answers_again(context, trial) else None
    return min(filter(None, (trial.next_time, _latest_start(run), soon, once_more)))


def _over_before_it_began(context: PlanContext, run: Run) -> StageOutcome | None:
    if context.open_spec is None:
        why = "is suspended" if context.resource.check else "has no valid spec any more"
        return Withdraw(run, f"run {run.id} had not begun and is withdrawn: the check {why}")
    latest_start = _latest_start(run)
    if latest_start is None or context.now < latest_start:
        return None
    if run.preflight:
        reason = Succeeded(run.preflight.reason)
        return Finish(run, "Failed", reason, f"{run.preflight.message}; asked {times(run.preflight.attempts)}")
    if run.stage == "Queued" or latest_start == run.starting_deadline_time:
        missed = "it could not begin in time (spec.startingDeadlineSeconds)"
        events = (Event(EventReason.RUN_MISSED, f"run {run.id}: {missed}"),)
        return Finish(run, "Failed", Succeeded.STARTING_DEADLINE_EXCEEDED, missed, events)
    return Finish(run, "Failed", Succeeded.DEADLINE_EXCEEDED, "site and backend could not be asked in time")


def _latest_start(run: Run) -> datetime | None:
    """When it is too late to begin."""
    return min(filter(None, (run.starting_deadline_time, run.deadline_time)), default=None)


def _one_more(context: PlanContext, trial: Trial | None, answer: Preflight) -> Trial:
    """What a person must change is asked about once an hour only."""
    attempts = trial.attempts + 1 if trial else 1
    doubled = pause_after(attempts, FIRST_PAUSE, LONGEST_PAUSE)
    pause = LONGEST_PAUSE if answer.reason == "Misconfigured" else doubled
    return Trial(
        attempts=attempts,
        reason=answer.reason or "BackendUnreachable",
        message=answer.message,
        time=whole_seconds(answer.time),
        next_time=context.now + pause,
    )


def _trial_message(trial: Trial) -> str:
    changes = "when the check or backends.yaml changes, or " if trial.reason == "Misconfigured" else ""
    return f"{trial.message}; asked again {changes}at {trial.next_time:%H:%M:%S} UTC"
