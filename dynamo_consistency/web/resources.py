"""What the checks of a cluster say beyond their runs: when the next one is due, and what the one that is on is doing.

Read from the API server by the account of the pod, which needs nothing but `list` on checks in its own namespace. Where
that fails, the pages are made of the run directories alone, and say so.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import urllib3

from dynamo_consistency.check import API_VERSION
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.web.index.digest import safe

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
FRESH, PAUSE = 5.0, 60.0
"""Seconds for which an answer holds, and for which nothing is asked after a failure."""
_SECONDS = 5.0


@dataclass(frozen=True)
class ResourceState:
    """next_run: None where none is due, as of a check that is suspended. doing: of the run that is on, else None."""

    next_run: datetime | None
    doing: str | None


class Resources:
    """Used by several threads at once."""

    def __init__(self, server: str, account: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """`account`: the folder with token, namespace and certificate of the pod."""
        self._account, self._clock = account, clock
        namespace = (account / "namespace").read_text(encoding="ascii").strip()
        self._url = f"{server}/apis/{API_VERSION}/namespaces/{namespace}/siteconsistencychecks"
        self._pool = urllib3.PoolManager(ca_certs=str(account / "ca.crt"), timeout=_SECONDS, retries=False)
        self._lock = threading.Lock()
        self._known: Mapping[str, ResourceState] = {}
        self._holds_until = -1.0
        self.problem = ""
        """Why nothing is known now."""

    @classmethod
    def of_this_pod(cls) -> "Resources":
        """Raises ConfigurationError where this is no pod that has a token."""
        host, port = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        if not host or not (ACCOUNT / "token").exists():
            raise ConfigurationError("--resources is for a pod whose account has a token; here there is none")
        return cls(f"https://{f'[{host}]' if ':' in host else host}:{port}", ACCOUNT)

    def known(self) -> Mapping[str, ResourceState]:
        """By `namespace/name`; empty where the API server does not tell."""
        with self._lock:
            if self._clock() > self._holds_until:
                try:
                    self._known, self.problem = dict(map(_state, self._items())), ""
                    self._holds_until = self._clock() + FRESH
                except (
                    OSError,
                    urllib3.exceptions.HTTPError,
                    ValueError,
                    TypeError,
                    KeyError,
                    AttributeError,
                ) as error:
                    self._known, self.problem = {}, safe(f"the resources of the cluster are not known now: {error}")
                    self._holds_until = self._clock() + PAUSE
            return self._known

    def _items(self) -> list[dict[str, Any]]:
        token = (self._account / "token").read_text(encoding="ascii").strip()  # it is another one every hour
        answer = self._pool.request("GET", self._url, headers={"Authorization": f"Bearer {token}"})
        if answer.status != 200:
            raise ValueError(f"the API server answers {answer.status}")
        return list(answer.json()["items"])


def _state(resource: dict[str, Any]) -> tuple[str, ResourceState]:
    metadata, status = resource["metadata"], resource.get("status") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or []}
    running = conditions.get("Running", {})
    doing = None
    if status.get("run") and running.get("status") == "True":
        message = running.get("message") or ""
        doing = safe(f"{running['reason']}: {message}" if message else running["reason"], 200)
    next_run = status.get("nextRunTime")
    due = None if next_run is None else datetime.fromisoformat(next_run).astimezone(UTC)
    return safe(f"{metadata['namespace']}/{metadata['name']}", 400), ResourceState(due, doing)
