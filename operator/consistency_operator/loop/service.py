"""The operator as one thing: the connection, what is known, the supervisor, and the ports for metrics and probes."""

import asyncio
from collections.abc import Awaitable, Callable

import kopf
from aiohttp import web

from consistency_operator.cluster.api import Body, Cluster
from consistency_operator.cluster.cache import ClusterCache
from consistency_operator.cluster.digest import KnownCheck, check_of, key_of
from consistency_operator.loop import probes
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
        checks: kopf.Index[CheckKey, KnownCheck],
        jobs: kopf.Index[CheckKey, Body],
        *,
        renew: Callable[[], None],
    ) -> None:
        """`renew`: begins the watches anew."""
        self._settings = settings
        self._cluster = Cluster(login)
        self._cache = ClusterCache(checks, jobs)
        self._metrics = Metrics()
        self._servers: list[web.ServerRunner] = []
        self._generations: dict[str, int] = {}  # by uid of the check
        self.supervisor = Supervisor(settings, self._cluster, self._cache, self._metrics, renew=renew)

    async def start(self) -> None:
        """Serve metrics and probes, and begin to reconcile. Raises OSError when a port is taken."""
        await self._serve(self._scrape, self._settings.metrics_listen)
        await self._serve(self._probe, self._settings.health_listen)
        self.supervisor.start()

    async def stop(self) -> None:
        """End at once."""
        await self.supervisor.stop()
        await self._cluster.close()
        for server in self._servers:
            await server.cleanup()

    async def _serve(self, handler: Callable[[web.BaseRequest], Awaitable[web.Response]], at: tuple[str, int]) -> None:
        server = web.ServerRunner(web.Server(handler, access_log=None), shutdown_timeout=0)
        self._servers.append(server)
        await server.setup()
        await web.TCPSite(server, *at).start()

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

    async def _probe(self, request: web.BaseRequest) -> web.Response:
        return probes.answer(request.path, self.supervisor)

    async def _scrape(self, request: web.BaseRequest) -> web.Response:
        if request.path != "/metrics":
            return web.Response(status=404, text="metrics are at /metrics\n")
        body = await asyncio.to_thread(self._metrics.exposition, self._cache.all(), self.supervisor.measured())
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})
