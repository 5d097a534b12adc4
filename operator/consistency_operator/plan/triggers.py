"""What starts a run: the schedule, a token in the spec or a token in an annotation.

The problem: each request must start one run, not none and not two, whatever happens in between: a restart, a plan that
is made twice, a clock that is set back, a schedule that is edited while a run goes on.

The way: nothing is counted and no timer is kept. The status says what was handled last: the written time of the
schedule, the manual token, the token of the annotation. A request is there when what is wanted differs from that. The
run and the mark that it was handled are written in one status, so that neither can exist without the other. Of several
requests one run serves all; of times that were missed only the last is caught up with, and an event says so. A new,
edited or resumed schedule begins now: its earlier times do not run. Run ids only grow, even if the clock goes back,
since a directory of the run's name may be there already.

Not chosen: a timer for each check, since it dies with the process and knows nothing of what was missed; a run for each
missed time, since ten comparisons of the same site in a row find nothing new; a token that the operator removes, since
it would write to the spec, which belongs to a person and to git.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from consistency_operator.plan.approval import approved_ids
from consistency_operator.plan.context import PlanContext, known_numbers, run_number
from consistency_operator.plan.types import Event
from consistency_operator.resource.reasons import EventReason
from consistency_operator.resource.status import CheckStatus, Run, RunTrigger
from dynamo_consistency.schedule import CronSchedule, schedule_of

LATE = timedelta(minutes=5)
"""A scheduled run that starts so much after its time is called a catch-up."""


@dataclass(frozen=True)
class Due:
    """A written time of the schedule that has come; `deadline`: when its run is missed."""

    written: datetime
    start: datetime
    deadline: datetime | None
    skipped: bool

    def missed(self, now: datetime) -> bool:
        """Whether it is too late to start this run."""
        return self.deadline is not None and now >= self.deadline


@dataclass(frozen=True)
class RunRequest:
    """What asks for a run and has not got one yet; one run serves all of it."""

    due: Due | None = None
    manual: str | None = None
    requested_at: str | None = None

    def __bool__(self) -> bool:
        return bool(self.due or self.manual or self.requested_at)


def armed_schedule(context: PlanContext) -> CronSchedule | None:
    """The schedule by which runs start; None where there is none, or none may start."""
    check = context.resource.check
    return schedule_of(check, context.resource.uid) if check and context.open_spec else None


def observe_schedule(context: PlanContext, status: CheckStatus) -> CheckStatus:
    """Note a schedule that is new, edited or resumed: of its times, those before now are not run any more.

    So is one with a last time far in the future, as a wrong clock leaves it: that time is forgotten.
    """
    schedule = armed_schedule(context)
    text = schedule.text if schedule else None
    last, since = status.last_schedule_time, status.observed_schedule_time
    far_ahead = any(time is not None and context.is_in_far_future(time) for time in (last, since))
    if text == status.observed_schedule and (text is None) == (since is None) and not far_ahead:
        return status
    return status.model_copy(
        update={
            "observed_schedule": text,
            "observed_schedule_time": context.now if text else None,
            "last_schedule_time": last if last and not context.is_in_far_future(last) else None,
        }
    )


def next_run_time(context: PlanContext, status: CheckStatus) -> datetime | None:
    """When the schedule next starts a run."""
    schedule = armed_schedule(context)
    if schedule is None:
        return None
    following = schedule.next_after(max(_handled_until(context, status), context.now - schedule.jitter))
    return schedule.due_time(following) if following else None


def run_request(context: PlanContext, status: CheckStatus) -> RunRequest:
    """What asks for a run now; empty while none may start."""
    spec = context.open_spec
    if spec is None:
        return RunRequest()
    due = due_time(context, status)
    manual, requested_at = spec.trigger.manual, context.resource.requested_at
    return RunRequest(
        due=None if due and due.missed(context.now) else due,
        manual=manual if manual != status.last_manual_trigger else None,
        requested_at=requested_at if requested_at != status.last_handled_requested_at else None,
    )


def due_time(context: PlanContext, status: CheckStatus) -> Due | None:
    """The last time of the schedule that has come and was not handled yet; earlier ones are skipped."""
    schedule, spec = armed_schedule(context), context.open_spec
    handled = _handled_until(context, status)
    written = schedule.last_due(handled, context.now) if schedule else None
    if schedule is None or spec is None or written is None:
        return None
    start, patience = schedule.due_time(written), spec.starting_deadline_seconds
    deadline = None if patience is None else start + timedelta(seconds=patience)
    return Due(written, start, deadline, skipped=schedule.next_after(handled) != written)


def start_run(context: PlanContext, status: CheckStatus) -> tuple[CheckStatus, tuple[Event, ...]]:
    """Of an idle check: with a new run in the queue where something asks for one and no Job goes on; and events."""
    due = due_time(context, status)
    if due and due.missed(context.now):
        return status.model_copy(update={"last_schedule_time": due.written}), (_missed(due),)
    request = run_request(context, status)
    if not request or any(context.unfinished(status)):
        return status, ()
    run = _new_run(context, status, request)
    update: dict[str, Any] = {"run": run, "last_run_id": run.id}
    if request.due:
        update["last_schedule_time"] = request.due.written
    if request.manual:
        update["last_manual_trigger"] = request.manual
    if request.requested_at:
        update["last_handled_requested_at"] = request.requested_at
    events = (_skipped(request.due),) if request.due and request.due.skipped else ()
    return status.model_copy(update=update), events


def _new_run(context: PlanContext, status: CheckStatus, request: RunRequest) -> Run:
    """Its id is greater than any before, also where the clock has gone back or a run by hand came in between.

    Ids of a time far in the future do not count: what is dated so confirms nothing (rules.md, gate 10), and the next
    run would be as well.

    None that is approved already is given: that approval was of a run of a check that has since been made again.
    """
    numbers = [*known_numbers(status), *(run_number(job.run_id) for job in context.jobs)]
    newest = max((number for number in numbers if not context.is_far_ahead(number)), default=0)
    minute = int((request.due.start if request.due else context.now).timestamp() // 60)
    approved = approved_ids(context.resource)
    number = next(number for number in count(max(minute, newest + 1)) if str(number) not in approved)
    return Run(
        id=str(number),
        trigger=_trigger(context, request),
        generation=context.resource.generation,
        start_time=context.now,
        starting_deadline_time=request.due.deadline if request.due else None,
        stage="Queued",
        stage_start_time=context.now,
    )


def _trigger(context: PlanContext, request: RunRequest) -> RunTrigger:
    if request.due:
        return "CatchUp" if context.now - request.due.start > LATE else "Schedule"
    return "Manual" if request.manual else "Requested"


def _handled_until(context: PlanContext, status: CheckStatus) -> datetime:
    """The written time up to which all have been run, or are not to be run any more."""
    return max(filter(None, (status.observed_schedule_time, status.last_schedule_time)), default=context.now)


def _missed(due: Due) -> Event:
    return Event(
        EventReason.RUN_MISSED,
        f"the run due at {due.start:%Y-%m-%d %H:%M} UTC was not started in time (spec.startingDeadlineSeconds)",
    )


def _skipped(due: Due) -> Event:
    return Event(
        EventReason.RUN_MISSED,
        f"of the runs due until {due.start:%Y-%m-%d %H:%M} UTC only the last one is caught up with",
    )
