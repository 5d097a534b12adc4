"""An operator on a node that is too busy: its start takes long, and nothing takes that for death."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from cluster_checks import check
from consistency_operator.manifests import JobRun, build_job
from consistency_operator.names import JOB_STAGES, PLURAL
from consistency_operator.resource.check import from_body
from consistency_operator.settings import read_settings
from fake_cluster import FakeCluster
from operator_command import Process

CHECKS, RUNS = 60, 3  # 720 Jobs
TURN, SHARE = 0.1, 0.15
DEPLOYMENT = Path(__file__).parents[2] / "deploy/operator/deployment.yaml"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Starved(threading.Thread):
    """Lets a process run for a share of the time only, as a scheduler does that has better to do."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self._process = process
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(TURN * SHARE):
            self._process.send(signal.SIGSTOP)
            time.sleep(TURN * (1 - SHARE))
            self._process.send(signal.SIGCONT)


@pytest.fixture
def full_cluster(cluster: FakeCluster) -> FakeCluster:
    """Checks with the finished Jobs of their last runs."""
    settings = read_settings({"CONSISTENCY_IMAGE": "registry/consistency:1"})
    over = {"conditions": [{"type": "Complete", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}
    for number in range(CHECKS):
        resource = from_body(cluster.create(PLURAL, check(f"site-{number:03}")))
        assert resource.check is not None
        for run in range(RUNS):
            for stage in JOB_STAGES:
                job = build_job(stage, resource, JobRun(f"2900000{run}", resource.check, 60), settings)
                cluster.create("jobs", job)
                cluster.patch_status("jobs", job["metadata"]["name"], over)
    return cluster


@pytest.fixture
def process(environment: dict[str, str], tmp_path: Path) -> Iterator[Process]:
    process = Process(environment, tmp_path / "operator.log")
    process.start()
    starved = Starved(process)
    starved.start()
    try:
        yield process
    finally:
        starved.over.set()
        starved.join()
        process.end(signal.SIGKILL)


def test_it_is_not_killed_for_being_slow_and_is_ready_in_the_end(full_cluster: FakeCluster, process: Process) -> None:
    """Asked as the kubelet asks by `deploy/`: first whether it has started, then whether it lives, each in its time."""
    (container,) = yaml.safe_load(DEPLOYMENT.read_text())["spec"]["template"]["spec"]["containers"]
    seconds = container["livenessProbe"]["timeoutSeconds"]
    patience = container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"]
    full_cluster.until(lambda: process.probe("/livez", seconds)[0] == 200, patience)
    deaths, stages = 0, set()
    while (ready := process.probe("/readyz", seconds))[0] != 200:
        stages.update(ready[1].get("problems", []))
        deaths = 0 if process.probe("/livez", seconds)[0] == 200 else deaths + 1
        assert deaths < container["livenessProbe"]["failureThreshold"], process.log.read_text()
    assert stages, "it was alive before it was ready"
    full_cluster.until(lambda: all("status" in body for body in full_cluster.all(PLURAL)), 300)
    assert "Traceback" not in process.log.read_text()
