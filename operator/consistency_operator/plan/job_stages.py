"""The stages that a Job does: ask for it once, follow it, and take its result."""

from collections.abc import Callable
from datetime import datetime, timedelta

from consistency_operator import names
from consistency_operator.cluster.job_state import JobState
from consistency_operator.names import JobStage
from consistency_operator.plan.context import Finish, Outcome, Scene, Wait
from consistency_operator.plan.types import CreateJob, ListPods
from consistency_operator.resource.reasons import Succeeded
from consistency_operator.resource.status import JobRecord, Run

SEEN_WITHIN = timedelta(seconds=60)
"""A Job that was asked for is seen after this time, or never. Before that, the watch may lag."""
TOLD_WITHIN = timedelta(seconds=30)
"""After the end of a Job, a list of its pods has their last words within this time, or never."""
GOING_WITHIN = timedelta(seconds=60)
"""A Job without a pod that runs is looked at more closely after this time, and each time it has passed again."""
LOOK_AGAIN = timedelta(seconds=5)

FAILED = {
    "Snapshot": Succeeded.SNAPSHOT_FAILED,
    "Listing": Succeeded.LISTING_FAILED,
    "Comparison": Succeeded.COMPARISON_FAILED,
    "Action": Succeeded.ACTION_FAILED,
}


def follow(scene: Scene, run: Run, stage: JobStage, over: Callable[[Run, JobState], Outcome]) -> Outcome:
    """What comes of a stage now; `over` says it for a Job that has come to its end and told all that it can."""
    job, record = scene.job(run, stage), run.job(stage)
    if job is not None and job.state in ("Foreign", "Refused"):
        return _not_to_be_had(run, job)
    if job is None or (record and record.uid not in (None, job.uid)):
        return _absent(scene, run, stage, record)
    if job.state == "Leaving":
        return _taken(scene, run, job, record)
    run = _with_record(run, _seen(scene, job, record))
    if job.over and not job.told and _may_be_told(scene, run, job):
        return Wait(run, scene.now + LOOK_AGAIN, (ListPods(job.name, job.uid),))
    if job.over:
        return over(run.model_copy(update={"message": ""}), job)
    return _deadline(run, job) if _too_late(scene, run) else _going_on(scene, run, job)


def _going_on(scene: Scene, run: Run, job: JobState) -> Wait:
    """The Job is not over. If none of its pods runs for a while, people are told why not."""
    record = run.job(job.stage)
    if not job.hindered or record is None:
        return Wait(run.model_copy(update={"message": ""}), run.deadline_time)
    patience_ends = record.request_time + GOING_WITHIN
    if scene.now < patience_ends:
        return Wait(run.model_copy(update={"message": job.trouble}), patience_ends)
    message = job.trouble or f"no pod of the Job {job.name} runs yet; its events tell why"
    run = run.model_copy(update={"message": message})
    return Wait(run, scene.now + GOING_WITHIN, (ListPods(job.name, job.uid),))


def failure(run: Run, job: JobState) -> Finish:
    """The end of a run by a Job that has failed."""
    invalid = next((result for result in job.results if result.result == "Invalid"), None)
    if invalid:
        return Finish(run, "Invalid", Succeeded.INVALID_RUN, invalid.message)
    if job.reason == "DeadlineExceeded":
        return _deadline(run, job)
    reason = Succeeded.MISCONFIGURED if job.misconfigured else FAILED[job.stage]
    return Finish(run, "Failed", reason, job.trouble or f"the Job {job.name} has failed; nothing says why")


