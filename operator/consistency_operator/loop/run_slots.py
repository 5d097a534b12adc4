"""The slots for runs that go on at the same time: who has one, who waits, and who is next when one becomes free.

A ledger of claims, kept up to date by the checks that are reconciled: asking a thousand checks each time would be slow.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from consistency_operator.cluster.cache import ClusterCache
from consistency_operator.cluster.digest import KnownCheck, key_of
from consistency_operator.cluster.job_state import JobState, from_job
from consistency_operator.names import CheckKey
from consistency_operator.plan import admission
from consistency_operator.plan.admission import Admitted, Claim, Places, Queued


class RunSlots:
    """`places`: how many there are. Whoever decides about a slot holds `deciding` until the status is written."""

    def __init__(self, cache: ClusterCache, places: Places) -> None:
        self.deciding = asyncio.Lock()
        self._cache = cache
        self._places = places
        self._claims: dict[CheckKey, Claim] | None = None
        self._backends: dict[CheckKey, str] = {}
        self._freed = False

    def claim(self, known: KnownCheck, jobs: Iterable[JobState]) -> None:
        """Note what a check claims now, by its status and its Jobs."""
        key, claims = key_of(known.body), self._all()
        before = claims.pop(key, None)
        now = self._note(claims, key, known, jobs)
        self._freed |= before is not None and before.state != "Queued" and (now is None or now.state != before.state)

    def forget(self, key: CheckKey) -> None:
        """There is no such check any more."""
        self._freed |= self._all().pop(key, None) is not None
        self._backends.pop(key, None)

    def used(self) -> int:
        """How many are taken; none before the first has been asked for."""
        return sum(claim.active for claim in (self._claims or {}).values())

    def admission(self, known: KnownCheck) -> Admitted | Queued | None:
        """Whether the run of a check may begin; None if it does not wait for a slot."""
        if not known.is_queued:
            return None
        return admission.decide(known.resource.key, self._all().values(), self._shared_places())

    def next_waiting(self) -> list[CheckKey]:
        """The checks whose turn it is, if a slot has become free since the last call; else none."""
        if not self._freed:
            return []
        self._freed = False
        claims = self._all()
        turn = {claim.key for claim in admission.admitted(claims.values(), self._shared_places())}
        return [key for key, claim in claims.items() if claim.key in turn]

    def silent(self, backend: str) -> list[CheckKey]:
        """The checks whose runs wait for an answer of this backend."""
        claims = self._all().items()
        return [key for key, claim in claims if claim.state == "Silent" and claim.backend == backend]

    def _shared_places(self) -> Places:
        return replace(self._places, shared=len(set(self._backends.values())) > 1)

    def _note(
        self, claims: dict[CheckKey, Claim], key: CheckKey, known: KnownCheck, jobs: Iterable[JobState]
    ) -> Claim | None:
        if known.resource.check is not None:
            self._backends[key] = known.resource.check.spec.backend
        claim = admission.claim_of(known.resource, known.status, jobs)
        if claim is not None:
            claims[key] = claim
        return claim

    def _all(self) -> dict[CheckKey, Claim]:
        """All claims; those that the last operator has left are collected once, at the beginning."""
        if self._claims is None:
            self._claims = {}
            for known in self._cache.all():
                key = key_of(known.body)
                jobs = [from_job(body, (), known.resource.uid) for body in self._cache.jobs(key)]
                self._note(self._claims, key, known, [job for job in jobs if job])
        return self._claims
