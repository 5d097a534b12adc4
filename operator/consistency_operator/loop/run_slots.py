"""The slots for runs that go on at the same time: who has one, who waits, and who is next when one becomes free.

A ledger of claims, kept up to date by the checks that are reconciled: asking a thousand checks each time would be slow.
"""

import asyncio
from collections.abc import Iterable

from consistency_operator.cluster.cache import ClusterCache, KnownCheck, key_of
from consistency_operator.cluster.job_state import JobState, from_job
from consistency_operator.names import CheckKey
from consistency_operator.plan import admission
from consistency_operator.plan.admission import Admitted, Claim, Queued


class RunSlots:
    """`limit`: how many there are. Whoever decides about a slot holds `deciding` until the status is written."""

    def __init__(self, cache: ClusterCache, limit: int) -> None:
        self.deciding = asyncio.Lock()
        self._cache = cache
        self._limit = limit
        self._claims: dict[CheckKey, Claim] | None = None
        self._freed = False

    def claim(self, known: KnownCheck, jobs: Iterable[JobState]) -> None:
        """Note what a check claims now, by its status and its Jobs."""
        key, claims = key_of(known.body), self._all()
        before = claims.pop(key, None)
        now = admission.claim_of(known.resource, known.status, jobs)
        if now is not None:
            claims[key] = now
        self._freed |= before is not None and before.active and (now is None or not now.active)

    def forget(self, key: CheckKey) -> None:
        """There is no such check any more."""
        self._freed |= self._all().pop(key, None) is not None

    def used(self) -> int:
        """How many are taken; none before the first has been asked for."""
        return sum(claim.active for claim in (self._claims or {}).values())

    def admission(self, known: KnownCheck) -> Admitted | Queued | None:
        """Whether the run of a check may begin; None if it does not wait for a slot."""
        if not waits(known):
            return None
        return admission.decide(known.resource.key, self._all().values(), self._limit)

    def next_waiting(self) -> list[CheckKey]:
        """The checks whose turn it may be, if a slot has become free since the last call; else none."""
        if not self._freed:
            return []
        self._freed = False
        waiting = [(claim.since, claim.key, key) for key, claim in self._all().items() if not claim.active]
        return [key for *_, key in sorted(waiting)[: self._limit]]

    def _all(self) -> dict[CheckKey, Claim]:
        """All claims; those that the last operator has left are collected once, at the beginning."""
        if self._claims is None:
            self._claims = {}
            for known in self._cache.all():
                key = key_of(known.body)
                jobs = [from_job(body, (), known.resource.uid) for body in self._cache.jobs(key)]
                if claim := admission.claim_of(known.resource, known.status, filter(None, jobs)):
                    self._claims[key] = claim
        return self._claims


def waits(known: KnownCheck) -> bool:
    """Is its run in the queue?"""
    return known.status.run is not None and known.status.run.stage == "Queued"
