"""What is known of checks and their Jobs: what the watches have brought, and what is known to be newer.

The watch of a thing that was just written still shows it as it was. What the API server answered to the write is kept
here until the watch has caught up; what a listing no longer has, although the watch does, is left out.

There may be ten thousand checks: of each only what is looked at is kept, and spec and status once, as what they mean.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import kopf

from consistency_operator.cluster.api import Body
from consistency_operator.manifests import template_problems
from consistency_operator.names import LABEL_CHECK, LABEL_STAGE, CheckKey
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


class ClusterCache:
    """`checks` and `jobs` are kopf's indexes, by `key_of` and `check_of`."""

    def __init__(self, checks: kopf.Index[CheckKey, KnownCheck], jobs: kopf.Index[CheckKey, Body]) -> None:
        self._checks = checks
        self._jobs = jobs
        self._newer_checks: dict[str, KnownCheck] = {}  # by uid
        self._newer_jobs: dict[str, Body] = {}  # by uid
        self._gone: set[str] = set()  # uids

    def watched_keys(self) -> list[CheckKey]:
        """All checks that the watch shows, be they there or not."""
        return list(self._checks)

    def check(self, key: CheckKey) -> KnownCheck | None:
        """A check in the newest version that is known."""
        watched = next((known for known in self._checks.get(key, []) if _uid(known.body) not in self._gone), None)
        if watched is None:
            return None
        self.record_watched(watched.body)
        return self._newer_checks.get(_uid(watched.body), watched)

    def all(self) -> list[KnownCheck]:
        """Every check in the newest version that is known."""
        return [known for key in list(self._checks) if (known := self.check(key))]

    def jobs(self, key: CheckKey) -> list[Body]:
        """The Jobs that carry the label of a check, whoever owns them."""
        watched = {_uid(body): body for body in self._jobs.get(key, [])}
        for body in watched.values():
            self.record_watched(body)
        newer = {uid: body for uid, body in self._newer_jobs.items() if check_of(body) == key}
        return [body for uid, body in (watched | newer).items() if uid not in self._gone]

    def record_answer(self, body: Body) -> None:
        """The API server has just answered with this check or Job."""
        if check_of(body) is None:
            self._newer_checks[_uid(body)] = understood(body)
        else:
            self._newer_jobs[_uid(body)] = body

    def record_watched(self, body: Body) -> None:
        """The watch has shown this check or Job."""
        uid, version = _uid(body), _version(body)
        if (check := self._newer_checks.get(uid)) and _version(check.body) <= version:
            del self._newer_checks[uid]
        if (job := self._newer_jobs.get(uid)) and _version(job) <= version:
            del self._newer_jobs[uid]

    def forget(self, uid: str) -> None:
        """The watch, or the API server, said that this is gone."""
        self._newer_checks.pop(uid, None)
        self._newer_jobs.pop(uid, None)

    def uids(self) -> dict[str, str]:
        """The namespaces, by the uids, of everything that is believed to be there."""
        checks = [*_values(self._checks), *self._newer_checks.values()]
        bodies = [*(known.body for known in checks), *_values(self._jobs), *self._newer_jobs.values()]
        return {_uid(body): body["metadata"].get("namespace", "") for body in bodies}

    def set_gone(self, gone: Iterable[str]) -> None:
        """These, and no others, no longer exist although the watch shows them."""
        self._gone = set(gone)
        for uid in self._gone:
            self.forget(uid)

    def add_gone(self, uid: str) -> None:
        """This no longer exists either, although the watch shows it."""
        self.set_gone(self._gone | {uid})


def key_of(body: Mapping[str, Any]) -> CheckKey:
    """Namespace and name."""
    return body["metadata"].get("namespace", ""), body["metadata"]["name"]


def check_of(body: Mapping[str, Any]) -> CheckKey | None:
    """The key of the check that a Job says it is of; None for a check."""
    name = (body["metadata"].get("labels") or {}).get(LABEL_CHECK)
    return None if name is None else (body["metadata"].get("namespace", ""), name)


def digested(body: Mapping[str, Any]) -> Body:
    """A check or a Job as a watch brings it, without what nobody looks at; a check is in it as `DIGESTED`."""
    if check_of(body) is not None:
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


def _values(index: kopf.Index[CheckKey, Any]) -> Iterator[Any]:
    for key in list(index):
        yield from index.get(key, [])


def _uid(body: Mapping[str, Any]) -> str:
    return str(body["metadata"]["uid"])


def _version(body: Mapping[str, Any]) -> int:
    """Versions of a thing are ordered numbers: promised since Kubernetes 1.35, and true of all before."""
    return int(body["metadata"]["resourceVersion"])
