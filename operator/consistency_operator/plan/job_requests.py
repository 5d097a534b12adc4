"""Asking for the Job of a stage: once, or again where it is sure that there is none.

The problem: the API server may refuse a Job, be away, or say nothing. The Job of the action must not be made twice, as
what it requests may have been done before it vanished. Yet a run that was approved must not be lost to a quota.

The way: "refused for sure" and "nobody knows" are told apart. A Job that the API server has refused was not made: it is
asked for again until the run's deadline, be it the action's, and the status says in which request that was answered, so
that it is known after a restart as well. Where nobody knows, a Job is asked for again because its name makes that
harmless, but for the action's.
"""

import re
from datetime import timedelta

from consistency_operator import names
from consistency_operator.cluster.job_state import JobState
from consistency_operator.names import JobStage
from consistency_operator.plan.context import Finish, PlanContext, StageOutcome, Wait, pause_after
from consistency_operator.plan.outcome import times
from consistency_operator.plan.types import CreateJob, Event
from consistency_operator.resource.reasons import EventReason, Succeeded
from consistency_operator.resource.status import JobRecord, Obstacle, Refusal, Run

SEEN_WITHIN = timedelta(seconds=60)
"""A Job that was asked for is seen after this time, or never. Before that, the watch may lag."""
LOOK_AGAIN = timedelta(seconds=5)
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=10)
"""Between two requests for a Job that is refused."""


def absent(context: PlanContext, run: Run, stage: JobStage, record: JobRecord | None) -> Wait | Finish:
    """No such Job: not asked for yet, refused, not seen yet, or gone."""
    refusal = record.refusal if record else None
    if too_late(context, run):
        return _refused_until_the_end(run, record, refusal) if record and refusal else deadline(run, None)
    if record and record.uid:
        return _vanished(run, f"the Job {record.name} is gone before its result was seen; somebody has deleted it")
    if record and refusal and is_refused(record):
        return _refused(context, run, stage, record, refusal)
    if record and context.now < record.request_time + SEEN_WITHIN:
        return Wait(run, record.request_time + SEEN_WITHIN)
    if record and stage == "Action":
        why = "was asked for and never seen, and nobody knows whether it was made; it is not asked for twice"
        return _vanished(run, f"the Job {record.name} {why}")
    return _asked(context, run, stage, record)


def taken(context: PlanContext, run: Run, job: JobState, record: JobRecord | None) -> StageOutcome:
    """An earlier check of this name has a Job of this run's name. It is not adopted: ours is made when it has gone.

    As the name was taken, ours was not made: it can be asked for again, and be it the action's.
    """
    if too_late(context, run):
        return deadline(run, job)
    run = waiting(run, "NameTaken", f"waits until the Job {job.name} of a deleted check of this name has gone")
    if context.resource.check is None or (record and abs(context.now - record.request_time) < LOOK_AGAIN):
        return Wait(run, context.now + LOOK_AGAIN)
    run = with_record(run, JobRecord(stage=job.stage, name=job.name, request_time=context.now))
    return Wait(run, context.now + LOOK_AGAIN, (_wanted(context, run, job.stage),))


def not_to_be_had(run: Run, job: JobState) -> Finish:
    """The name belongs to somebody else, or there is something in the Job that waiting does not change."""
    if job.state == "Foreign":
        message = f"there is a Job {job.name} already, and it does not belong to this check; delete or rename it"
        return Finish(run, "Failed", Succeeded.JOB_FOREIGN, message)
    return Finish(run, "Failed", Succeeded.JOB_REFUSED, f"the Job {job.name} cannot be made: {job.problem}")


