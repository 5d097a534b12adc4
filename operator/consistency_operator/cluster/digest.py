"""Checks and Jobs as they are kept: of each only what is looked at, since there may be ten thousand.

Of a check spec and status are kept once, as what they mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from consistency_operator.cluster.api import Body
from consistency_operator.manifests import template_problems
from consistency_operator.names import KIND, LABEL_CHECK, LABEL_STAGE, CheckKey
from consistency_operator.resource.check import Resource, from_body
from consistency_operator.resource.status import CheckStatus
from consistency_operator.resource.status_reading import read_status

DIGESTED = "digested"


@dataclass(frozen=True)
class KnownCheck:
    """A check: its body, of which the spec is left out but for the site, and what spec and status mean."""

    body: Body
    resource: Resource
    status: CheckStatus

    @property
    def is_queued(self) -> bool:
        """Does its run wait for a place?"""
        return self.status.run is not None and self.status.run.stage == "Queued"


def key_of(body: Mapping[str, Any]) -> CheckKey:
    """Namespace and name."""
    return body["metadata"].get("namespace", ""), body["metadata"]["name"]


def is_check(body: Mapping[str, Any]) -> bool:
    """Is it a check, and not a Job? Labels say nothing of that: people and tools set them on anything."""
    return body.get("kind") == KIND


def check_of(body: Mapping[str, Any]) -> CheckKey | None:
    """The key of the check that a Job says it is of; None where it says nothing."""
    name = (body["metadata"].get("labels") or {}).get(LABEL_CHECK)
    return None if name is None else (body["metadata"].get("namespace", ""), name)


def digested(body: Mapping[str, Any]) -> Body:
    """A check or a Job as a watch brings it, without what nobody looks at; a check is in it as `DIGESTED`."""
    if not is_check(body):
        return slim_job(body)
    known = understood(body)
    return known.body | {DIGESTED: known}


def slim_check(body: Mapping[str, Any]) -> Body:
    """Of the managed fields only who holds what may be an approval is asked for."""
    metadata = {key: value for key, value in body["metadata"].items() if key != "managedFields"}
    entries = body["metadata"].get("managedFields") or ()
    if approving := [slimmed for entry in entries if (slimmed := _approving(entry))]:
        metadata["managedFields"] = approving
    return {**body, "metadata": metadata}


def _approving(entry: Mapping[str, Any]) -> Body | None:
    fields = entry.get("fieldsV1") or {}
    approve = (fields.get("f:spec") or {}).get("f:approve")
    annotations = (fields.get("f:metadata") or {}).get("f:annotations")
    held: Body = {} if approve is None else {"f:spec": {"f:approve": approve}}
    if annotations is not None:
        held["f:metadata"] = {"f:annotations": annotations}
    return {"manager": entry.get("manager"), "time": entry.get("time"), "fieldsV1": held} if held else None


def slim_job(body: Mapping[str, Any]) -> Body:
    """What is ever looked at of a Job: twenty may be kept for each check. Only the snapshot's knows its run's check."""
    metadata = {key: value for key, value in body["metadata"].items() if key not in ("managedFields", "annotations")}
    snapshot = (metadata.get("labels") or {}).get(LABEL_STAGE) == "Snapshot"
    spec = {key: value for key, value in body["spec"].items() if snapshot or key != "template"}
    return {**body, "metadata": metadata, "spec": spec}


def understood(body: Mapping[str, Any]) -> KnownCheck:
    """A check as it is known, from its whole body."""
    body = slim_check(body)
    resource = from_body(body)
    if resource.check and (problems := template_problems(resource.check.spec.pod_template)):
        resource = replace(resource, check=None, errors="\n".join(problems))
    site = (body.get("spec") or {}).get("site", "")
    kept = {key: body[key] for key in ("apiVersion", "kind", "metadata")} | {"spec": {"site": site}}
    return KnownCheck(kept, resource, read_status(body.get("status")))
