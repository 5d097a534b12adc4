"""The API of a cluster, in JSON: paths in, dicts out."""

import json
from collections.abc import Iterator
from typing import Any

import urllib3

Object = dict[str, Any]
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"  # lists by their keys; for built-in kinds only
APPLY_PATCH = "application/apply-patch+yaml"
# As every client does it: a kind that was just defined, for one, is not served for a moment.
COME_AGAIN = urllib3.Retry(
    None, connect=0, read=0, redirect=0, other=0, status=20, status_forcelist=[429], allowed_methods=None,
    backoff_factor=0.1, raise_on_status=False,
)  # fmt: skip
CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/siteconsistencychecks.consistency.dynamo.io"
CHECKS = "/apis/consistency.dynamo.io/v1alpha1/namespaces/{}/siteconsistencychecks"
PATHS = {
    "Namespace": "/api/v1/namespaces",
    "Node": "/api/v1/nodes",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "PersistentVolume": "/api/v1/persistentvolumes",
    "StorageClass": "/apis/storage.k8s.io/v1/storageclasses",
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Event": "/api/v1/namespaces/{}/events",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "Lease": "/apis/coordination.k8s.io/v1/namespaces/{}/leases",
    "SiteConsistencyCheck": CHECKS,
}


class ApiError(OSError):
    """What the server refused, with its own words. Code 0: it did not answer."""

    def __init__(self, method: str, path: str, code: int, body: Object) -> None:
        super().__init__(f"{method} {path}: {code} {body.get('message', body)}")
        self.code, self.body = code, body


def path_of(kind: str, namespace: str = "default", name: str = "", sub: str = "") -> str:
    return "/".join(part for part in (PATHS[kind].format(namespace), name, sub) if part)


class Api:
    """Speaks to a server as whoever the token, or else the certificate (its file and that of the key), names."""

    def __init__(
        self, server: str, token: str | None, ca: str | None = None, certificate: tuple[str, str] | None = None
    ) -> None:
        self.server, self.token, self.ca = server, token, ca
        certificate_file, key_file = certificate or (None, None)
        self._who = {"Authorization": f"Bearer {token}"} if token else {}
        self._pool = urllib3.PoolManager(
            ca_certs=ca, cert_file=certificate_file, key_file=key_file, headers=self._who, retries=COME_AGAIN, maxsize=8
        )

    def as_user(self, token: str) -> "Api":
        return Api(self.server, token, self.ca)

    def request(self, method: str, path: str, body: object = None, kind: str = "application/json") -> Any:
        """The answer's JSON, or its text where it is none."""
        content = None if body is None else json.dumps(body).encode()
        try:
            response = self._pool.request(
                method, self.server + path, body=content, headers=self._headers(kind), timeout=20
            )
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(method, path, 0, {"message": str(error)}) from None
        is_json = "json" in response.headers.get("Content-Type", "")
        answer = json.loads(response.data) if is_json else response.data.decode(errors="replace")
        if response.status >= 400:
            raise ApiError(method, path, response.status, answer if is_json else {"message": answer})
        return answer

    def _headers(self, kind: str) -> dict[str, str]:
        return self._who | {"Content-Type": kind}

    def get(self, path: str) -> Any:
        return self.request("GET", path)

    def find(self, path: str) -> Object | None:
        """The object, or None if there is none."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.code != 404:
                raise
            return None

    def items(self, path: str) -> list[Object]:
        return self.get(path)["items"]

    def create(self, thing: Object, namespace: str = "default") -> Object:
        return self.request("POST", path_of(thing["kind"], namespace), thing)

    def patch(self, path: str, body: object, kind: str = MERGE_PATCH) -> Object:
        return self.request("PATCH", path, body, kind)

    def delete(self, path: str, grace_seconds: int | None = None, propagation: str = "Background") -> None:
        """It may be gone already."""
        options: Object = {"propagationPolicy": propagation}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        try:
            self.request("DELETE", path, options)
        except ApiError as error:
            if error.code != 404:
                raise

    def watch(self, path: str, selector: str, version: str, seconds: int = 20) -> Iterator[Object]:
        """Events since `version`, until the server ends the watch after `seconds`."""
        query = f"?watch=true&timeoutSeconds={seconds}&resourceVersion={version}&{selector}"
        response = self._pool.request(
            "GET",
            self.server + path + query,
            preload_content=False,
            timeout=urllib3.Timeout(connect=5, read=seconds + 10),
        )
        try:
            for line in _lines(response):
                yield json.loads(line)
        finally:
            response.close()


def _lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    rest = b""
    for chunk in response.stream(2**16, decode_content=False):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
