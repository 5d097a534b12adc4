"""The conditions of a check, from what its resource and its status say."""

from consistency_operator.plan.context import PlanContext
from consistency_operator.plan.types import Event
from consistency_operator.resource.reasons import (
    ConditionType,
    Consistent,
    EventReason,
    Overlapping,
    Ready,
    Running,
    Stalled,
    Succeeded,
)
from consistency_operator.resource.status import CheckStatus, Condition, CountsByName, Run, short
from dynamo_consistency.check import Spec
from dynamo_consistency.kinds import findings_text

_ORDER: tuple[ConditionType, ...] = ("Ready", "Stalled", "Overlapping", "Running", "Succeeded", "Consistent")
_MOST_NAMED = 5
"""Of the checks that a message names."""


def set_condition(
    context: PlanContext,
    status: CheckStatus,
    type_: ConditionType,
    value: bool | None,
    reason: str,
    *,
    message: str = "",
) -> CheckStatus:
    """`status` with this condition; None is Unknown. Its transition time changes only when its status does."""
    old = status.condition(type_)
    word = "Unknown" if value is None else str(value)
    condition = Condition.model_validate(
        {
            "type": type_,
            "status": word,
            "reason": str(reason),
            "message": short(message),
            "last_transition_time": old.last_transition_time if old and old.status == word else context.now,
            "observed_generation": context.resource.generation,
        }
    )
    return _with_conditions(status, [*_others(status, type_), condition])


def without_condition(status: CheckStatus, type_: ConditionType) -> CheckStatus:
    """`status` without the condition of this type."""
    return _with_conditions(status, _others(status, type_))


def with_all_conditions(context: PlanContext, status: CheckStatus) -> CheckStatus:
    """`status` with all conditions that follow from the rest of it, and with those of the past if they are absent."""
    status = _ready(context, status)
    status = _overlapping(context, status)
    status = _running(context, status, status.run)
    status = _past(context, status, "Succeeded", Succeeded.NO_RUN_YET)
    return _past(context, status, "Consistent", Consistent.NEVER_COMPARED)


def with_verdict(context: PlanContext, status: CheckStatus, counts: CountsByName) -> CheckStatus:
    """`status` with the verdict of a complete comparison."""
    found = findings_text(counts)
    clean = found == findings_text({})
    reason = Consistent.NOTHING_FOUND if clean else Consistent.FINDINGS
    return set_condition(context, status, "Consistent", clean, reason, message=found)


def condition_events(before: CheckStatus, after: CheckStatus) -> tuple[Event, ...]:
    """Events that a spec has become, or is in another way, invalid, and that it overlaps with others."""
    found: list[Event] = []
    told: tuple[tuple[ConditionType, EventReason], ...] = (
        ("Stalled", EventReason.INVALID_SPEC),
        ("Overlapping", EventReason.ROOTS_OVERLAP),
    )
    for type_, reason in told:
        old, new = before.condition(type_), after.condition(type_)
        if new is not None and (old is None or old.message != new.message):
            found.append(Event(reason, new.message))
    return tuple(found)


def _ready(context: PlanContext, status: CheckStatus) -> CheckStatus:
    check = context.resource.check
    if check is None:
        errors = context.resource.errors
        status = set_condition(context, status, "Stalled", True, Stalled.INVALID_SPEC, message=errors)
        return set_condition(context, status, "Ready", False, Ready.INVALID_SPEC, message=errors)
    status = without_condition(status, "Stalled")
    reason, message = _armed(check.spec, status)
    return set_condition(context, status, "Ready", True, reason, message=message)


def _overlapping(context: PlanContext, status: CheckStatus) -> CheckStatus:
    if not context.world.overlaps:
        return without_condition(status, "Overlapping")
    overlaps = context.world.overlaps
    message = "; ".join(f"its roots overlap with those of {other}" for other in overlaps[:_MOST_NAMED])
    message += f"; and with those of {more} more" if (more := len(overlaps) - _MOST_NAMED) > 0 else ""
    return set_condition(context, status, "Overlapping", True, Overlapping.ROOTS_OVERLAP, message=message)


def _armed(spec: Spec, status: CheckStatus) -> tuple[Ready, str]:
    """What starts runs."""
    if spec.suspend:
        return Ready.SUSPENDED, "no new run starts (spec.suspend)"
    if status.observed_schedule is None:
        message = "runs start by spec.trigger.manual or the annotation consistency.dynamo.io/requestedAt"
        return Ready.MANUAL_ONLY, message
    return Ready.SCHEDULED, f"runs start by {status.observed_schedule}"


def _running(context: PlanContext, status: CheckStatus, run: Run | None) -> CheckStatus:
    if run is None:
        return set_condition(context, status, "Running", False, Running.IDLE)
    reason = Running(run.waits_for or run.stage)
    return set_condition(context, status, "Running", True, reason, message=run.message)


def _past(context: PlanContext, status: CheckStatus, type_: ConditionType, otherwise: str) -> CheckStatus:
    """A condition that only a run changes: as it was, or not known yet."""
    past = status.condition(type_)
    if past is None:
        return set_condition(context, status, type_, None, otherwise)
    return set_condition(context, status, type_, _value(past), past.reason, message=past.message)


def _value(condition: Condition) -> bool | None:
    return {"True": True, "False": False, "Unknown": None}[condition.status]


def _others(status: CheckStatus, type_: ConditionType) -> list[Condition]:
    return [condition for condition in status.conditions if condition.type != type_]


def _with_conditions(status: CheckStatus, conditions: list[Condition]) -> CheckStatus:
    ordered = sorted(conditions, key=lambda condition: _ORDER.index(condition.type))
    return status.model_copy(update={"conditions": ordered})
