"""What starts a run: the schedule, a token in the spec or one in an annotation."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from consistency_operator.plan.approval import approved_ids
from consistency_operator.plan.context import Scene, newest_number, run_number
from consistency_operator.plan.schedule import Schedule, schedule_of
from consistency_operator.plan.types import Event
from consistency_operator.resource.reasons import EventReason
from consistency_operator.resource.status import Run, Status, Trigger

LATE = timedelta(minutes=5)
"""A scheduled run that starts so much after its time is called a catch-up."""
FAR_AHEAD = timedelta(days=1)
"""Nearer than that, a last time in the future is believed: the clock has gone back, and no time is run twice."""


@dataclass(frozen=True)
class Due:
    """A written time of the schedule that has come; `deadline`: when its run is missed."""

    written: datetime
    start: datetime
    deadline: datetime | None
    skipped: bool

    def missed(self, now: datetime) -> bool:
        return self.deadline is not None and now >= self.deadline


@dataclass(frozen=True)
class Asks:
    """What asks for a run and has not been given one; a run serves all of it."""

    due: Due | None = None
    manual: str | None = None
    requested_at: str | None = None

    def __bool__(self) -> bool:
        return bool(self.due or self.manual or self.requested_at)


def armed_schedule(scene: Scene) -> Schedule | None:
    """The schedule by which runs start; None where there is none, or none may start."""
    check = scene.resource.check
    return schedule_of(check, scene.resource.uid) if check and scene.open_spec else None


def observe_schedule(scene: Scene, status: Status) -> Status:
    """Note a schedule that is new, edited or resumed: of its times, those before now are not run any more.

    A last time that lies far in the future, as a wrong clock leaves it, is then forgotten as well.
    """
    schedule = armed_schedule(scene)
    text = schedule.text if schedule else None
    if text == status.observed_schedule and (text is None) == (status.observed_schedule_time is None):
        return status
    last = status.last_schedule_time
    return status.model_copy(
        update={
            "observed_schedule": text,
            "observed_schedule_time": scene.now if text else None,
            "last_schedule_time": last if last and last < scene.now + FAR_AHEAD else None,
        }
    )


def next_run_time(scene: Scene, status: Status) -> datetime | None:
    """When the schedule next starts a run."""
    schedule = armed_schedule(scene)
    if schedule is None:
        return None
    following = schedule.next_after(max(_handled_until(scene, status), scene.now - schedule.jitter))
    return schedule.due_time(following) if following else None


def asks(scene: Scene, status: Status) -> Asks:
    """What asks for a run now; nothing does while none may start."""
    spec = scene.open_spec
    if spec is None:
        return Asks()
    due = due_time(scene, status)
    manual, requested_at = spec.trigger.manual, scene.resource.requested_at
    return Asks(
        due=None if due and due.missed(scene.now) else due,
        manual=manual if manual != status.last_manual_trigger else None,
        requested_at=requested_at if requested_at != status.last_handled_requested_at else None,
    )


def due_time(scene: Scene, status: Status) -> Due | None:
    """The last time of the schedule that has come and was not handled yet; earlier ones are skipped."""
    schedule, spec = armed_schedule(scene), scene.open_spec
    handled = _handled_until(scene, status)
    written = schedule.last_due(handled, scene.now) if schedule else None
    if schedule is None or spec is None or written is None:
        return None
    start, patience = schedule.due_time(written), spec.starting_deadline_seconds
    deadline = None if patience is None else start + timedelta(seconds=patience)
    return Due(written, start, deadline, skipped=schedule.next_after(handled) != written)


def start(scene: Scene, status: Status) -> tuple[Status, tuple[Event, ...]]:
    """Of an idle check: with a new run in the queue where something asks for one and no Job goes on; and events."""
    due = due_time(scene, status)
    if due and due.missed(scene.now):
        return status.model_copy(update={"last_schedule_time": due.written}), (_missed(due),)
    asked = asks(scene, status)
    if not asked or any(scene.unfinished(status)):
        return status, ()
    run = _new_run(scene, status, asked)
    update: dict[str, Any] = {"run": run, "last_run_id": run.id}
    if asked.due:
        update["last_schedule_time"] = asked.due.written
    if asked.manual:
        update["last_manual_trigger"] = asked.manual
    if asked.requested_at:
        update["last_handled_requested_at"] = asked.requested_at
    events = (_skipped(asked.due),) if asked.due and asked.due.skipped else ()
    return status.model_copy(update=update), events


def _new_run(scene: Scene, status: Status, asked: Asks) -> Run:
    """Its id is greater than any before, also where the clock has gone back or a run by hand came in between.

    None that is approved already is given: that approval was of a run of a check that has since been made again.
    """
    newest = max([newest_number(status), *(run_number(job.run_id) for job in scene.jobs)])
    minute = int((asked.due.start if asked.due else scene.now).timestamp() // 60)
    approved = approved_ids(scene.resource)
    number = next(number for number in count(max(minute, newest + 1)) if str(number) not in approved)
    return Run(
        id=str(number),
        trigger=_trigger(scene, asked),
        generation=scene.resource.generation,
        start_time=scene.now,
        starting_deadline_time=asked.due.deadline if asked.due else None,
        stage="Queued",
        stage_start_time=scene.now,
    )


def _trigger(scene: Scene, asked: Asks) -> Trigger:
    if asked.due:
        return "CatchUp" if scene.now - asked.due.start > LATE else "Schedule"
    return "Manual" if asked.manual else "Requested"


def _handled_until(scene: Scene, status: Status) -> datetime:
    """The written time up to which all have been run, or are not to be run any more."""
    return max(filter(None, (status.observed_schedule_time, status.last_schedule_time)), default=scene.now)


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
