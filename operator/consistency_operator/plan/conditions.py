"""The conditions of a check, from what its resource and its status say."""

from consistency_operator.plan.context import Scene
from consistency_operator.plan.outcome import findings
from consistency_operator.plan.types import Event
from consistency_operator.resource.reasons import (
    ConditionType,
    Consistent,
    EventReason,
    Ready,
    Running,
    Stalled,
    Succeeded,
)
from consistency_operator.resource.status import Condition, Counts, Run, Status, short
from dynamo_consistency.check import Spec

_ORDER: tuple[ConditionType, ...] = ("Ready", "Stalled", "Running", "Succeeded", "Consistent")


def set_condition(
    scene: Scene, status: Status, type_: ConditionType, value: bool | None, reason: str, *, message: str = ""
) -> Status:
    """`status` with this condition; None is Unknown. Its transition time changes only when its status does."""
    old = status.condition(type_)
    told = "Unknown" if value is None else str(value)
    condition = Condition.model_validate(
        {
            "type": type_,
            "status": told,
            "reason": str(reason),
            "message": short(message),
            "last_transition_time": old.last_transition_time if old and old.status == told else scene.now,
            "observed_generation": scene.resource.generation,
        }
    )
    return _with_conditions(status, [*_others(status, type_), condition])


def without_condition(status: Status, type_: ConditionType) -> Status:
    return _with_conditions(status, _others(status, type_))


def told(scene: Scene, status: Status) -> Status:
    """`status` with all conditions that follow from the rest of it, and with those of the past if they are absent."""
    status = _ready(scene, status)
    status = _running(scene, status, status.run)
    status = _past(scene, status, "Succeeded", Succeeded.NO_RUN_YET)
    return _past(scene, status, "Consistent", Consistent.NEVER_COMPARED)


def judged(scene: Scene, status: Status, counts: Counts) -> Status:
    """`status` with the verdict of a complete comparison."""
    found = findings(counts)
    clean = found == findings({})
    reason = Consistent.NOTHING_FOUND if clean else Consistent.FINDINGS
    return set_condition(scene, status, "Consistent", clean, reason, message=found)


def news(before: Status, after: Status) -> tuple[Event, ...]:
    """The event that a spec has become, or is in another way, invalid."""
    old, new = before.condition("Stalled"), after.condition("Stalled")
    if new is None or (old is not None and old.message == new.message):
        return ()
    return (Event(EventReason.INVALID_SPEC, new.message),)


def _ready(scene: Scene, status: Status) -> Status:
    check = scene.resource.check
    if check is None:
        errors = scene.resource.errors
        status = set_condition(scene, status, "Stalled", True, Stalled.INVALID_SPEC, message=errors)
        return set_condition(scene, status, "Ready", False, Ready.INVALID_SPEC, message=errors)
    status = without_condition(status, "Stalled")
    reason, message = _armed(check.spec, status)
    overlaps = "; ".join(f"its roots overlap with those of {other}" for other in scene.world.overlaps)
    message = f"{message}; {overlaps}" if overlaps else message
    return set_condition(scene, status, "Ready", True, reason, message=message)


def _armed(spec: Spec, status: Status) -> tuple[Ready, str]:
    """What starts runs."""
    if spec.suspend:
        return Ready.SUSPENDED, "no new run starts (spec.suspend)"
    if status.observed_schedule is None:
        message = "runs start by spec.trigger.manual or the annotation consistency.dynamo.io/requestedAt"
        return Ready.MANUAL_ONLY, message
    return Ready.SCHEDULED, f"runs start by {status.observed_schedule}"


def _running(scene: Scene, status: Status, run: Run | None) -> Status:
    if run is None:
        return set_condition(scene, status, "Running", False, Running.IDLE)
    reason = Running(run.preflight.reason) if run.preflight else Running(run.stage)
    return set_condition(scene, status, "Running", True, reason, message=run.message)


def _past(scene: Scene, status: Status, type_: ConditionType, otherwise: str) -> Status:
    """A condition that only a run changes: as it was, or not known yet."""
    past = status.condition(type_)
    if past is None:
        return set_condition(scene, status, type_, None, otherwise)
    return set_condition(scene, status, type_, _value(past), past.reason, message=past.message)


def _value(condition: Condition) -> bool | None:
    return {"True": True, "False": False, "Unknown": None}[condition.status]


def _others(status: Status, type_: ConditionType) -> list[Condition]:
    return [condition for condition in status.conditions if condition.type != type_]


def _with_conditions(status: Status, conditions: list[Condition]) -> Status:
    ordered = sorted(conditions, key=lambda condition: _ORDER.index(condition.type))
    return status.model_copy(update={"conditions": ordered})
