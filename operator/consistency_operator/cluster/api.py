"""What the operator asks of the API server, and nothing more: the rights for it are in `deploy/base/rbac.yaml`.

Nothing is tried again here, except once after a new login: whoever calls knows better when.
"""

import asyncio
import json
import socket
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
import kopf

from consistency_operator.cluster.api_error import ApiError
from consistency_operator.names import API_VERSION, LABEL_CHECK, MANAGER, PLURAL
from dynamo_consistency.sentences import shortened

Body = dict[str, Any]

TIMEOUT = aiohttp.ClientTimeout(total=20, sock_connect=10)  # seconds
PAGE_SIZE = 500
_CHECKS = f"/apis/{API_VERSION}"
_JOBS = "/apis/batch/v1"
_CORE = "/api/v1"
_STRICTLY = {"fieldValidation": "Strict"}
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"


class Cluster:
    """A connection. `login` gives the credentials; it may block, and is asked again after a 401."""

    def __init__(self, login: Callable[[], kopf.ConnectionInfo]) -> None:
        self._login = login
        self._session: aiohttp.ClientSession | None = None
        self._server = ""
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        """End the connection."""
        if self._session is not None:
            await self._session.close()

    async def knows_the_kind(self) -> bool:
        """Is the CustomResourceDefinition there? Raises ApiError when the server does not say."""
        try:
            await self._request("GET", _CHECKS)
        except ApiError as error:
            if error.status != 404:
                raise
            return False
        return True

    # --- checks -----------------------------------------------------------------------------------------------

    async def living_checks(self, namespace: str | None) -> dict[str, str]:
        """All checks of a namespace, or (None) of the cluster: what they are called, by their uids."""
        return await self._uids(_path(_CHECKS, namespace, PLURAL))

    async def find_check(self, namespace: str, name: str) -> Body | None:
        """A check as it is now."""
        found = await self._list(_path(_CHECKS, namespace, PLURAL), fieldSelector=f"metadata.name={name}")
        return found[0] if found else None

    async def patch_status(self, body: Mapping[str, Any], status: Body) -> Body:
        """Replace the status of `body`, and answer the new body. Raises ApiError 409 if `body` is not the newest.

        A field that the CRD does not know is refused (400): dropped in silence, what it records would be done twice.
        """
        meta = body["metadata"]
        patch = [
            {"op": "replace", "path": "/metadata/resourceVersion", "value": meta["resourceVersion"]},
            {"op": "add", "path": "/status", "value": status},
        ]
        path = f"{_path(_CHECKS, meta['namespace'], PLURAL)}/{meta['name']}/status"
        return await self._request("PATCH", path, patch, params=_STRICTLY, content_type="application/json-patch+json")

    # --- Jobs and their pods ----------------------------------------------------------------------------------

    async def list_jobs(self, namespace: str, check: str) -> list[Body]:
        """The Jobs that carry the label of a check."""
        return await self._list(_path(_JOBS, namespace, "jobs"), labelSelector=f"{LABEL_CHECK}={check}")

    async def living_jobs(self, namespace: str | None) -> dict[str, str]:
        """The same of the Jobs of all checks."""
        return await self._uids(_path(_JOBS, namespace, "jobs"), labelSelector=LABEL_CHECK)

    async def create_job(self, manifest: Body) -> Body:
        """Create a Job; if there is one of this name already, answer that: whose it is must be judged by its owner.

        A field that the API server does not know is refused, and not dropped in silence.
        """
        namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
        try:
            return await self._request("POST", _path(_JOBS, namespace, "jobs"), manifest, params=_STRICTLY)
        except ApiError as error:
            if not error.name_is_taken:
                raise
            taken = error
        found = await self.find_job(namespace, name)
        if found is None:
            raise taken  # a moment ago: it has just gone
        return found

    async def find_job(self, namespace: str, name: str) -> Body | None:
        """A Job as it is now."""
        found = await self._list(_path(_JOBS, namespace, "jobs"), fieldSelector=f"metadata.name={name}")
        return found[0] if found else None

    async def delete_job(self, namespace: str, name: str, uid: str) -> None:
        """Delete this very Job; it stays until its pods have ended. That it is gone already is no error."""
        options = {"propagationPolicy": "Foreground", "preconditions": {"uid": uid}}
        try:
            await self._request("DELETE", f"{_path(_JOBS, namespace, 'jobs')}/{name}", options)
        except ApiError as error:
            if error.status not in (404, 409):
                raise

    async def list_pods(self, namespace: str, job: str) -> list[Body]:
        """The pods of a Job that are still there."""
        return await self._list(_path(_CORE, namespace, "pods"), labelSelector=f"batch.kubernetes.io/job-name={job}")

    # --- events -----------------------------------------------------------------------------------------------

    async def list_events(self, namespace: str, kind: str, name: str) -> list[Body]:
        """The events about a Job or a pod that the cluster has kept."""
        selector = f"involvedObject.kind={kind},involvedObject.name={name}"
        return await self._list(_path(_CORE, namespace, "events"), fieldSelector=selector)

    async def post_event(self, about: Mapping[str, Any], kind: str, reason: str, message: str) -> None:
        """Post a Kubernetes event (`kind`: Normal or Warning) about an object.

        Events of one second are shown by their names: so the name grows with the time.
        """
        meta, now = about["metadata"], datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        event = {
            "metadata": {"name": f"{meta['name']}.{time.time_ns():x}", "namespace": meta["namespace"]},
            "involvedObject": {key: about[key] for key in ("apiVersion", "kind")}
            | {key: meta[key] for key in ("name", "namespace", "uid", "resourceVersion")},
            "type": kind,
            "reason": reason,
            "message": shortened(message, 1024),
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": MANAGER},
            "reportingComponent": MANAGER,
            "reportingInstance": socket.gethostname(),
        }
        await self._request("POST", _path(_CORE, meta["namespace"], "events"), event)

    # --- requests ---------------------------------------------------------------------------------------------

    async def _list(self, path: str, **selectors: str) -> list[Body]:
        answer = await self._request("GET", path, params=selectors)
        return answer.get("items") or []

    async def _uids(self, path: str, **selectors: str) -> dict[str, str]:
        """In pages: of ten thousand even the metadata would be a hundred megabytes at once."""
        living: dict[str, str] = {}
        page = {"limit": str(PAGE_SIZE), **selectors}
        while True:
            answer = await self._request("GET", path, params=page, accept=_METADATA_ONLY)
            found = [item["metadata"] for item in answer.get("items") or []]  # null where there are none
            living |= {one["uid"]: f"{one.get('namespace', '')}/{one['name']}" for one in found}
            if not (rest := (answer.get("metadata") or {}).get("continue")):
                return living
            page["continue"] = rest

    async def _request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Body:
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": content_type, "Accept": accept}
        try:
            session = await self._connected()
            status, text = await self._send(session, method, path, params=params, data=data, headers=headers)
            if status == 401:
                session = await self._connected(instead_of=session)
                status, text = await self._send(session, method, path, params=params, data=data, headers=headers)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise ApiError(0, f"the API server cannot be reached: {error}", sent=False) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiError(0, f"the API server does not answer: {type(error).__name__} {error}") from error
        return _answer(status, text)

    async def _send(self, session: aiohttp.ClientSession, method: str, path: str, **options: Any) -> tuple[int, str]:
        async with session.request(method, f"{self._server}{path}", **options) as response:
            return response.status, await response.text()

    async def _connected(self, *, instead_of: aiohttp.ClientSession | None = None) -> aiohttp.ClientSession:
        """The session; a new one with new credentials when it is still the one that was refused."""
        async with self._lock:
            if self._session is None or self._session is instead_of:
                info = await asyncio.to_thread(self._login)
                if self._session is not None:
                    await self._session.close()
                self._server = info.server
                self._session = aiohttp.ClientSession(
                    headers=info.as_http_headers(),
                    connector=aiohttp.TCPConnector(ssl=info.as_ssl_context(), limit=32),
                    proxy=info.proxy_url,
                    timeout=TIMEOUT,
                    trust_env=info.trust_env,
                )
            return self._session


def _path(api: str, namespace: str | None, plural: str) -> str:
    return f"{api}/{plural}" if namespace is None else f"{api}/namespaces/{namespace}/{plural}"


def _answer(status: int, text: str) -> Body:
    """Raises ApiError for a refusal, and for what an API server would not say: of that, nothing is believed."""
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        answer = {"message": shortened(text, 200)}
    if status < 400 and "kind" not in answer:
        raise ApiError(0, f"something else answers in place of the API server: {shortened(text, 200)}")
    if status < 400:
        return answer
    causes = (answer.get("details") or {}).get("causes") or []
    fields = tuple(": ".join(filter(None, (cause.get("field"), cause.get("message", "")))) for cause in causes)
    reason = str(answer.get("reason") or "")
    raise ApiError(status, answer.get("message") or reason or "no reason given", fields, reason=reason)
