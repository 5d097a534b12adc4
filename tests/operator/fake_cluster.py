"""An API server that an operator can live on: kmock's emulator, with what it lacks (see `fake_store`).

It runs in a thread with its own loop, as plain HTTP; the methods are called from the test's thread.
"""

import asyncio
import functools
import json
import re
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from aiohttp import web
from consistency_operator.names import API_GROUP, KIND, PLURAL, VERSION
from fake_store import Body, Change, Refused, Store, json_patched, matches, merged
from kmock import KubernetesEmulator, action

T = TypeVar("T")

KINDS = {
    PLURAL: (f"{API_GROUP}/{VERSION}", KIND, {"status"}),
    "jobs": ("batch/v1", "Job", {"status"}),
    "pods": ("v1", "Pod", {"status"}),
    "events": ("v1", "Event", set[str]()),
}
VERBS = ["create", "delete", "get", "list", "patch", "watch"]


@dataclass
class Fault:
    """What befalls requests whose "METHOD path" matches: an answer, or (status 0) silence.

    `times`: so many of them, after the first `passes`, which pass. `after`: what was asked for is done before.
    `body`: of an answer that is no API server's.
    """

    pattern: re.Pattern[str]
    status: int
    times: float
    message: str
    causes: list[Body] | None = None
    reason: str = "Scripted"
    body: str = ""
    after: bool = False
    passes: int = 0
    met: int = 0


class Strange(Exception):  # noqa: N818 (it is no error to whoever sends it)
    """An answer of something between the operator and the API server."""


class Api(KubernetesEmulator):
    """Discovery, parsing and rendering are kmock's; objects are kept in `store`."""

    store: Store
    faults: list[Fault]
    streams: set[asyncio.Task[Any]]
    token: str

    async def _handle(self, request: Any) -> web.StreamResponse:
        try:
            if request.headers.get("Authorization") != f"Bearer {self.token}":
                raise Refused(401, "Unauthorized", "Unauthorized")
            await self._suffer(request, after=False)
            if request.resource is None or request.resource.plural not in KINDS or request.action is None:
                return await super()._handle(request)
            if request.action == action.WATCH:
                return await self._watch(request)
            answer = self._serve(request)
            await self._suffer(request, after=True)
            return web.json_response(answer, status=201 if request.action == action.CREATE else 200)
        except Strange as strange:
            status, body = strange.args
            return web.Response(status=status, text=body, content_type="text/html")
        except Refused as refusal:
            details = {"causes": refusal.causes} if refusal.causes else {}
            body = {"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": refusal.status}
            body |= {"reason": refusal.reason, "message": refusal.message, "details": details}
            return web.json_response(body, status=refusal.status)

    async def _suffer(self, request: Any, *, after: bool) -> None:
        what = f"{request.method.value} {request.url.path}"
        for fault in self.faults:
            if fault.after != after or not fault.pattern.search(what):
                continue
            if fault.passes:
                fault.passes -= 1
            elif fault.met < fault.times:
                fault.met += 1
                if fault.status == 0:
                    await asyncio.Event().wait()
                if fault.body:
                    raise Strange(fault.status, fault.body)
                raise Refused(fault.status, fault.reason, fault.message, fault.causes)

    def _serve(self, request: Any) -> Body:
        plural, namespace, name = request.resource.plural, request.namespace, request.name
        match request.action:
            case action.LIST:
                items = sorted(self.store.select(plural, namespace, *_selectors(request)), key=_name)
                begin = int(request.params.get("continue") or 0)
                end = begin + int(request.params.get("limit") or len(items))
                rest = {"continue": str(end)} if end < len(items) else {}
                page, metadata = items[begin:end], {"resourceVersion": str(self.store.version), **rest}
                if "PartialObjectMetadataList" in request.headers["Accept"]:
                    named = [{"metadata": item["metadata"]} for item in page]
                    kind = "PartialObjectMetadataList"
                    return {"kind": kind, "metadata": metadata, "items": named or None}  # as API servers do
                return {"kind": f"{KINDS[plural][1]}List", "metadata": metadata, "items": page}
            case action.FETCH:
                return self.store.get(plural, namespace, name)
            case action.CREATE:
                version, kind, _ = KINDS[plural]
                return self.store.create(plural, namespace, {"apiVersion": version, "kind": kind, **request.data})
            case action.UPDATE:
                return self.store.patch((plural, namespace, name), _change(request), request.subresource)
            case _:
                options = request.data or {}
                cascade = options.get("propagationPolicy", "Orphan" if plural == "jobs" else "Background") != "Orphan"
                uid = options.get("preconditions", {}).get("uid")
                return self.store.delete((plural, namespace, name), cascade=cascade, uid=uid)

    async def _watch(self, request: Any) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request._raw_request)
        since = int(request.params["resourceVersion"])
        if since < self.store.forgotten:
            gone = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}
            await response.write(json.dumps(gone).encode() + b"\n")
            return response
        stream = asyncio.ensure_future(self._stream(request, response, since))
        self.streams.add(stream)
        try:
            await stream
        except (asyncio.CancelledError, ConnectionError):
            stream.cancel()
            if transport := request._raw_request.transport:
                transport.abort()
        finally:
            self.streams.discard(stream)
        return response

    async def _stream(self, request: Any, response: web.StreamResponse, since: int) -> None:
        wanted = functools.partial(_wanted, request)
        while True:
            changes = await self.store.changes(since)
            since = changes[-1].version
            events = [{"type": change.type, "object": change.body} for change in changes if wanted(change)]
            await response.write(b"".join(json.dumps(event).encode() + b"\n" for event in events))


