"""Fixtures of the operator's tests: a cluster, its Job controller, and an operator that can be started again."""

import contextlib
import json
import logging
import os
import random
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import consistency_operator.loop.handlers
import kopf
import pytest
from consistency_operator.loop import preflight
from consistency_operator.names import LABEL_STAGE, PLURAL
from fake_cluster import FakeCluster
from fake_jobs import JobController
from fake_store import Body
from kopf.testing import KopfRunner
from scripted_pods import Script

HANDLERS = consistency_operator.loop.handlers.__file__

logging.raiseExceptions = False  # KopfRunner takes its stream away while kopf still says its last words


def free_port() -> int:
    """One below those that the system hands out, so that no connection of another test takes it before we do."""
    while True:
        port = random.randrange(15_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
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
        """What a scraper sees: {'name{label="value"}': number}; nothing while the operator is not there."""
        try:
            lines = self.get(self.metrics_port, "/metrics").splitlines()
        except urllib.error.URLError:
            return {}
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


@dataclass(frozen=True)
class Backends:
    """A backends.yaml whose only backend is `ready_site`."""

    file: Path

    def feel(self, mood: str) -> None:
        """ready, unlisted, broken, hanging, or anything else: not ready."""
        self.file.with_name("mood").write_text(mood)

    def answer(self, reason: str = "", message: str = "") -> None:
        """What a process of a few milliseconds says in place of the real one, see `quick_answers`."""
        self.file.with_name("answer").write_text(json.dumps({"reason": reason, "message": message}))


@pytest.fixture
def backends(tmp_path: Path) -> Backends:
    file = tmp_path / "backends.yaml"
    file.write_text(json.dumps({"backends": {"default": {"type": "module", "module": "ready_site"}}}))
    return Backends(file)


@pytest.fixture
def quick_answers(backends: Backends, monkeypatch: pytest.MonkeyPatch) -> None:
    backends.answer()
    monkeypatch.setattr(preflight, "COMMAND", ("sh", "-c", f"cat {backends.file.with_name('answer')}"))


@pytest.fixture
def environment(
    cluster: FakeCluster, backends: Backends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The operator's environment variables; also those of a real process."""
    settings = {
        "KUBECONFIG": str(cluster.kubeconfig(tmp_path)),
        "CONSISTENCY_IMAGE": "registry/consistency:1",
        "CONSISTENCY_BACKENDS": str(backends.file),
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


def stage_of(cluster: FakeCluster, name: str = "t2-a") -> str:
    """What the run that goes on does; empty when there is none."""
    return str(status_of(cluster, name).get("run", {}).get("stage", ""))


def last_run(cluster: FakeCluster, name: str = "t2-a") -> Body:
    """The run that ended last; empty while a run goes on, or when there was none."""
    status = status_of(cluster, name)
    return {} if "run" in status else dict((status.get("history") or [{}])[0])


def condition(cluster: FakeCluster, kind: str, name: str = "t2-a") -> Body:
    found = (each for each in status_of(cluster, name).get("conditions", []) if each["type"] == kind)
    return next(found, {})


def events_of(cluster: FakeCluster, name: str = "t2-a") -> list[str]:
    """The reasons of the events about a check, in their order."""
    return [event["reason"] for event in cluster.all("events") if event["involvedObject"]["name"] == name]


def created_jobs(cluster: FakeCluster) -> list[str]:
    """The stages whose Jobs were made, in their order, each as often as it was."""
    changes = cluster.do(lambda: list(cluster.store.log))
    made = (change for change in changes if change.plural == "jobs" and change.type == "ADDED")
    return [change.body["metadata"]["labels"][LABEL_STAGE] for change in made]


def asking(backends: Backends) -> list[Path]:
    """The processes that ask a backend of this file now."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:  # it has just ended
            continue
        if b"consistency_operator.loop.preflight_process" in command and str(backends.file).encode() in command:
            found.append(path)
    return found
