"""Fixtures of the operator's tests: a cluster, its Job controller, and an operator that can be started again."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from asked_backends import Backends
from consistency_operator.loop import job_creation, kopf_watching, preflight, workqueue
from fake_cluster import FakeCluster
from fake_jobs import JobController
from free_ports import free_port
from kopf_thread import Operator
from scripted_pods import Script


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    with FakeCluster() as cluster:
        yield cluster


@pytest.fixture
def script() -> Script:
    """What the pods answer; a test changes it."""
    return Script()


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
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the time that an operator waits before it tries again."""
    monkeypatch.setattr(workqueue, "FIRST_BACKOFF", workqueue.FIRST_BACKOFF / 10)
    monkeypatch.setattr(kopf_watching, "FIRST_PAUSE", kopf_watching.FIRST_PAUSE / 10)
    monkeypatch.setattr(job_creation, "PAUSES", [pause / 10 for pause in job_creation.PAUSES])


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
        "CONSISTENCY_HEALTH_LISTEN": f"127.0.0.1:{free_port()}",
        "PYTHONPATH": str(Path(__file__).parent),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return os.environ | settings


@pytest.fixture
def operator(cluster: FakeCluster, environment: dict[str, str]) -> Iterator[Operator]:
    """An operator that a test starts; it is stopped in any case."""
    ports = [environment[f"CONSISTENCY_{name}_LISTEN"].rpartition(":")[2] for name in ("METRICS", "HEALTH")]
    operator = Operator(*map(int, ports))
    try:
        yield operator
    finally:
        operator.stop()


@pytest.fixture
def jobs(cluster: FakeCluster, script: Script) -> Iterator[JobController]:
    with JobController(cluster, script) as jobs:
        yield jobs
