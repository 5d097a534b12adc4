"""The stages before the first Job: the run waits for its turn, then for site and backend."""

from datetime import datetime, timedelta

from consistency_operator.plan.admission import Admitted
from consistency_operator.plan.context import Enter, Finish, PlanContext, StageOutcome, Wait, Withdraw
from consistency_operator.plan.types import AskBackend, Event, Preflight
from consistency_operator.resource.reasons import EventReason, Succeeded
from consistency_operator.resource.status import Run, Trial, whole_seconds

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)


def queued(context: PlanContext, run: Run) -> StageOutcome:
    """Wait for a free run slot."""
    if over := _over_before_it_began(context, run):
        return over
    decided = context.admission(run)
    if isinstance(decided, Admitted):
        begun = run.model_copy(update={"deadline_time": context.deadline_from_now(), "message": ""})
        return Enter(begun, "Preparing", (Event(EventReason.RUN_STARTED, f"run {run.id} begins ({run.trigger})"),))
    message = decided.message if decided else run.message or "waits for its turn"
    return Wait(run.model_copy(update={"message": message}), run.starting_deadline_time)


def preparing(context: PlanContext, run: Run) -> StageOutcome:
    """Ask whether the site is ready and the backend answers, again and again until the run is too late."""
    if over := _over_before_it_began(context, run):
        return over
    answer, trial = context.preflight(run), run.preflight
    if answer and (trial is None or whole_seconds(answer.time) != trial.time):
        if answer.ok:
            ready = {"preflight": None, "message": "", "generation": context.resource.generation}
            return Enter(run.model_copy(update=ready), "Snapshot")
        trial = _one_more(context, trial, answer)
        run = run.model_copy(update={"preflight": trial, "message": _trial_message(trial)})
    latest_start = _latest_start(run)
    if trial and context.now < trial.next_time <= context.now + LONGEST_PAUSE:  # else the clock has gone back
        return Wait(run, min(trial.next_time, latest_start) if latest_start else trial.next_time)
    return Wait(run, latest_start, (AskBackend(run.id),))


def _over_before_it_began(context: PlanContext, run: Run) -> StageOutcome | None:
    if context.open_spec is None:
        why = "is suspended" if context.resource.check else "has no valid spec any more"
        return Withdraw(f"run {run.id} had not begun and is withdrawn: the check {why}")
    latest_start = _latest_start(run)
    if latest_start is None or context.now < latest_start:
        return None
    if run.preflight:
        reason = Succeeded(run.preflight.reason)
        return Finish(run, "Failed", reason, f"{run.preflight.message}; asked {run.preflight.attempts} times")
    if run.stage == "Queued" or latest_start == run.starting_deadline_time:
        missed = "it could not begin in time (spec.startingDeadlineSeconds)"
        events = (Event(EventReason.RUN_MISSED, f"run {run.id}: {missed}"),)
        return Finish(run, "Failed", Succeeded.STARTING_DEADLINE_EXCEEDED, missed, events)
    return Finish(run, "Failed", Succeeded.DEADLINE_EXCEEDED, "site and backend could not be asked in time")


def _latest_start(run: Run) -> datetime | None:
    """When it is too late to begin."""
    return min(filter(None, (run.starting_deadline_time, run.deadline_time)), default=None)


def _one_more(context: PlanContext, trial: Trial | None, answer: Preflight) -> Trial:
    attempts = trial.attempts + 1 if trial else 1
    pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
    return Trial(
        attempts=attempts,
        reason=answer.reason or "BackendUnreachable",
        message=answer.message,
        time=whole_seconds(answer.time),
        next_time=context.now + pause,
    )


def _trial_message(trial: Trial) -> str:
    return f"{trial.message}; asked again at {trial.next_time:%H:%M:%S} UTC"
