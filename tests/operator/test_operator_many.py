"""Many checks at once: none is forgotten, no more run at a time than is allowed, and the longest waiting goes first."""

import time

import pytest
from cluster_checks import check, condition, created_jobs, last_run, stage_of
from consistency_operator.names import LABEL_CHECK, PLURAL
from fake_cluster import FakeCluster
from kopf_thread import Operator
from scripted_pods import Script, ends_with, gates

CHECKS = 200
LIMIT = 7

pytestmark = pytest.mark.usefixtures("jobs", "quick_answers")


def names(number: int) -> list[str]:
    return [f"site-{i:03}" for i in range(number)]


def running(cluster: FakeCluster) -> list[str]:
    return [name for name in names(5) if stage_of(cluster, name) not in ("", "Queued")]


@pytest.mark.slow
def test_two_hundred_checks_at_once_are_all_run_a_few_at_a_time(
    cluster: FakeCluster, operator: Operator, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short runs: their first worker finds that it is not configured."""
    script.ends["Snapshot"] = ends_with(2, "there is no such database")
    monkeypatch.setenv("CONSISTENCY_MAX_CONCURRENT_RUNS", str(LIMIT))
    for name in names(CHECKS):
        cluster.create(PLURAL, check(name, trigger={"manual": "1"}))
    operator.start()
    end = time.monotonic() + 100
    while ended(cluster) < CHECKS:
        assert time.monotonic() < end, f"only {ended(cluster)} runs have ended"
        time.sleep(0.5)
    assert {last_run(cluster, name)["reason"] for name in names(CHECKS)} == {"Misconfigured"}
    assert created_jobs(cluster) == ["Snapshot"] * CHECKS
    assert 1 < most_unfinished_jobs(cluster) <= LIMIT


def test_who_waits_is_told_behind_whom_and_a_free_place_goes_to_the_first_in_the_queue(
    cluster: FakeCluster, operator: Operator, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSISTENCY_MAX_CONCURRENT_RUNS", "1")
    script.holds = {"Snapshot"}
    operator.start()
    for name in names(3):
        cluster.create(PLURAL, check(name, trigger={"manual": "1"}))
        cluster.until(lambda name=name: stage_of(cluster, name))
    cluster.until(lambda: running(cluster) == ["site-000"])
    cluster.until(lambda: "behind default/site-001" in condition(cluster, "Running", "site-002").get("message", ""))
    script.holds.clear()
    cluster.until(lambda: last_run(cluster, "site-002"))
    made = [change.body for change in cluster.do(lambda: list(cluster.store.log)) if change.plural == "jobs"]
    assert list(dict.fromkeys(job["metadata"]["labels"][LABEL_CHECK] for job in made)) == names(3)


def test_a_run_that_waits_for_a_person_keeps_nobody_waiting(
    cluster: FakeCluster, operator: Operator, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSISTENCY_MAX_CONCURRENT_RUNS", "1")
    script.gates = gates(Approval="Pending")
    for name in names(2):
        cluster.create(PLURAL, check(name, trigger={"manual": "1"}))
    operator.start()
    cluster.until(lambda: [stage_of(cluster, name) for name in names(2)] == ["AwaitingApproval"] * 2)


def ended(cluster: FakeCluster) -> int:
    """How many checks have a history."""
    return cluster.do(lambda: sum("history" in body.get("status", {}) for body in cluster.store.select(PLURAL, None)))


def most_unfinished_jobs(cluster: FakeCluster) -> int:
    """The most Jobs that were there at a time and had not ended."""
    unfinished: set[str] = set()
    most = 0
    for change in cluster.do(lambda: list(cluster.store.log)):
        if change.plural != "jobs":
            continue
        if change.type == "DELETED" or change.body.get("status", {}).get("conditions"):
            unfinished.discard(change.body["metadata"]["name"])
        else:
            unfinished.add(change.body["metadata"]["name"])
        most = max(most, len(unfinished))
    return most
