"""What each stage takes from the result of its Job, and which stage follows."""

from collections.abc import Callable

from consistency_operator.cluster.job_state import JobState, indexes
from consistency_operator.cluster.worker_result import WorkerResult, summed
from consistency_operator.plan import triggers
from consistency_operator.plan.approval import approval_of
from consistency_operator.plan.context import Enter, Finish, PlanContext, StageOutcome, Wait
from consistency_operator.plan.job_stages import failure, follow_job
from consistency_operator.plan.outcome import ALWAYS_COUNTED, compared, requested
from consistency_operator.plan.queue_stages import preparing, queued
from consistency_operator.plan.types import Event
from consistency_operator.resource.reasons import EventReason, Succeeded
from consistency_operator.resource.status import CheckStatus, Run, Stage, short


def advance(context: PlanContext, status: CheckStatus, run: Run) -> StageOutcome:
    """The next step of the run that the status has."""
    if run.stage == "AwaitingApproval":
        return _awaiting_approval(context, status, run)
    return _STAGES[run.stage](context, run)


def _snapshot(context: PlanContext, run: Run) -> StageOutcome:
    def over(run: Run, job: JobState) -> StageOutcome:
        if job.state == "Failed":
            return failure(run, job)
        result = _result(job)
        counts = result.counts or {} if result else {}
        summary = f"{counts['inventoryFiles']} files in the inventory" if "inventoryFiles" in counts else "done"
        return Enter(run.model_copy(update={"counts": counts}), "Listing", _completed("Snapshot", summary))

    return follow_job(context, run, "Snapshot", over)


def _listing(context: PlanContext, run: Run) -> StageOutcome:
    def over(run: Run, job: JobState) -> StageOutcome:
        if job.state == "Failed" and not _tolerated(job):
            return failure(run, job)
        listed = summed(job.results)
        holes = [hole for result in job.results for hole in result.holes]
        run = run.model_copy(update={"counts": run.counts | listed, "holes": holes[:3]})
        summary = f"{listed.get('listedFiles', 0)} files, {listed.get('holes', 0)} directories could not be listed"
        more = f"; without shard {job.failed_indexes}: {job.problem}" if job.state == "Failed" else ""
        return Enter(run, "Comparison", _completed("Listing", summary + more))

    return follow_job(context, run, "Listing", over)


def _tolerated(job: JobState) -> bool:
    """Has every shard come to an end, and have no more of them failed than the check allows?"""
    done, failed = indexes(job.completed_indexes), indexes(job.failed_indexes)
    return len(done | failed) >= job.completions and 0 < len(failed) <= job.max_failed_indexes and bool(done)


def _comparison(context: PlanContext, run: Run) -> StageOutcome:
    def over(run: Run, job: JobState) -> StageOutcome:
        if job.state == "Failed":
            return failure(run, job)
        result = _result(job)
        if result is None or (result.result == "Complete" and not _is_complete(result)):
            return Finish(run, "Failed", Succeeded.RESULT_LOST, _lost("nothing is requested"))
        if result.result != "Complete":
            return failure(run, job)
        run = run.model_copy(
            update={
                "counts": run.counts | (result.counts or {}),
                "holes": list(result.holes) or run.holes,
                "unmerged_trouble": short(result.unmerged_trouble),
                "gates": list(result.gates),
                "artifacts": dict(result.artifacts),
                "approval": approval_of(context.resource, run.id),
            }
        )
        return compared(run)

    return follow_job(context, run, "Comparison", over)


def _awaiting_approval(context: PlanContext, status: CheckStatus, run: Run) -> StageOutcome:
    """Until a person approves the run, or the next one is asked for."""
    approval = approval_of(context.resource, run.id)
    if approval and context.resource.check:
        fresh = {"approval": approval, "deadline_time": context.deadline_from_now(), "message": ""}
        return Enter(run.model_copy(update=fresh), "Action")
    if triggers.run_request(context, status) and not any(context.unfinished(status)):
        message = f"nobody has approved run {run.id} until the next one was due; nothing was requested"
        return Finish(run, "Complete", Succeeded.NOT_APPROVED, message)
    return Wait(run)


def _action(context: PlanContext, run: Run) -> StageOutcome:
    def over(run: Run, job: JobState) -> StageOutcome:
        result = _result(job)
        if result:
            run = run.model_copy(
                update={
                    "gates": list(result.gates) or run.gates,
                    "deletions": result.requested("delete"),
                    "transfers": result.requested("transfer"),
                    "artifacts": dict(result.artifacts) or run.artifacts,
                }
            )
        if job.state == "Failed":
            return failure(run, job)
        if result is None:
            return Finish(run, "Complete", Succeeded.COMPLETED, _lost("what was requested is in actions.parquet"))
        return requested(run)

    return follow_job(context, run, "Action", over)


_STAGES: dict[Stage, Callable[[PlanContext, Run], StageOutcome]] = {
    "Queued": queued,
    "Preparing": preparing,
    "Snapshot": _snapshot,
    "Listing": _listing,
    "Comparison": _comparison,
    "Action": _action,
}


def _result(job: JobState) -> WorkerResult | None:
    """The result of the only pod of a Job."""
    return job.results[-1] if job.results else None


def _is_complete(result: WorkerResult) -> bool:
    """Does the result have all that the verdict needs? Of a message that was too long, parts are left out."""
    return bool(result.gates) and all(kind in (result.counts or {}) for kind in ALWAYS_COUNTED)


def _completed(stage: Stage, summary: str) -> tuple[Event, ...]:
    return (Event(EventReason.STAGE_COMPLETED, f"{stage}: {summary}"),)


def _lost(consequence: str) -> str:
    return (
        "the stage came to its end, but its result has not reached the operator: the pod was gone too early, or could "
        f"not write its termination message; {consequence}, and the findings are in the run directory"
    )
