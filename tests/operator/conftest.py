"""Fixtures of the operator's tests: a cluster, its Job controller, and an operator that can be started again."""

import contextlib
import json
import os
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import consistency_operator.handlers
import kopf
import pytest
from consistency_operator.names import PLURAL
from fake_cluster import FakeCluster
from fake_jobs import JobController
from fake_store import Body
from kopf.testing import KopfRunner
from scripted_pods import Script

HANDLERS = consistency_operator.handlers.__file__


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Operator:
    """kopf with our handlers, in a thread. It can be started again after it was stopped."""

    def __init__(self, metrics_port: int) -> None:
        self.metrics_port = metrics_port
        self.health_port = free_port()
        self._running: contextlib.ExitStack | None = None

    def start(self) -> None:
        arguments = ["run", "-A", "--standalone", f"--liveness=http://127.0.0.1:{self.health_port}/healthz", HANDLERS]
        runner = KopfRunner(arguments, registry=kopf.OperatorRegistry(), settings=kopf.OperatorSettings(), timeout=20)
        self._running = contextlib.ExitStack()
        self.runner = self._running.enter_context(runner)

    def stop(self) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            running.close()

    def restart(self) -> None:
        self.stop()
        self.start()

    def metrics(self) -> dict[str, float]:
        """What a scraper sees: {'name{label="value"}': number}."""
        lines = self.get(self.metrics_port, "/metrics").splitlines()
        pairs = [line.rsplit(" ", 1) for line in lines if line and not line.startswith("#")]
        return {name: float(number) for name, number in pairs}

    def get(self, port: int, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    with FakeCluster() as cluster:
        yield cluster


@pytest.fixture
def script() -> Script:
    """What the pods answer; a test changes it."""
    return Script()


@pytest.fixture
def environment(cluster: FakeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The operator's environment variables; also those of a real process."""
    backends = tmp_path / "backends.yaml"
    backends.write_text(json.dumps({"backends": {"default": {"type": "module", "module": "ready_site"}}}))
    settings = {
        "KUBECONFIG": str(cluster.kubeconfig(tmp_path)),
        "CONSISTENCY_IMAGE": "registry/consistency:1",
        "CONSISTENCY_BACKENDS": str(backends),
        "CONSISTENCY_METRICS_LISTEN": f"127.0.0.1:{free_port()}",
        "PYTHONPATH": str(Path(__file__).parent),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return os.environ | settings


@pytest.fixture
def operator(cluster: FakeCluster, environment: dict[str, str]) -> Iterator[Operator]:
    """An operator that a test starts; it is stopped in any case."""
    operator = Operator(int(environment["CONSISTENCY_METRICS_LISTEN"].rpartition(":")[2]))
    try:
        yield operator
    finally:
        operator.stop()


@pytest.fixture
def jobs(cluster: FakeCluster, script: Script) -> Iterator[JobController]:
    with JobController(cluster, script) as jobs:
        yield jobs


def check(name: str = "t2-a", **spec: Any) -> Body:
    """A check as a person writes it."""
    listing = {"source": {"posix": {"prefix": "/mnt/site"}}, "roots": [{"path": "/store/mc"}], "shards": 2}
    return {"metadata": {"name": name}, "spec": {"site": "T2_A", "listing": listing, **spec}}


def status_of(cluster: FakeCluster, name: str = "t2-a") -> Body:
    body = cluster.get(PLURAL, name)
    return {} if body is None else dict(body.get("status", {}))