def with_answer(run: Run, job: JobState, record: JobRecord | None) -> tuple[Run, tuple[Event, ...]]:
    """The run that knows of a refusal, and an event about it unless the same was said before, numbers apart."""
    if record is None or job.asked != record.request_time or is_refused(record):
        return run, ()
    before = record.refusal
    attempts = before.attempts + 1 if before else 1
    refusal = Refusal(attempts=attempts, message=job.problem, request_time=record.request_time)
    run = with_record(run, record.model_copy(update={"refusal": refusal}))
    if before and _without_numbers(before.message) == _without_numbers(job.problem):
        return run, ()
    said = f"run {run.id}: the cluster does not accept the Job {job.name}: {job.problem}; it is asked again"
    return run, (Event(EventReason.JOB_REFUSED, said),)


def is_refused(record: JobRecord) -> bool:
    """Was the last request answered by a refusal? Then there is surely no Job."""
    return record.refusal is not None and record.refusal.request_time == record.request_time


def deadline(run: Run, job: JobState | None) -> Finish:
    """The end of a run that took too long."""
    hindrance = f"; {job.problem}" if job and job.problem and job.reason != "DeadlineExceeded" else ""
    message = f"the stage {run.stage} was still going on at the end of spec.runDeadlineSeconds{hindrance}"
    return Finish(run, "Failed", Succeeded.DEADLINE_EXCEEDED, message)


def too_late(context: PlanContext, run: Run) -> bool:
    """Is the time of the run over?"""
    return run.deadline_time is not None and context.now >= run.deadline_time


def waiting(run: Run, obstacle: Obstacle | None, message: str) -> Run:
    """The run while it waits for something, or (None) goes on."""
    return run.model_copy(update={"waits_for": obstacle, "message": message})


def with_record(run: Run, record: JobRecord) -> Run:
    """The run with this record of a Job."""
    others = [job for job in run.jobs if job.stage != record.stage]
    return run.model_copy(update={"jobs": [*others, record]})


def _refused(context: PlanContext, run: Run, stage: JobStage, record: JobRecord, refusal: Refusal) -> Wait:
    """Until the pause is over, or the check is edited: what is wrong may stand in it."""
    due = record.request_time + pause_after(refusal.attempts, FIRST_PAUSE, LONGEST_PAUSE)
    told = waiting(
        run,
        "JobRefused",
        f"the cluster does not accept the Job {record.name}: {refusal.message}; asked again at {due:%H:%M:%S} UTC",
    )
    if context.now == record.request_time:  # the time of a request says which one was answered
        return Wait(told, context.now + LOOK_AGAIN)
    clock_has_gone_back = due > context.now + LONGEST_PAUSE
    if context.now >= due or context.edited or clock_has_gone_back:
        return _asked(context, run, stage, record)
    return Wait(told, due)


def _asked(context: PlanContext, run: Run, stage: JobStage, record: JobRecord | None) -> Wait:
    if context.resource.check is None:
        message = "the spec is not valid any more; the run goes on when it is"
        return Wait(waiting(run, "InvalidSpec", message), run.deadline_time)
    name = names.job_name(context.resource.name, run.id, stage)
    refusal = record.refusal if record else None
    run = with_record(run, JobRecord(stage=stage, name=name, request_time=context.now, refusal=refusal))
    run = run if refusal else waiting(run, None, "")
    return Wait(run, context.now + SEEN_WITHIN, (_wanted(context, run, stage),))


def _wanted(context: PlanContext, run: Run, stage: JobStage) -> CreateJob:
    return CreateJob(stage, run.id, run.approval is not None, _seconds_left(context, run))


def _refused_until_the_end(run: Run, record: JobRecord, refusal: Refusal) -> Finish:
    said = f"{refusal.message}; asked {times(refusal.attempts)}"
    message = f"the cluster did not accept the Job {record.name} until the end of spec.runDeadlineSeconds: {said}"
    return Finish(run, "Failed", Succeeded.JOB_REFUSED, message)


def _vanished(run: Run, message: str) -> Finish:
    return Finish(run, "Failed", Succeeded.JOB_VANISHED, message)


def _without_numbers(message: str) -> str:
    return re.sub(r"\d+", "", message)


def _seconds_left(context: PlanContext, run: Run) -> int:
    end = run.deadline_time or context.deadline_from_now()
    return max(1, int((end - context.now).total_seconds()))
