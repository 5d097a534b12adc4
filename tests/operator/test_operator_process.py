"""The operator as its container starts it: a process of its own, which is probed, asked to stop, or killed."""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from asked_backends import Backends, asking
from cluster_checks import check, condition, created_jobs, last_run
from consistency_operator.names import PLURAL
from fake_cluster import FakeCluster
from kopf_thread import free_port
from scripted_pods import Script

COMMAND = str(Path(sys.executable).with_name("consistency-operator"))
pytestmark = pytest.mark.usefixtures("jobs")


class Process:
    """`consistency-operator run`; its log is in `log`."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.port = free_port()
        self.log = log
        self._environment = environment | {"CONSISTENCY_HEALTH_LISTEN": f"127.0.0.1:{self.port}"}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([COMMAND, "run"], env=self._environment, stdout=log, stderr=log)

    def end(self, how: signal.Signals) -> tuple[int, float]:
        """The exit code, and the seconds that it took."""
        assert self._process is not None
        began = time.monotonic()
        self._process.send_signal(how)
        code = self._process.wait(30)
        self._process = None
        return code, time.monotonic() - began

    def health(self) -> dict[str, float]:
        """What the probe says; empty while there is none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                reported: dict[str, float] = json.loads(answer.read())
                return reported
        except (urllib.error.URLError, ConnectionError):
            return {}

    @property
    def alive(self) -> bool:
        return self._process is not None


@pytest.fixture
def process(environment: dict[str, str], tmp_path: Path) -> Iterator[Process]:
    process = Process(environment, tmp_path / "operator.log")
    try:
        yield process
    finally:
        if process.alive:
            process.end(signal.SIGKILL)


def test_it_leaves_within_five_seconds_of_being_told_whatever_it_waits_for(
    cluster: FakeCluster, process: Process, backends: Backends
) -> None:
    """It waits for an answer to a write, and for a backend that hangs."""
    backends.feel("hanging")
    cluster.create(PLURAL, check("asking", trigger={"manual": "1"}))
    process.start()
    cluster.until(lambda: condition(cluster, "Running", "asking").get("reason") == "Preparing")
    silence = cluster.fail("PATCH .*/writing/status", 0, times=100)
    cluster.create(PLURAL, check("writing"))
    cluster.until(lambda: silence.met)
    cluster.until(lambda: asking(backends))
    code, seconds = process.end(signal.SIGTERM)
    assert code == 0, process.log.read_text()
    assert seconds < 5
    cluster.until(lambda: not asking(backends))


def test_its_probe_tells_how_late_the_most_neglected_check_is(cluster: FakeCluster, process: Process) -> None:
    cluster.create(PLURAL, check())
    process.start()
    assert 0 <= cluster.until(process.health)["delaySeconds"] < 5


def test_killed_without_a_word_it_goes_on_where_it_was(cluster: FakeCluster, process: Process, script: Script) -> None:
    script.holds = {"Listing"}
    cluster.create(PLURAL, check(trigger={"manual": "1"}))
    process.start()
    cluster.until(lambda: script.started["Listing"])
    process.end(signal.SIGKILL)
    script.holds.clear()
    process.start()
    assert cluster.until(lambda: last_run(cluster))["reason"] == "Completed", process.log.read_text()
    assert created_jobs(cluster) == ["Snapshot", "Listing", "Comparison", "Action"]
    reported = process.log.read_text()
    assert reported.count("RunStarted") == 1
    assert "Traceback" not in reported
