"""The one loop behind everything: takes checks that are due, has them reconciled, and lets those wait that fail."""

import asyncio
import logging
import time
from collections.abc import Callable

from consistency_operator.cluster.api import Cluster
from consistency_operator.cluster.api_error import ApiError
from consistency_operator.cluster.cache import ClusterCache
from consistency_operator.loop.census import Census
from consistency_operator.loop.notifier import Notifier
from consistency_operator.loop.reconciler import Reconciler, StatusRefused
from consistency_operator.loop.workqueue import WorkQueue
from consistency_operator.metrics.exposition import Metrics, OperatorState
from consistency_operator.names import CheckKey
from consistency_operator.resource.check import Resource
from consistency_operator.resource.status import CheckStatus
from consistency_operator.settings import OperatorSettings

log = logging.getLogger(__name__)

WORKERS = 8
LEAST_SLEEP = 0.2
"""Seconds between two reconciliations of a check that only the clock asks for."""
REFUSED_BACKOFF = 60.0
NEGLECTED = 300.0
"""Seconds after which a check that is due, and was not dealt with, means that something is wrong."""
STUCK = 1800.0
"""Seconds after which a reconciliation that goes on hangs for ever: all that it waits for is given up before."""


class Supervisor:
    """Reconciles checks: each serially, `WORKERS` at a time. Nothing that it holds is missed after a crash."""

    def __init__(
        self,
        settings: OperatorSettings,
        cluster: Cluster,
        cache: ClusterCache,
        metrics: Metrics,
        *,
        renew: Callable[[], None],
    ) -> None:
        """`renew`: begins the watches anew."""
        self._renew = renew
        self._cache = cache
        self._metrics = metrics
        self._places = settings.max_concurrent_runs
        self._queue = WorkQueue()
        self._notifier = Notifier(settings)
        self._reconciler = Reconciler(settings, cluster, cache, self._wrote, self._queue.add)
        self._tasks: list[asyncio.Task[None]] = []
        self.census = Census(cluster, cache, settings.namespaces)

    def start(self) -> None:
        """Begin; checks may have been enqueued already."""
        work = [self._notifier.run(), *(self._work() for _ in range(WORKERS))]
        self._tasks = [
            asyncio.create_task(coroutine) for coroutine in (*work, self.census.run(self._enqueue_all, self._renew))
        ]

    async def stop(self) -> None:
        """End at once, in the middle of whatever it is."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._reconciler.stop()
        await self._notifier.stop()

    def enqueue(self, key: CheckKey, *, edited: bool = False) -> None:
        """Something about the check has changed; `edited`: its spec, which may have been the cause of failures."""
        if edited:
            self._queue.forget(key)
        self._queue.add(key)

    def deadly_problems(self) -> list[str]:
        """A sentence for each problem that a restart mends, and nothing else."""
        dead = [task for task in self._tasks if task.done()]
        found = [f"{len(dead)} of {len(self._tasks)} tasks of the supervisor have died"] if dead else []
        if self._queue.shortest_processing(WORKERS) > STUCK:
            found.append(f"all {WORKERS} reconciliations hang")
        return found

    def problems(self) -> list[str]:
        """A sentence for each thing that is not as it should be."""
        late = self.overdue
        neglected = [f"a check has been due for {late:.0f} s"] if late > NEGLECTED else []
        return self.deadly_problems() + self.census.problems() + neglected

    def measured(self) -> OperatorState:
        """What metrics tell of the operator itself."""
        return OperatorState(self.overdue, self._places, self._reconciler.places_used, len(self.problems()))

    @property
    def overdue(self) -> float:
        """For how many seconds the most neglected check has been due."""
        return self._queue.overdue()

    async def _work(self) -> None:
        while True:
            key = await self._queue.get()
            try:
                wake_at = await self._reconciler.reconcile(key)
            except Exception as error:  # noqa: BLE001 (one check that cannot be dealt with must not stop the others)
                self._failed(key, error)
            else:
                self._queue.done(key)
                if wake_at is not None:
                    self._queue.add_after(key, max(wake_at.timestamp() - time.time(), LEAST_SLEEP))

    def _wrote(self, resource: Resource, before: CheckStatus, after: CheckStatus) -> None:
        self._metrics.wrote(resource, before, after)
        self._notifier.wrote(resource, before, after)

    def _failed(self, key: CheckKey, error: Exception) -> None:
        backoff = self._queue.failed(key, least=REFUSED_BACKOFF if isinstance(error, StatusRefused) else 0)
        self._metrics.failed(error)
        unexpected = None if isinstance(error, ApiError | StatusRefused) else error
        log.error(
            "%s/%s: %s; trying again in %.0f s", *key, str(error) or type(error).__name__, backoff, exc_info=unexpected
        )

    def _enqueue_all(self) -> None:
        for key in self._cache.watched_keys():
            self._queue.add(key)
