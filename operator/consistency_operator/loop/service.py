"""The operator as one thing: the connection, what is known, the supervisor, and the port for metrics."""

import asyncio
from collections.abc import Callable

import kopf
from aiohttp import web

from consistency_operator.cluster.api import Body, Cluster
from consistency_operator.cluster.cache import ClusterCache, check_of, key_of
from consistency_operator.loop.supervisor import Supervisor
from consistency_operator.metrics.exposition import Metrics
from consistency_operator.names import CheckKey
from consistency_operator.settings import OperatorSettings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Service:
    """Made in the event loop; `checks` and `jobs` are kopf's indexes, which fill by themselves."""

    def __init__(
        self,
        settings: OperatorSettings,
        login: Callable[[], kopf.ConnectionInfo],
        checks: kopf.Index[CheckKey, Body],
        jobs: kopf.Index[CheckKey, Body],
    ) -> None:
        self._settings = settings
        self._cluster = Cluster(login)
        self._cache = ClusterCache(checks, jobs)
        self._metrics = Metrics()
        self._server: web.ServerRunner | None = None
        self._generations: dict[str, int] = {}  # by uid of the check
        self.supervisor = Supervisor(settings, self._cluster, self._cache, self._metrics)

    async def start(self) -> None:
        """Serve metrics, and begin to reconcile. Raises OSError when the port is taken."""
        self._server = web.ServerRunner(web.Server(self._scrape, access_log=None), shutdown_timeout=0)
        await self._server.setup()
        await web.TCPSite(self._server, *self._settings.metrics_listen).start()
        self.supervisor.start()

    async def stop(self) -> None:
        """End at once."""
        await self.supervisor.stop()
        await self._cluster.close()
        if self._server is not None:
            await self._server.cleanup()

    def check_changed(self, body: Body, *, deleted: bool) -> None:
        """The watch has shown a check."""
        uid = body["metadata"]["uid"]
        self._cache.record_watched(body)
        if deleted:
            self._cache.forget(uid)
            self._metrics.forget(uid)
            self._generations.pop(uid, None)
        generation = body["metadata"].get("generation", 0)
        edited = self._generations.get(uid, generation) != generation
        if not deleted:
            self._generations[uid] = generation
        self.supervisor.enqueue(key_of(body), edited=edited)

    def job_changed(self, body: Body, *, deleted: bool) -> None:
        """The watch has shown a Job."""
        self._cache.record_watched(body)
        if deleted:
            self._cache.forget(body["metadata"]["uid"])
        if key := check_of(body):
            self.supervisor.enqueue(key)

    async def _scrape(self, request: web.BaseRequest) -> web.Response:
        if request.path != "/metrics":
            return web.Response(status=404, text="metrics are at /metrics\n")
        overdue = self.supervisor.overdue
        body = await asyncio.to_thread(self._metrics.exposition, self._cache.all(), overdue)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})
