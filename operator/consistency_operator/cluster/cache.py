"""What is known of checks and their Jobs: what the watches have brought, and what is known to be newer.

The watch of a thing that was just written still shows it as it was. What the API server answered to the write is kept
here until the watch has caught up; what a listing no longer has, although the watch does, is left out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import kopf

from consistency_operator.cluster.api import Body
from consistency_operator.manifests import template_problems
from consistency_operator.names import LABEL_CHECK, LABEL_STAGE, CheckKey
from consistency_operator.resource.check import Resource, from_body
from consistency_operator.resource.status import CheckStatus, read_status


@dataclass(frozen=True)
class KnownCheck:
    """A check: its body, and what that means."""

    body: Body
    resource: Resource
    status: CheckStatus


class ClusterCache:
    """`checks` and `jobs` are kopf's indexes, by `key_of` and `check_of`."""

    def __init__(self, checks: kopf.Index[CheckKey, Body], jobs: kopf.Index[CheckKey, Body]) -> None:
        self._checks = checks
        self._jobs = jobs
        self._newer: dict[str, Body] = {}  # by uid
        self._gone: set[str] = set()  # uids
        self._known: dict[CheckKey, KnownCheck] = {}

    def known_keys(self) -> list[CheckKey]:
        """All checks that there are."""
        return [key for key in list(self._checks) if self._body(key) is not None]

    def check(self, key: CheckKey) -> KnownCheck | None:
        """A check in the newest version that is known."""
        body = self._body(key)
        if body is None:
            self._known.pop(key, None)
            return None
        known = self._known.get(key)
        if known is None or _version(known.body) != _version(body) or _uid(known.body) != _uid(body):
            known = self._known[key] = _understood(body)
        return known

    def all(self) -> list[KnownCheck]:
        """Every check in the newest version that is known."""
        return [known for key in self.known_keys() if (known := self.check(key))]

    def jobs(self, key: CheckKey) -> list[Body]:
        """The Jobs that carry the label of a check, whoever owns them."""
        watched = {_uid(body): body for body in self._jobs.get(key, [])}
        created = {uid: body for uid, body in self._newer.items() if check_of(body) == key}
        return [self._newest(body) for uid, body in (created | watched).items() if uid not in self._gone]

    def record_answer(self, body: Body) -> None:
        """The API server has just answered with this check or Job."""
        self._newer[_uid(body)] = body

    def record_watched(self, body: Body) -> None:
        """The watch has shown this check or Job."""
        newer = self._newer.get(_uid(body))
        if newer is not None and _version(newer) <= _version(body):
            del self._newer[_uid(body)]

    def forget(self, uid: str) -> None:
        """The watch, or the API server, said that this is gone."""
        self._newer.pop(uid, None)

    def uids(self) -> dict[str, str]:
        """The namespaces, by the uids, of everything that is believed to be there."""
        watched = [body for index in (self._checks, self._jobs) for body in _bodies(index)]
        return {_uid(body): body["metadata"].get("namespace", "") for body in (*watched, *self._newer.values())}

    def set_gone(self, gone: Iterable[str]) -> None:
        """These, and no others, no longer exist although the watch shows them."""
        self._gone = set(gone)
        for uid in self._gone:
            self.forget(uid)

    def add_gone(self, uid: str) -> None:
        """This no longer exists either, although the watch shows it."""
        self.set_gone(self._gone | {uid})

    def _body(self, key: CheckKey) -> Body | None:
        body = next((body for body in self._checks.get(key, []) if _uid(body) not in self._gone), None)
        return None if body is None else self._newest(body)

    def _newest(self, body: Body) -> Body:
        newer = self._newer.get(_uid(body))
        if newer is None or newer is body:
            return body
        if _version(newer) > _version(body):
            return newer
        del self._newer[_uid(body)]
        return body


def key_of(body: Mapping[str, Any]) -> CheckKey:
    """Namespace and name."""
    return body["metadata"].get("namespace", ""), body["metadata"]["name"]


def check_of(body: Mapping[str, Any]) -> CheckKey | None:
    """The key of the check that a Job says it is of; None for a check."""
    name = (body["metadata"].get("labels") or {}).get(LABEL_CHECK)
    return None if name is None else (body["metadata"].get("namespace", ""), name)


def slim_job(body: Mapping[str, Any]) -> Body:
    """What is ever looked at of a Job: twenty may be kept for each check. Only the snapshot's knows its run's check."""
    metadata = {key: value for key, value in body["metadata"].items() if key not in ("managedFields", "annotations")}
    snapshot = (metadata.get("labels") or {}).get(LABEL_STAGE) == "Snapshot"
    spec = {key: value for key, value in body["spec"].items() if snapshot or key != "template"}
    return {**body, "metadata": metadata, "spec": spec}


def _understood(body: Body) -> KnownCheck:
    resource = from_body(body)
    if resource.check and (problems := template_problems(resource.check.spec.pod_template)):
        resource = replace(resource, check=None, errors="\n".join(problems))
    return KnownCheck(body, resource, read_status(body.get("status")))


def _bodies(index: kopf.Index[CheckKey, Body]) -> Iterator[Body]:
    for key in list(index):
        yield from index.get(key, [])


def _uid(body: Mapping[str, Any]) -> str:
    return str(body["metadata"]["uid"])


def _version(body: Mapping[str, Any]) -> int:
    """Versions of a thing are ordered numbers: promised since Kubernetes 1.35, and true of all before."""
    return int(body["metadata"]["resourceVersion"])
