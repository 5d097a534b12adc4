"""Jobs that are there and do not get going: the check says why, and keeps no other waiting."""

from datetime import timedelta
from typing import Any

import pytest
from cluster_checks import MANUAL, check, condition, events_of, last_run, stage_of, status_of
from consistency_operator.names import PLURAL
from consistency_operator.plan import job_stages
from fake_cluster import FakeCluster
from fake_store import Body
from kopf_thread import Operator

pytestmark = pytest.mark.usefixtures("quick_answers", "little_patience")


@pytest.fixture
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_stages, "GOING_WITHIN", timedelta(seconds=1))


def the_job(cluster: FakeCluster) -> Body:
    return cluster.until(lambda: cluster.all("jobs"))[0]


def happens(cluster: FakeCluster, about: Body, reason: str, message: str) -> None:
    """The cluster posts an event about a Job or a pod."""
    of = {"kind": about["kind"], "name": about["metadata"]["name"]}
    event = {"involvedObject": of, "reason": reason, "message": message, "lastTimestamp": "2026-11-22T11:00:00Z"}
    cluster.create("events", {"metadata": {"name": f"{of['name']}.1"}, "type": "Warning", **event})


def pod(cluster: FakeCluster, job: Body, phase: str = "Pending", **status: Any) -> Body:
    """A pod of a Job that says of itself what `status` has."""
    name = f"{job['metadata']['name']}-x"
    labels = {"batch.kubernetes.io/job-name": job["metadata"]["name"]}
    owner = {"kind": "Job", "name": job["metadata"]["name"], "uid": job["metadata"]["uid"], "controller": True}
    cluster.create(
        "pods",
        {"metadata": {"name": name, "labels": labels, "ownerReferences": [owner]}, "spec": {"containers": []}},
    )
    cluster.patch_status("jobs", job["metadata"]["name"], {"active": 1})
    return cluster.patch_status("pods", name, {"phase": phase, **status})


def said(cluster: FakeCluster, words: str) -> str:
    """What the check says as soon as it has these words."""

    def message() -> str:
        running = condition(cluster, "Running")
        return str(running["message"]) if words in running.get("message", "") else ""

    return cluster.until(message)


def test_pods_that_the_cluster_does_not_accept(cluster: FakeCluster, operator: Operator) -> None:
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    job = the_job(cluster)
    happens(cluster, job, "FailedCreate", 'Error creating: pods "x" is forbidden: violates PodSecurity "restricted"')
    message = said(cluster, "PodSecurity")
    name = job["metadata"]["name"]
    assert message == (
        'the cluster does not accept its pods: pods "x" is forbidden: violates PodSecurity "restricted"; look further '
        f"with: kubectl -n default describe job/{name}"
    )
    assert condition(cluster, "Running")["reason"] == "PodsWaiting"
    assert stage_of(cluster) == "Snapshot"


def test_a_role_that_may_not_list_events_yet_stops_no_run(cluster: FakeCluster, operator: Operator) -> None:
    fault = cluster.fail("GET .*/events", 403, times=1000)
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    job = the_job(cluster)
    message = said(cluster, "runs yet")
    name = job["metadata"]["name"]
    assert message == f"no pod of the Job {name} runs yet; look further with: kubectl -n default describe job/{name}"
    cluster.until(lambda: fault.met)
    cluster.patch_status("jobs", name, {"active": 1, "ready": 1})
    cluster.until(lambda: condition(cluster, "Running")["reason"] == "Snapshot")


def test_a_pod_that_waits_for_its_volume(cluster: FakeCluster, operator: Operator) -> None:
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    waiting = pod(cluster, the_job(cluster))
    happens(cluster, waiting, "FailedMount", 'secret "consistency-backends" not found')
    message = said(cluster, "not found")
    assert message.startswith('the snapshot waits for a volume: secret "consistency-backends" not found; look further')
    assert message.endswith(f"describe pod/{waiting['metadata']['name']}")


def test_a_container_beside_the_worker_that_does_not_end(cluster: FakeCluster, operator: Operator) -> None:
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    containers = [
        {"name": "worker", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}},
        {"name": "istio-proxy", "state": {"running": {}}},
    ]
    pod(cluster, the_job(cluster), "Running", containerStatuses=containers)
    assert "the container istio-proxy beside the worker goes on" in said(cluster, "istio-proxy")


def test_a_run_none_of_whose_pods_runs_gives_its_place_up_and_goes_on_when_one_does(
    cluster: FakeCluster, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSISTENCY_MAX_CONCURRENT_RUNS", "1")
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    job = the_job(cluster)
    cluster.create(PLURAL, check("t2-b", trigger=MANUAL))
    cluster.until(lambda: stage_of(cluster, "t2-b") == "Snapshot")
    cluster.patch_status("jobs", job["metadata"]["name"], {"active": 1, "ready": 1})
    cluster.until(lambda: condition(cluster, "Running")["reason"] == "Snapshot")
    assert "waitsFor" not in status_of(cluster)["run"]
    assert "startedTime" in status_of(cluster)["run"]["jobs"][0]


def test_a_job_of_which_no_pod_ever_runs_is_given_up(
    cluster: FakeCluster, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_stages, "STARTED_WITHIN", timedelta(seconds=3))
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    unschedulable = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no memory"}
    pod(cluster, the_job(cluster), conditions=[unschedulable])
    run = cluster.until(lambda: last_run(cluster))
    assert run["reason"] == "NoPodStarted"
    assert run["message"].endswith("has started within an hour: the snapshot waits for a node: no memory")
    cluster.until(lambda: events_of(cluster)[-1] == "RunFailed")
    cluster.until(lambda: not cluster.all("jobs"))
