"""One check: what is known goes into the plan, the status is written, and what the plan wants is done.

The problem: the operator may be killed between any two requests, its watches lag behind what it has just written, and
a second operator may run for a while beside it. Still a run must make each Job once, and its action must never be asked
for a second time.

The way: the plan is a pure function, and a step has one order: plan, write the status, then act. The status is written
on condition that the check is still the version that was planned from. So what the operator intends is recorded before
it is done, and of two operators only one acts. A crash in between is harmless: the next plan finds the intention in the
status and the Job by its fixed name. An absent Job is looked up before the plan may rely on its absence. Events and
deletions may be lost or come twice. All that is known besides (answers of backends, pods of Jobs and events about them,
Jobs that cannot be made) is kept in memory only, and is found out again after a restart.

Not chosen: to act first and record the result, since a crash then makes a Job that nobody remembers; kopf's handlers
for each change, with their finalizers, annotations and retries, since they keep their progress in the resource and plan
from events, of which some are never seen; a lock over all checks, since one slow answer would hold up a thousand. Only
the decision about a free run slot is taken under a lock, because two checks must not get the same one.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime

from consistency_operator.cluster.api import Body, Cluster
from consistency_operator.cluster.api_error import ApiError
from consistency_operator.cluster.cache import ClusterCache
from consistency_operator.cluster.digest import KnownCheck, key_of
from consistency_operator.cluster.job_state import not_made, of_another, refused
from consistency_operator.loop.job_creation import JobNotMade, JobRefused, make_job
from consistency_operator.loop.observed import Observed
from consistency_operator.loop.overlaps import Overlaps
from consistency_operator.loop.preflight import Preflights
from consistency_operator.loop.run_slots import RunSlots
from consistency_operator.names import CheckKey, job_name
from consistency_operator.plan import Action, AskBackend, CreateJob, DeleteJob, Event, ListPods, World, plan
from consistency_operator.plan.admission import Admitted, Places
from consistency_operator.resource.check import Resource
from consistency_operator.resource.status import CheckStatus
from consistency_operator.settings import OperatorSettings

log = logging.getLogger(__name__)

MOST_PLANS = 8
"""In one reconciliation: each but the first because an action has shown something new, or somebody else has written."""


class StatusRefused(Exception):  # noqa: N818 (as the API server says it)
    """The API server refuses what we want to write, and will go on to: its CRD is not the one of this operator."""


class Reconciler:
    """Reconciles checks; each may only be in one call of `reconcile` at a time.

    `enqueue` is called with the key of a check that must be reconciled again although its resource did not change: its
    backend has answered, or a run slot has become free. `wrote` is called with a status that was written and the one
    before, once for each.
    """

    def __init__(
        self,
        settings: OperatorSettings,
        cluster: Cluster,
        cache: ClusterCache,
        wrote: Callable[[Resource, CheckStatus, CheckStatus], None],
        enqueue: Callable[[CheckKey], None],
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._cache = cache
        self._wrote = wrote
        self._enqueue = enqueue
        self._preflights = Preflights(settings)
        self._observed: dict[CheckKey, Observed] = {}
        places = Places(settings.max_concurrent_runs, asking=2 * settings.max_concurrent_preflights)
        self._slots = RunSlots(cache, places)
        self._overlaps = Overlaps(cache)

    async def stop(self) -> None:
        """End what goes on in the background."""
        tasks = [observed.asking[1] for observed in self._observed.values() if observed.asking]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def places_used(self) -> int:
        """How many of the places for runs are taken."""
        return self._slots.used()

    async def reconcile(self, key: CheckKey) -> datetime | None:
        """Bring one check forward as far as possible. Returns when it must be looked at again; None: when it changes.

        Raises ApiError or StatusRefused when that failed: it is then safe, and necessary, to try again later.
        """
        for _ in range(MOST_PLANS):
            known = self._cache.check(key)
            if known is None:
                self._forget(key)
                return None
            try:
                again, wake_at = await self._step(key, known)
            except ApiError as error:
                if error.status not in (404, 409) or not await self._was_changed(key, known):
                    raise
                continue
            if not again:
                return wake_at
        raise RuntimeError(f"after {MOST_PLANS} plans there is still something to do at once")

    async def _step(self, key: CheckKey, known: KnownCheck) -> tuple[bool, datetime | None]:
        """Plan, write, act: whether to do so again at once, and otherwise when."""
        observed = self._observed.setdefault(key, Observed())
        bodies = await self._jobs(key, known)
        jobs = observed.states(known, bodies)
        self._slots.claim(known, jobs)
        # Between the decision that a slot is free and the status that says so, nobody else may take it.
        async with self._slots.deciding if known.is_queued else nullcontext():
            decided = plan(known.resource, known.status, jobs, datetime.now(UTC), self._world(known, observed))
            written = await self._write(known, decided.status)
            self._slots.claim(written, jobs)
        for waiting in (*self._slots.next_waiting(), *self._overlaps.changed()):
            self._enqueue(waiting)
        await self._post(written, decided.events)
        news = [await self._act(action, written, observed, bodies) for action in decided.actions]
        admitted = written.is_queued and isinstance(self._slots.admission(written), Admitted)
        return any(news) or admitted, decided.wake_at

    # --- observing --------------------------------------------------------------------------------------------

    def _world(self, known: KnownCheck, observed: Observed) -> World:
        backend = known.resource.check.spec.backend if known.resource.check else ""
        return World(
            admission=self._slots.admission(known),
            preflight=observed.preflight,
            overlaps=self._overlaps.of(known),
            backends=self._preflights.backends_version(),
            backend_answered=self._preflights.answered.get(backend),
        )

    async def _jobs(self, key: CheckKey, known: KnownCheck) -> list[Body]:
        """The check's Jobs. One that the status names, and no watch has shown, is asked for: absence must be sure."""
        bodies = self._cache.jobs(key)
        there = {body["metadata"]["name"] for body in bodies}
        if known.status.run and any(job.name not in there for job in known.status.run.jobs):
            bodies = await self._cluster.list_jobs(*key)
            for body in bodies:
                self._cache.record_answer(body)
        return bodies

    async def _was_changed(self, key: CheckKey, known: KnownCheck) -> bool:
        """After a write to `known` was refused: ask for the check as it is now; whether it has changed."""
        body = await self._cluster.find_check(*key)
        if body is None or body["metadata"]["uid"] != known.resource.uid:
            self._cache.add_gone(known.resource.uid)
            return True
        self._cache.record_answer(body)
        return bool(body["metadata"]["resourceVersion"] != known.body["metadata"]["resourceVersion"])

    def _forget(self, key: CheckKey) -> None:
        self._slots.forget(key)
        self._overlaps.forget(key)
        for other in self._overlaps.changed():
            self._enqueue(other)
        observed = self._observed.pop(key, None)
        if observed and observed.asking:
            observed.asking[1].cancel()

    # --- acting -----------------------------------------------------------------------------------------------

    async def _write(self, known: KnownCheck, status: CheckStatus) -> KnownCheck:
        """Write the status where it differs. Raises ApiError 409 when `known` is not the newest any more."""
        new = status.to_json()
        if new == known.status.to_json():
            return known
        try:
            body = await self._cluster.patch_status(known.body, new)
        except ApiError as error:
            if error.status not in (400, 422):
                raise
            fields = "; ".join(error.refused_fields)
            raise StatusRefused(f"the API server refuses our status (is the CRD older?): {fields or error}") from error
        self._cache.record_answer(body)
        self._wrote(known.resource, known.status, status)
        return self._cache.check(key_of(body)) or known

    async def _post(self, known: KnownCheck, events: Sequence[Event]) -> None:
        for event in events:
            log.info("%s: %s: %s", known.resource.key, event.reason, event.message)
            try:
                await self._cluster.post_event(known.body, event.type, event.reason, event.message)
            except ApiError as error:
                log.warning("%s: the event %s could not be posted: %s", known.resource.key, event.reason, error)

    async def _act(self, action: Action, known: KnownCheck, observed: Observed, bodies: Sequence[Body]) -> bool:
        """Do one thing; whether that has shown something that the plan should know at once."""
        namespace = known.resource.namespace
        match action:
            case AskBackend(run_id):
                self._ask(run_id, known, observed)
                return False
            case CreateJob():
                return await self._create(action, known, observed, bodies)
            case DeleteJob(name, uid):
                await self._cluster.delete_job(namespace, name, uid)
                return False
            case ListPods(_, uid):
                job = next((body for body in bodies if body["metadata"]["uid"] == uid), None)
                return job is not None and await observed.look_at(self._cluster, job)

    async def _create(self, action: CreateJob, known: KnownCheck, observed: Observed, bodies: Sequence[Body]) -> bool:
        name = job_name(known.resource.name, action.run_id, action.stage)
        record = known.status.run.job(action.stage) if known.status.run else None
        try:
            body = await make_job(self._cluster, action, known, bodies, self._settings)
        except JobRefused as refusal:
            observed.not_made[name] = refused(action.stage, action.run_id, name, str(refusal))
            return True
        except JobNotMade as refusal:
            asked = record.request_time if record else None
            observed.not_made[name] = not_made(action.stage, action.run_id, name, str(refusal), asked)
            return True
        if state := of_another(action.stage, action.run_id, body["metadata"], known.resource.uid):
            before = observed.not_made.get(name)
            observed.not_made[name] = state
            return state != before
        observed.not_made.pop(name, None)
        self._cache.record_answer(body)
        return False

    def _ask(self, run_id: str, known: KnownCheck, observed: Observed) -> None:
        check, key = known.resource.check, key_of(known.body)
        if check is None or (observed.asking and observed.asking[0] == run_id):
            return
        if observed.asking:
            observed.asking[1].cancel()

        async def asking() -> None:
            observed.preflight = await self._preflights.ask(check, run_id)
            observed.asking = None
            self._enqueue(key)
            if observed.preflight.reason != "BackendUnreachable":
                for waiting in self._slots.silent(check.spec.backend):
                    self._enqueue(waiting)

        observed.asking = (run_id, asyncio.create_task(asking()))
