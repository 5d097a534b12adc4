"""What is known of checks and their Jobs: what the watches have brought, and what is known to be newer.

The watch of a thing that was just written still shows it as it was. What the API server answered to the write is kept
here until the watch has caught up; what a listing no longer has, although the watch does, is left out.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import kopf

from consistency_operator.cluster.api import Body
from consistency_operator.cluster.digest import KnownCheck, check_of, is_check, understood
from consistency_operator.names import CheckKey


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
        if is_check(body):
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


def _values(index: kopf.Index[CheckKey, Any]) -> Iterator[Any]:
    for key in list(index):
        yield from index.get(key, [])


def _uid(body: Mapping[str, Any]) -> str:
    return str(body["metadata"]["uid"])


def _version(body: Mapping[str, Any]) -> int:
    """Versions of a thing are ordered numbers: promised since Kubernetes 1.35, and true of all before."""
    return int(body["metadata"]["resourceVersion"])
