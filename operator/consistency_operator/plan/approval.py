"""Who has approved a run, as far as the API server knows."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from consistency_operator import names
from consistency_operator.resource.check import Resource
from consistency_operator.resource.status import Approval

ApprovalSource = Literal["Spec", "Annotation"]

_FIELDS: dict[ApprovalSource, tuple[str, ...]] = {
    "Spec": ("f:spec", "f:approve", "f:run"),
    "Annotation": ("f:metadata", "f:annotations", f"f:{names.ANNOTATION_APPROVE}"),
}


def approval_of(resource: Resource, run_id: str) -> Approval | None:
    """The approval of exactly this run, by its id or the name of its directory; None when there is none.

    That of another run does not count.
    """
    run_ids = (run_id, names.directory_name(resource.namespace, resource.name, resource.uid, run_id))
    spec = resource.check.spec if resource.check else None
    if resource.annotations.get(names.ANNOTATION_APPROVE) in run_ids:
        return _approval(resource, "Annotation")
    if spec and spec.approve and spec.approve.run in run_ids:
        return _approval(resource, "Spec")
    return None


def approved_ids(resource: Resource) -> set[str]:
    """What is approved, be there such a run or not."""
    approve = resource.check.spec.approve if resource.check else None
    return {resource.annotations.get(names.ANNOTATION_APPROVE, ""), approve.run if approve else ""}


def _approval(resource: Resource, source: ApprovalSource) -> Approval:
    """By the manager that holds the field; of several the last, who has set it anew or agreed to it."""
    holders = [entry for entry in resource.managed_fields if _holds(entry, _FIELDS[source])]
    last = max(holders, key=lambda entry: str(entry.get("time") or ""), default={})
    return Approval(via=source, manager=last.get("manager"), time=next(_time(last), None))


def _holds(entry: Mapping[str, Any], field: tuple[str, ...]) -> bool:
    found: Any = entry.get("fieldsV1")
    for key in field:
        if not isinstance(found, Mapping) or key not in found:
            return False
        found = found[key]
    return True


def _time(entry: Mapping[str, Any]) -> Iterator[datetime]:
    if entry.get("time"):
        yield datetime.fromisoformat(entry["time"])