def _name(body: Body) -> tuple[str, str]:
    """By which API servers order a list."""
    return body["metadata"]["namespace"], body["metadata"]["name"]


def _selectors(request: Any) -> tuple[str, str]:
    return request.params.get("labelSelector", ""), request.params.get("fieldSelector", "")


def _wanted(request: Any, change: Change) -> bool:
    here = request.namespace in (None, change.body["metadata"]["namespace"])
    return here and change.plural == request.resource.plural and matches(change.body, *_selectors(request))


def _change(request: Any) -> Callable[[Body], Body]:
    if request.headers["Content-Type"] == "application/json-patch+json":
        return lambda body: json_patched(body, request.data)
    return lambda body: merged(body, request.data)


class FakeCluster:
    """The server and its objects. `with FakeCluster() as cluster: …`"""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.news = threading.Condition()
        self.api = Api()
        self.api.faults, self.api.streams, self.api.token = [], set(), "a token"
        for plural, (version, kind, subresources) in KINDS.items():
            info = {"namespaced": True, "kind": kind, "singular": kind.lower(), "verbs": VERBS, "shortnames": []}
            self.api.resources[f"{version}/{plural}"] = {**info, "categories": [], "subresources": subresources}
        for plural in ("v1/namespaces", "apiextensions.k8s.io/v1/customresourcedefinitions"):  # kopf waits for them
            self.api.resources[plural].verbs = {"list", "watch"}
        self.url = ""
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "FakeCluster":
        self._thread.start()
        self.until(lambda: self.url)
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._start())
        self.loop.run_forever()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    async def _start(self) -> None:
        self.api.store = Store(frozenset(name for name, (_, _, sub) in KINDS.items() if "status" in sub), self._tell)
        await self.api.__aenter__()
        runner = web.ServerRunner(web.Server(self.api, access_log=None), shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        with self.news:
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            self.news.notify_all()

    def _tell(self) -> None:
        with self.news:
            self.news.notify_all()

    # --- what a test does -------------------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        """To be touched in the server's loop only: by Job controllers, and by `do`."""
        return self.api.store

    def do(self, call: Callable[[], T]) -> T:
        """Call something in the server's loop."""

        async def doing() -> T:
            return call()

        return self.wait_for(doing())

    def wait_for(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def create(self, plural: str, body: Body, namespace: str = "default") -> Body:
        version, kind, _ = KINDS[plural]
        return self.do(lambda: self.store.create(plural, namespace, {"apiVersion": version, "kind": kind, **body}))

    def get(self, plural: str, name: str, namespace: str = "default") -> Body | None:
        return self.do(lambda: self.store.objects.get((plural, namespace, name)))

    def all(self, plural: str, labels: str = "") -> list[Body]:
        return self.do(lambda: self.store.select(plural, None, labels))

    def patch(self, plural: str, name: str, change: Body, namespace: str = "default") -> Body:
        return self.do(lambda: self.store.patch((plural, namespace, name), lambda body: merged(body, change)))

    def patch_status(self, plural: str, name: str, status: Body, namespace: str = "default") -> Body:
        key = plural, namespace, name
        return self.do(lambda: self.store.patch(key, lambda body: merged(body, {"status": status}), "status"))

    def delete(self, plural: str, name: str, namespace: str = "default") -> None:
        self.do(lambda: self.store.delete((plural, namespace, name)))

    def fail(
        self,
        pattern: str,
        status: int,
        *,
        times: float = 1,
        message: str = "scripted",
        causes: list[Body] | None = None,
        reason: str = "Scripted",
        body: str = "",
    ) -> Fault:
        """The next `times` requests of which "METHOD path" matches are answered with `status`; 0: not at all."""
        fault = Fault(re.compile(pattern), status, times, message, causes, reason, body)
        self.do(lambda: self.api.faults.append(fault))
        return fault

    def cut_watches(self) -> None:
        """Tear all open watches; the connections are aborted."""
        self.do(lambda: [stream.cancel() for stream in self.api.streams])

    def rights_used(self) -> set[tuple[str, str]]:
        """(resource, verb) of all requests so far, as a role names them."""
        verbs = {"FETCH": "get", "UPDATE": "patch"}
        requests = [request for request in list(self.api._requests) if request.action and request.resource.plural]
        names = ["/".join(filter(None, (request.resource.plural, request.subresource))) for request in requests]
        actions = [verbs.get(request.action.value, request.action.value.lower()) for request in requests]
        return set(zip(names, actions, strict=True))

    def requests(self, pattern: str) -> list[str]:
        """The requests so far, as "METHOD path", that match."""
        seen = [f"{request.method.value} {request.url.path}" for request in list(self.api._requests)]
        return [request for request in seen if re.search(pattern, request)]

    def until(self, happened: Callable[[], T], seconds: float = 60) -> T:
        """Wait until `happened` answers something true; asked again at every change, and ten times a second."""
        end = time.monotonic() + seconds
        while not (answer := happened()):
            left = end - time.monotonic()
            assert left > 0, f"waited {seconds} s for something that did not happen"
            with self.news:
                self.news.wait(min(left, 0.1))
        return answer

    def kubeconfig(self, directory: Path) -> Path:
        """A file that leads kubectl and operators here."""
        path = directory / "kubeconfig"
        config: Body = {
            "current-context": "fake",
            "contexts": [{"name": "fake", "context": {"cluster": "c", "user": "u"}}],
        }
        config["clusters"] = [{"name": "c", "cluster": {"server": self.url}}]
        config["users"] = [{"name": "u", "user": {"token": self.api.token}}]
        path.write_text(yaml.safe_dump(config))
        return path