def _absent(scene: Scene, run: Run, stage: JobStage, record: JobRecord | None) -> Outcome:
    """No such Job: not asked for yet, not seen yet, or gone.

    What was asked for and never seen is asked for again, since its name makes that harmless, but for the action: that
    may have been done before it vanished.
    """
    if _too_late(scene, run):
        return _deadline(run, None)
    if record and record.uid:
        return _vanished(run, f"the Job {record.name} is gone before its result was seen; somebody has deleted it")
    if record and scene.now < record.request_time + SEEN_WITHIN:
        return Wait(run, record.request_time + SEEN_WITHIN)
    if record and stage == "Action":
        return _vanished(run, f"the Job {record.name} was asked for and never seen; it is not asked for twice")
    if scene.resource.check is None:
        waiting = "the spec is not valid any more; the run goes on when it is"
        return Wait(run.model_copy(update={"message": waiting}), run.deadline_time)
    name = names.job_name(scene.resource.name, run.id, stage)
    run = _with_record(run, JobRecord(stage=stage, name=name, request_time=scene.now))
    wanted = CreateJob(stage, run.id, run.approval is not None, _seconds_left(scene, run))
    return Wait(run.model_copy(update={"message": ""}), scene.now + SEEN_WITHIN, (wanted,))


def _taken(scene: Scene, run: Run, job: JobState, record: JobRecord | None) -> Outcome:
    """An earlier check of this name has a Job of this run's name. It is not adopted: ours is made when it has gone.

    As the name was taken, ours was not made: it can be asked for again, and be it the action's.
    """
    if _too_late(scene, run):
        return _deadline(run, job)
    run = run.model_copy(update={"message": f"waits until the Job {job.name} of a deleted check of this name has gone"})
    if scene.resource.check is None or (record and abs(scene.now - record.request_time) < LOOK_AGAIN):
        return Wait(run, scene.now + LOOK_AGAIN)
    run = _with_record(run, JobRecord(stage=job.stage, name=job.name, request_time=scene.now))
    wanted = CreateJob(job.stage, run.id, run.approval is not None, _seconds_left(scene, run))
    return Wait(run, scene.now + LOOK_AGAIN, (wanted,))


def _vanished(run: Run, message: str) -> Finish:
    return Finish(run, "Failed", Succeeded.JOB_VANISHED, message)


def _not_to_be_had(run: Run, job: JobState) -> Finish:
    if job.state == "Foreign":
        message = f"there is a Job {job.name} already, and it does not belong to this check; delete or rename it"
        return Finish(run, "Failed", Succeeded.JOB_FOREIGN, message)
    return Finish(run, "Failed", Succeeded.JOB_REFUSED, f"the cluster refuses the Job {job.name}: {job.trouble}")


def _deadline(run: Run, job: JobState | None) -> Finish:
    hindrance = f"; {job.trouble}" if job and job.trouble and job.reason != "DeadlineExceeded" else ""
    message = f"the stage {run.stage} was still going on at the end of spec.runDeadlineSeconds{hindrance}"
    return Finish(run, "Failed", Succeeded.DEADLINE_EXCEEDED, message)


def _seen(scene: Scene, job: JobState, record: JobRecord | None) -> JobRecord:
    return JobRecord(
        stage=job.stage,
        name=job.name,
        uid=job.uid,
        request_time=record.request_time if record else scene.now,
        completed_indexes=job.completed_indexes or None,
        failed_indexes=job.failed_indexes or None,
    )


def _with_record(run: Run, record: JobRecord) -> Run:
    others = [job for job in run.jobs if job.stage != record.stage]
    return run.model_copy(update={"jobs": [*others, record]})


def _may_be_told(scene: Scene, run: Run, job: JobState) -> bool:
    """May pods that have not been seen yet still tell something? An operator that was away has not even looked."""
    if not job.listed:
        return True
    ended: datetime = job.finished or run.stage_start_time
    return scene.now < ended + TOLD_WITHIN and not _too_late(scene, run)


def _too_late(scene: Scene, run: Run) -> bool:
    return run.deadline_time is not None and scene.now >= run.deadline_time


def _seconds_left(scene: Scene, run: Run) -> int:
    deadline = run.deadline_time or scene.deadline_from_now()
    return max(1, int((deadline - scene.now).total_seconds()))
