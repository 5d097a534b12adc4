"""One check: what is known goes into the plan, the status is written, and what the plan wants is done.

What is known beyond checks and Jobs (answers of backends, pods of Jobs that are over, Jobs that were refused) can be
lost at any moment: it is then found out again.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime

from consistency_operator.cluster.api import ApiError, Body, Cluster
from consistency_operator.cluster.cache import Known, View, key_of
from consistency_operator.cluster.job_state import JobState, from_job, of_another, refused
from consistency_operator.loop.job_creation import JobRefused, make_job
from consistency_operator.loop.overlaps import Overlaps
from consistency_operator.loop.preflight import Preflights
from consistency_operator.loop.run_slots import Places, waits
from consistency_operator.metrics.exposition import Metrics
from consistency_operator.names import LABEL_RUN, Key, job_name
from consistency_operator.plan import Action, AskBackend, CreateJob, DeleteJob, Event, ListPods, Preflight, World, plan
from consistency_operator.plan.admission import Admitted
from consistency_operator.resource.status import Status
from consistency_operator.settings import OperatorSettings

log = logging.getLogger(__name__)

MOST_PLANS = 8
"""In one reconciliation: each but the first because something was learnt by acting, or another has written."""


class StatusRefused(Exception):  # noqa: N818 (as the API server says it)
    """The API server refuses what we want to write, and will go on to: its CRD is not the one of this operator."""


@dataclass
class Learnt:
    """What was found out about one check."""

    preflight: Preflight | None = None
    asking: tuple[str, asyncio.Task[None]] | None = None
    pods: dict[str, list[Body]] = field(default_factory=dict)  # by uid of their Job
    not_made: dict[str, JobState] = field(default_factory=dict)  # by name


class Reconciler:
    """`poke` is told the checks about which something was learnt that they do not know themselves."""

    def __init__(
        self, settings: OperatorSettings, cluster: Cluster, view: View, metrics: Metrics, poke: Callable[[Key], None]
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._view = view
        self._metrics = metrics
        self._poke = poke
        self._preflights = Preflights(settings)
        self._learnt: dict[Key, Learnt] = {}
        self._places = Places(view, settings.max_concurrent_runs)
        self._overlaps = Overlaps(view)

    async def stop(self) -> None:
        """End what goes on in the background."""
        tasks = [learnt.asking[1] for learnt in self._learnt.values() if learnt.asking]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def reconcile(self, key: Key) -> datetime | None:
        """Bring one check forward as far as possible; when it wants to be looked at again.

        Raises ApiError or StatusRefused when that failed: it is then safe, and necessary, to try again later.
        """
        for _ in range(MOST_PLANS):
            known = self._view.check(key)
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

    async def _step(self, key: Key, known: Known) -> tuple[bool, datetime | None]:
        """Plan, write, act: whether to do so again at once, and else when."""
        learnt = self._learnt.setdefault(key, Learnt())
        bodies = await self._jobs(key, known)
        jobs = self._states(known, learnt, bodies)
        self._places.claim(known, jobs)
        # Between the decision that a place is free and the status that says so, nobody else may take it.
        async with self._places.deciding if waits(known) else nullcontext():
            world = World(self._places.admission(known), learnt.preflight, self._overlaps.of(known))
            decided = plan(known.resource, known.status, jobs, datetime.now(UTC), world)
            written = await self._write(known, decided.status)
            self._places.claim(written, jobs)
        await self._post(written, decided.events)
        learnt_more = [await self._act(action, written, learnt, bodies) for action in decided.actions]
        for waiting in (*self._places.called(), *self._overlaps.changed()):
            self._poke(waiting)
        admitted = waits(written) and isinstance(self._places.admission(written), Admitted)
        return any(learnt_more) or admitted, decided.wake_at

    # --- knowing ----------------------------------------------------------------------------------------------

    async def _jobs(self, key: Key, known: Known) -> list[Body]:
        """The check's Jobs. One that the status names, and no watch has shown, is asked for: absence must be sure."""
        bodies = self._view.jobs(key)
        there = {body["metadata"]["name"] for body in bodies}
        if known.status.run and any(job.name not in there for job in known.status.run.jobs):
            bodies = await self._cluster.list_jobs(*key)
            for body in bodies:
                self._view.learn(body)
        return bodies

    def _states(self, known: Known, learnt: Learnt, bodies: Sequence[Body]) -> list[JobState]:
        run_id = known.status.run.id if known.status.run else None
        of_the_run = {body["metadata"]["uid"] for body in bodies if body["metadata"]["labels"].get(LABEL_RUN) == run_id}
        learnt.pods = {uid: pods for uid, pods in learnt.pods.items() if uid in of_the_run}
        learnt.not_made = {name: state for name, state in learnt.not_made.items() if state.run_id == run_id}
        there = [from_job(body, learnt.pods.get(body["metadata"]["uid"]), known.resource.uid) for body in bodies]
        return [*filter(None, there), *learnt.not_made.values()]

    async def _was_changed(self, key: Key, known: Known) -> bool:
        """After a write to `known` was refused: learn what the check is now; whether that is something else."""
        body = await self._cluster.find_check(*key)
        if body is None or body["metadata"]["uid"] != known.resource.uid:
            self._view.left_out_too(known.resource.uid)
            return True
        self._view.learn(body)
        return bool(body["metadata"]["resourceVersion"] != known.body["metadata"]["resourceVersion"])

    def _forget(self, key: Key) -> None:
        self._places.forget(key)
        self._overlaps.forget(key)
        for other in self._overlaps.changed():
            self._poke(other)
        learnt = self._learnt.pop(key, None)
        if learnt and learnt.asking:
            learnt.asking[1].cancel()

    # --- doing ------------------------------------------------------------------------------------------------

    async def _write(self, known: Known, status: Status) -> Known:
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
        self._view.learn(body)
        self._metrics.wrote(known.resource, known.status, status)
        return self._view.check(key_of(body)) or known

    async def _post(self, known: Known, events: Sequence[Event]) -> None:
        for event in events:
            log.info("%s: %s: %s", known.resource.key, event.reason, event.message)
            try:
                await self._cluster.post_event(known.body, event.type, event.reason, event.message)
            except ApiError as error:
                log.warning("%s: the event %s could not be posted: %s", known.resource.key, event.reason, error)

    async def _act(self, action: Action, known: Known, learnt: Learnt, bodies: Sequence[Body]) -> bool:
        """Do one thing; whether something was learnt that the plan should know at once."""
        namespace = known.resource.namespace
        match action:
            case AskBackend(run_id):
                self._ask(run_id, known, learnt)
                return False
            case CreateJob():
                return await self._create(action, known, learnt, bodies)
            case DeleteJob(name, uid):
                await self._cluster.delete_job(namespace, name, uid)
                return False
            case ListPods(name, uid):
                before, learnt.pods[uid] = learnt.pods.get(uid), await self._cluster.list_pods(namespace, name)
                return learnt.pods[uid] != before

    async def _create(self, action: CreateJob, known: Known, learnt: Learnt, bodies: Sequence[Body]) -> bool:
        name = job_name(known.resource.name, action.run_id, action.stage)
        try:
            body = await make_job(self._cluster, action, known, bodies, self._settings)
        except JobRefused as refusal:
            learnt.not_made[name] = refused(action.stage, action.run_id, name, str(refusal))
            return True
        if state := of_another(action.stage, action.run_id, body["metadata"], known.resource.uid):
            before = learnt.not_made.get(name)
            learnt.not_made[name] = state
            return state != before
        learnt.not_made.pop(name, None)
        self._view.learn(body)
        return False

    def _ask(self, run_id: str, known: Known, learnt: Learnt) -> None:
        check, key = known.resource.check, key_of(known.body)
        if check is None or (learnt.asking and learnt.asking[0] == run_id):
            return
        if learnt.asking:
            learnt.asking[1].cancel()

        async def asking() -> None:
            learnt.preflight = await self._preflights.ask(check, run_id)
            learnt.asking = None
            self._poke(key)

        learnt.asking = (run_id, asyncio.create_task(asking()))
