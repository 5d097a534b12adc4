"""The stages that a Job does: follow it, and take its result."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from consistency_operator.cluster.job_state import JobState
from consistency_operator.names import JobStage
from consistency_operator.plan.context import Finish, PlanContext, StageOutcome, Wait
from consistency_operator.plan.job_requests import (
    LOOK_AGAIN,
    absent,
    deadline,
    not_to_be_had,
    taken,
    too_late,
    waiting,
    with_answer,
    with_record,
)
from consistency_operator.plan.types import ListPods
from consistency_operator.resource.reasons import Succeeded
from consistency_operator.resource.status import JobRecord, Run

REPORTED_WITHIN = timedelta(seconds=30)
"""After the end of a Job, a list of its pods has their results within this time, or never."""
GOING_WITHIN = timedelta(seconds=60)
"""A Job of which a pod does not run for so long is looked at more closely, each time it has passed again.

Before that it may be between two pods: its place is kept.
"""
STARTED_WITHIN = timedelta(hours=1)
"""A Job of which no pod has run by then is given up; but not one that is suspended, as a queue of Jobs may keep it."""

FAILED = {
    "Snapshot": Succeeded.SNAPSHOT_FAILED,
    "Listing": Succeeded.LISTING_FAILED,
    "Comparison": Succeeded.COMPARISON_FAILED,
    "Action": Succeeded.ACTION_FAILED,
}


def follow_job(
    context: PlanContext, run: Run, stage: JobStage, over: Callable[[Run, JobState], StageOutcome]
) -> StageOutcome:
    """The outcome of a stage now; `over` gives it for a Job that has ended and whose results are all here."""
    job, record = context.job(run, stage), run.job(stage)
    if job is None or (job.uid and record and record.uid not in (None, job.uid)):
        return absent(context, run, stage, record)
    match job.state:
        case "Foreign" | "Refused":
            return not_to_be_had(run, job)
        case "NotMade":
            run, events = with_answer(run, job, record)
            return replace(absent(context, run, stage, run.job(stage)), events=events)
        case "Leaving":
            return taken(context, run, job, record)
    return _there(context, with_record(run, _seen(context, job, record)), job, over)


def _there(
    context: PlanContext, run: Run, job: JobState, over: Callable[[Run, JobState], StageOutcome]
) -> StageOutcome:
    if job.over and not job.reported and _may_still_report(context, run, job):
        told = f"the pods of the Job {job.name} cannot be listed: {job.unlisted}" if job.unlisted else ""
        return Wait(waiting(run, None, told), context.now + LOOK_AGAIN, (ListPods(job.name, job.uid),))
    if job.over:
        return over(waiting(run, None, ""), job)
    return deadline(run, job) if too_late(context, run) else _going_on(context, run, job)


def _going_on(context: PlanContext, run: Run, job: JobState) -> StageOutcome:
    """The Job is not over. If a pod of it does not run for a while, the message says why."""
    record = run.job(job.stage)
    if not job.hindered or record is None:
        return Wait(waiting(run, None, ""), run.deadline_time)
    patience_ends = (record.hindered_time or context.now) + GOING_WITHIN
    if context.now < patience_ends <= context.now + GOING_WITHIN:  # else the clock has gone back
        return Wait(waiting(run, None, job.problem), patience_ends)
    if record.started_time is None and not job.suspended and context.now >= record.request_time + STARTED_WITHIN:
        return _never_started(run, job)
    run = waiting(run, "PodsWaiting" if job.idle else None, _hindrance(context, job))
    return Wait(run, context.now + GOING_WITHIN, (ListPods(job.name, job.uid),))


def _hindrance(context: PlanContext, job: JobState) -> str:
    """One sentence, with the command that shows more."""
    if not job.problem and not job.idle:
        return ""
    problem = job.problem or f"no pod of the Job {job.name} runs yet"
    return f"{problem}; look further with: kubectl -n {context.resource.namespace} describe {job.look_at}"


def _never_started(run: Run, job: JobState) -> Finish:
    why = job.problem or "nothing says why"
    message = f"no pod of the Job {job.name} has started within an hour: {why}"
    return Finish(run, "Failed", Succeeded.NO_POD_STARTED, message)


def failure(run: Run, job: JobState) -> Finish:
    """The end of a run by a Job that has failed."""
    invalid = next((result for result in job.results if result.result == "Invalid"), None)
    if invalid:
        return Finish(run, "Invalid", Succeeded.INVALID_RUN, invalid.message)
    if job.reason == "DeadlineExceeded":
        return deadline(run, job)
    reason = Succeeded.MISCONFIGURED if job.misconfigured else FAILED[job.stage]
    return Finish(run, "Failed", reason, job.problem or f"the Job {job.name} has failed; nothing says why")


def _seen(context: PlanContext, job: JobState, record: JobRecord | None) -> JobRecord:
    started = record.started_time if record else None
    hindered = record.hindered_time if record else None
    return JobRecord(
        stage=job.stage,
        name=job.name,
        uid=job.uid,
        request_time=record.request_time if record else context.now,
        started_time=started or (context.now if job.started else None),
        hindered_time=(hindered or context.now) if job.hindered else None,
        completed_indexes=job.completed_indexes or None,
        failed_indexes=job.failed_indexes or None,
    )


def _may_still_report(context: PlanContext, run: Run, job: JobState) -> bool:
    """May pods that were not seen yet still give a result? An operator that was away has not even looked."""
    if not job.listed:
        return True
    ended: datetime = job.finished or run.stage_start_time
    return context.now < ended + REPORTED_WITHIN and not too_late(context, run)
