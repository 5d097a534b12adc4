"""The stages that a Job does: ask for it once, follow it, and take its result."""

from collections.abc import Callable
from datetime import datetime, timedelta

from consistency_operator import names
from consistency_operator.cluster.job_state import JobState
from consistency_operator.names import JobStage
from consistency_operator.plan.context import Finish, PlanContext, StageOutcome, Wait
from consistency_operator.plan.types import CreateJob, ListPods
from consistency_operator.resource.reasons import Succeeded
from consistency_operator.resource.status import JobRecord, Run

SEEN_WITHIN = timedelta(seconds=60)
"""A Job that was asked for is seen after this time, or never. Before that, the watch may lag."""
REPORTED_WITHIN = timedelta(seconds=30)
"""After the end of a Job, a list of its pods has their results within this time, or never."""
GOING_WITHIN = timedelta(seconds=60)
"""A Job without a pod that runs is looked at more closely after this time, and each time it has passed again."""
LOOK_AGAIN = timedelta(seconds=5)

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
    if job is not None and job.state in ("Foreign", "Refused"):
        return _not_to_be_had(run, job)
    if job is None or (record and record.uid not in (None, job.uid)):
        return _absent(context, run, stage, record)
    if job.state == "Leaving":
        return _taken(context, run, job, record)
    run = _with_record(run, _seen(context, job, record))
    if job.over and not job.reported and _may_still_report(context, run, job):
        return Wait(run, context.now + LOOK_AGAIN, (ListPods(job.name, job.uid),))
    if job.over:
        return over(run.model_copy(update={"message": ""}), job)
    return _deadline(run, job) if _too_late(context, run) else _going_on(context, run, job)


def _going_on(context: PlanContext, run: Run, job: JobState) -> Wait:
    """The Job is not over. If none of its pods runs for a while, the message says why."""
    record = run.job(job.stage)
    if not job.hindered or record is None:
        return Wait(run.model_copy(update={"message": ""}), run.deadline_time)
    patience_ends = record.request_time + GOING_WITHIN
    if context.now < patience_ends:
        return Wait(run.model_copy(update={"message": job.problem}), patience_ends)
    message = job.problem or f"no pod of the Job {job.name} runs yet; its events tell why"
    run = run.model_copy(update={"message": message})
    return Wait(run, context.now + GOING_WITHIN, (ListPods(job.name, job.uid),))


def failure(run: Run, job: JobState) -> Finish:
    """The end of a run by a Job that has failed."""
    invalid = next((result for result in job.results if result.result == "Invalid"), None)
    if invalid:
        return Finish(run, "Invalid", Succeeded.INVALID_RUN, invalid.message)
    if job.reason == "DeadlineExceeded":
        return _deadline(run, job)
    reason = Succeeded.MISCONFIGURED if job.misconfigured else FAILED[job.stage]
    return Finish(run, "Failed", reason, job.problem or f"the Job {job.name} has failed; nothing says why")


def _absent(context: PlanContext, run: Run, stage: JobStage, record: JobRecord | None) -> StageOutcome:
    """No such Job: not asked for yet, not seen yet, or gone.

    What was asked for and never seen is asked for again, since its name makes that harmless, but for the action: that
    may have been done before it vanished.
    """
    if _too_late(context, run):
        return _deadline(run, None)
    if record and record.uid:
        return _vanished(run, f"the Job {record.name} is gone before its result was seen; somebody has deleted it")
    if record and context.now < record.request_time + SEEN_WITHIN:
        return Wait(run, record.request_time + SEEN_WITHIN)
    if record and stage == "Action":
        return _vanished(run, f"the Job {record.name} was asked for and never seen; it is not asked for twice")
    if context.resource.check is None:
        waiting = "the spec is not valid any more; the run goes on when it is"
        return Wait(run.model_copy(update={"message": waiting}), run.deadline_time)
    name = names.job_name(context.resource.name, run.id, stage)
    run = _with_record(run, JobRecord(stage=stage, name=name, request_time=context.now))
    wanted = CreateJob(stage, run.id, run.approval is not None, _seconds_left(context, run))
    return Wait(run.model_copy(update={"message": ""}), context.now + SEEN_WITHIN, (wanted,))


def _taken(context: PlanContext, run: Run, job: JobState, record: JobRecord | None) -> StageOutcome:
    """An earlier check of this name has a Job of this run's name. It is not adopted: ours is made when it has gone.

    As the name was taken, ours was not made: it can be asked for again, and be it the action's.
    """
    if _too_late(context, run):
        return _deadline(run, job)
    run = run.model_copy(update={"message": f"waits until the Job {job.name} of a deleted check of this name has gone"})
    if context.resource.check is None or (record and abs(context.now - record.request_time) < LOOK_AGAIN):
        return Wait(run, context.now + LOOK_AGAIN)
    run = _with_record(run, JobRecord(stage=job.stage, name=job.name, request_time=context.now))
    wanted = CreateJob(job.stage, run.id, run.approval is not None, _seconds_left(context, run))
    return Wait(run, context.now + LOOK_AGAIN, (wanted,))


def _vanished(run: Run, message: str) -> Finish:
    return Finish(run, "Failed", Succeeded.JOB_VANISHED, message)


def _not_to_be_had(run: Run, job: JobState) -> Finish:
    if job.state == "Foreign":
        message = f"there is a Job {job.name} already, and it does not belong to this check; delete or rename it"
        return Finish(run, "Failed", Succeeded.JOB_FOREIGN, message)
    return Finish(run, "Failed", Succeeded.JOB_REFUSED, f"the cluster refuses the Job {job.name}: {job.problem}")


def _deadline(run: Run, job: JobState | None) -> Finish:
    hindrance = f"; {job.problem}" if job and job.problem and job.reason != "DeadlineExceeded" else ""
    message = f"the stage {run.stage} was still going on at the end of spec.runDeadlineSeconds{hindrance}"
    return Finish(run, "Failed", Succeeded.DEADLINE_EXCEEDED, message)


def _seen(context: PlanContext, job: JobState, record: JobRecord | None) -> JobRecord:
    return JobRecord(
        stage=job.stage,
        name=job.name,
        uid=job.uid,
        request_time=record.request_time if record else context.now,
        completed_indexes=job.completed_indexes or None,
        failed_indexes=job.failed_indexes or None,
    )


def _with_record(run: Run, record: JobRecord) -> Run:
    others = [job for job in run.jobs if job.stage != record.stage]
    return run.model_copy(update={"jobs": [*others, record]})


def _may_still_report(context: PlanContext, run: Run, job: JobState) -> bool:
    """May pods that were not seen yet still give a result? An operator that was away has not even looked."""
    if not job.listed:
        return True
    ended: datetime = job.finished or run.stage_start_time
    return context.now < ended + REPORTED_WITHIN and not _too_late(context, run)


def _too_late(context: PlanContext, run: Run) -> bool:
    return run.deadline_time is not None and context.now >= run.deadline_time


def _seconds_left(context: PlanContext, run: Run) -> int:
    deadline = run.deadline_time or context.deadline_from_now()
    return max(1, int((deadline - context.now).total_seconds()))
