"""The operator as its container starts it: a process of its own, which is probed, asked to stop, or killed."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from asked_backends import Backends, asking
from cluster_checks import check, condition, created_jobs, last_run
from consistency_operator.names import API_VERSION, KIND, PLURAL
from fake_cluster import FakeCluster
from operator_command import Process
from scripted_pods import Script

pytestmark = pytest.mark.usefixtures("jobs")


@pytest.fixture
def process(environment: dict[str, str], tmp_path: Path) -> Iterator[Process]:
    process = Process(environment, tmp_path / "operator.log")
    try:
        yield process
    finally:
        if process.alive:
            process.end(signal.SIGKILL)


def test_it_leaves_when_it_is_told_whatever_it_waits_for(
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
    given_up = process.log.read_text().count("trying again")
    assert process.end(signal.SIGTERM) == 0, process.log.read_text()
    assert process.log.read_text().count("trying again") == given_up, "it has waited for the write"
    cluster.until(lambda: not asking(backends))


def test_its_probe_tells_how_late_the_most_neglected_check_is(cluster: FakeCluster, process: Process) -> None:
    cluster.create(PLURAL, check())
    process.start()
    assert 0 <= cluster.until(lambda: process.probe("/healthz")[1])["delaySeconds"] < 60


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


def test_without_its_kind_in_the_cluster_it_says_what_to_apply(cluster: FakeCluster, process: Process) -> None:
    cluster.fail(f"GET /apis/{API_VERSION}$", 404, times=1000)
    process.start()
    assert process.wait() == 2
    assert (
        process.log.read_text()
        == f"the cluster knows no {KIND} of {API_VERSION}: apply crds/, or those of this release\n"
    )
