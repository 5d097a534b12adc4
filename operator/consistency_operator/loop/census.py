"""What there really is, by lists, beside what the watches show.

A watch that was broken off for long may not have shown what was deleted meanwhile, and one that is not begun shows
nothing. Lists of names alone are cheap, and tell of both, and of namespaces that may not be read.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from consistency_operator.cluster.api import Cluster
from consistency_operator.cluster.api_error import ApiError
from consistency_operator.cluster.cache import ClusterCache

log = logging.getLogger(__name__)

RESYNC = 300.0
"""Seconds between two looks."""
DOUBT = 60.0
"""The same while something is not as it should be."""
FIRST = 2.0
"""The same until the first that was answered."""
FILLING = 10.0
"""The same until the watches have shown all of a list: what has gone since is in no later list."""


class Census:
    """`namespaces` that are served; None is the whole cluster."""

    def __init__(self, cluster: Cluster, cache: ClusterCache, namespaces: Sequence[str | None]) -> None:
        self._cluster = cluster
        self._cache = cache
        self._namespaces = namespaces or [None]
        self._living: Mapping[str, str] | None = None  # by uid, what it is called
        self._unseen: dict[str, str] = {}
        self._missed: dict[str, str] = {}
        self._unread: dict[str, str] = {}
        self._filled = False

    async def run(self, changed: Callable[[], None], renew: Callable[[], None]) -> None:
        """Look from time to time; `changed` is called when something is gone that a watch still shows.

        `renew` is called when two looks in a row had what no watch has shown.
        """
        while True:
            try:
                if await self.look():
                    changed()
                if self._missed:
                    renew()
            except Exception as error:  # noqa: BLE001 (it can be done without, and is tried again)
                log.warning("what there is could not be listed: %s %s", type(error).__name__, error)
            await asyncio.sleep(self._pause())

    def _pause(self) -> float:
        if self._living is None:
            return FIRST
        if not self.filled:
            return min(FILLING, RESYNC)
        return RESYNC if not self._unseen and not self._unread else min(DOUBT, RESYNC)

    async def look(self) -> bool:
        """List everything once; whether something is gone that a watch still shows."""
        shown = self._cache.uids()
        living: dict[str, str] = {}
        unread: dict[str, str] = {}
        for namespace in self._namespaces:
            try:
                living |= await self._cluster.living_checks(namespace)
                living |= await self._cluster.living_jobs(namespace)
            except ApiError as error:
                unread[namespace or ""] = self._sentence(namespace, error)
        self._unread = unread
        gone = {uid for uid, namespace in shown.items() if uid not in living and not {namespace, ""} & unread.keys()}
        self._cache.set_gone(gone)
        if len(unread) < len(self._namespaces):
            self._living = living
            unseen = _without(living, self._cache.uids())
            # what was made a moment ago may only now be on its way
            self._missed, self._unseen = {uid: unseen[uid] for uid in unseen.keys() & self._unseen.keys()}, unseen
        return bool(gone)

    @property
    def filled(self) -> bool:
        """Have the watches once shown all that a list had?"""
        return self._living is not None and not self._not_shown(self._living)

    def _not_shown(self, living: Mapping[str, str]) -> int:
        """How many of a list the watches have not shown; none for good once that was so."""
        missing = 0 if self._filled else len(_without(living, self._cache.uids()))
        self._filled = not missing
        return missing

    def problems(self) -> list[str]:
        """A sentence for each namespace that cannot be read, and for what the watches do not show."""
        found = list(self._unread.values())
        if self._living is None:
            return found or ["what there is has not been listed yet"]
        if missing := self._not_shown(self._living):
            there = len(self._living)
            found.append(f"not all has been read yet: the watches show {there - missing} of {there} checks and Jobs")
        elif self._missed:
            example = min(self._missed.values())
            found.append(f"no watch shows {example}, which is there; of checks and Jobs these are {len(self._missed)}")
        return found

    def _sentence(self, namespace: str | None, error: ApiError) -> str:
        where = "the cluster" if namespace is None else f"the namespace {namespace}"
        others = "; the others are served" if len(self._namespaces) > 1 else ""
        if error.status == 403:
            return f"{where} may not be watched, and its checks are not served{others}: {error.message}"
        return f"{where} could not be listed: {error}"


def _without(living: Mapping[str, str], shown: Mapping[str, str]) -> dict[str, str]:
    return {uid: name for uid, name in living.items() if uid not in shown}
