"""Which Jobs are to go: those of runs that are over and still go on, and finished ones beyond the check's limits."""

from collections.abc import Iterator

from consistency_operator.cluster.job_state import JobState
from consistency_operator.plan.context import PlanContext, newest_number, run_number
from consistency_operator.plan.types import DeleteJob
from consistency_operator.resource.status import CheckStatus


def deletions(context: PlanContext, status: CheckStatus) -> Iterator[DeleteJob]:
    """Jobs to delete. Of a run that is newer than all that the status knows, nothing is said: it may be an old status.

    That a Job is the check's own is known by its owner's uid: `JobState` is Foreign otherwise.
    """
    for job in [*_strays(context, status), *_beyond_the_limits(context, status)]:
        if not job.deleting:
            yield DeleteJob(job.name, job.uid)


def _strays(context: PlanContext, status: CheckStatus) -> Iterator[JobState]:
    newest = newest_number(status)
    return (job for job in context.unfinished(status) if run_number(job.run_id) <= newest)


def _beyond_the_limits(context: PlanContext, status: CheckStatus) -> Iterator[JobState]:
    check = context.resource.check
    if check is None:
        return
    current = status.run.id if status.run else None
    over = [job for job in context.jobs if job.over and job.run_id != current]
    successful = {run.id: run.result == "Complete" for run in status.history}
    for job in over:
        if job.state == "Failed":
            successful.setdefault(job.run_id, False)
    limits = {True: check.spec.successful_runs_history_limit, False: check.spec.failed_runs_history_limit}
    for outcome, limit in limits.items():
        runs = {job.run_id for job in over if successful.get(job.run_id, True) is outcome}
        gone = set(sorted(runs, key=run_number, reverse=True)[limit:])
        yield from (job for job in over if job.run_id in gone and run_number(job.run_id) <= newest_number(status))
