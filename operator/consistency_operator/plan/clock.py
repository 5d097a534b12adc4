"""Times that are far in the future, as a clock leaves them that was wrong for a while: they are not believed.

Nearer than FAR_AHEAD they are: a clock that goes back by less runs no time of a schedule twice.
"""

from datetime import datetime, timedelta

from consistency_operator.plan.context import PlanContext
from consistency_operator.resource.status import CheckStatus, JobRecord, Run

_NO_DEADLINE = timedelta(days=30)
"""A deadline so far ahead, beyond what the check allows, is none of the right clock."""


def believed(context: PlanContext, status: CheckStatus) -> CheckStatus:
    """`status` as if its run had begun by the clock of now."""
    return status if status.run is None else status.model_copy(update={"run": _run(context, status.run)})


def _run(context: PlanContext, run: Run) -> Run:
    wrong = {
        name: context.now for name in ("start_time", "stage_start_time") if context.is_in_far_future(getattr(run, name))
    }
    records = [_record(context, record) for record in run.jobs]
    deadlines = {
        "deadline_time": _deadline(run.deadline_time, context, context.deadline_from_now()),
        "starting_deadline_time": _deadline(run.starting_deadline_time, context, context.start_deadline_from_now()),
    }
    return run.model_copy(update={**wrong, **deadlines, "jobs": records})


def _deadline(time: datetime | None, context: PlanContext, otherwise: datetime) -> datetime | None:
    return time if time is None or time < otherwise + _NO_DEADLINE else otherwise


def _record(context: PlanContext, record: JobRecord) -> JobRecord:
    if not context.is_in_far_future(record.request_time):
        return record
    refusal = record.refusal
    if refusal and refusal.request_time == record.request_time:
        refusal = refusal.model_copy(update={"request_time": context.now})
    return record.model_copy(update={"request_time": context.now, "refusal": refusal})
