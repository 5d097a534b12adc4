"""Jobs that do not get going in a real cluster: each check says what hinders it, and goes on when that is gone."""

import signal
import time
from typing import Any

import full_quota
import pytest
from cluster.api import path_of
from cluster.processes import wait_until
from dynamo_laboratory import ORPHANS

AWAY = 20
"""Seconds."""
APPEARS = 150
"""Seconds: what hinders a Job is said after a minute."""
PODS: dict[str, dict[str, Any]] = {
    "no-node": {"nodeSelector": {"kubernetes.io/hostname": "nowhere"}},
    "policy": {"volumes": [{"name": "site", "nfs": {"server": "nfs.example.org", "path": "/"}}]},
    "proxy": {},
    "account": {},
}
SAID = {
    "no-node": "the snapshot waits for a node: 0/",
    "account": 'serviceaccount "consistency-worker" not found',
    "proxy": "the container istio-proxy beside the worker goes on, so that the pod never ends",
}


@pytest.fixture
def operator(make_operator, backends, laboratory):
    operator = make_operator(backends(laboratory.backends))
    operator.start()
    return operator


def end_the_worker_alone(checks) -> None:
    """As where a mesh puts a container into every pod: the worker ends, the proxy does not."""
    (pod,) = checks.pods("proxy")
    states = [
        ("worker", {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": "2026-11-22T12:00:00Z"}}),
        ("istio-proxy", {"running": {"startedAt": "2026-11-22T11:00:00Z"}}),
    ]
    containers = [
        {"name": name, "state": state, "ready": False, "restartCount": 0, "image": "x", "imageID": "x"}
        for name, state in states
    ]
    path = path_of("Pod", checks.namespace, pod["metadata"]["name"], "status")
    checks.api.patch(path, {"status": {"phase": "Running", "containerStatuses": containers}})


def test_each_check_says_what_hinders_its_pods(checks, operator, laboratory, node):
    checks.patience = APPEARS
    node.hold(lambda pod: pod["metadata"]["labels"].get("consistency.dynamo.io/check") == "proxy")
    for name, pods in PODS.items():
        if name == "account":
            wait_until("the other pods", lambda: checks.pods("proxy") and checks.pods("no-node"), 60)
            checks.api.delete(path_of("ServiceAccount", checks.namespace, "consistency-worker"))
        check = laboratory.check(name, trigger={"manual": "first"})
        check["spec"]["podTemplate"] = {"spec": pods}
        checks.apply(check)
    end_the_worker_alone(checks)
    for name, words in SAID.items():
        run = checks.wait_for(name, words, lambda now, words=words: words in now.get("run", {}).get("message", ""))[
            "run"
        ]
        assert (run["stage"], run["waitsFor"]) == ("Snapshot", "PodsWaiting")
        command = run["message"].rpartition("; look further with: ")[2]
        assert command.startswith(f"kubectl -n {checks.namespace} describe ")
        checks.api.get(path_of(*kind_and_name(command, checks.namespace)))
    running = checks.condition("policy", "Running")
    assert running["reason"] == "JobRefused"
    assert "-snapshot: ValidatingAdmissionPolicy" in running["message"]
    assert "a worker mounts claims" in running["message"]
    checks.delete("proxy")
    wait_until("its pod has gone", lambda: not checks.pods("proxy"))  # else the node would start it now


def kind_and_name(command: str, namespace: str) -> tuple[str, str, str]:
    """What `kubectl describe job/x` is about."""
    kind, _, name = command.rsplit(maxsplit=1)[-1].partition("/")
    return kind.capitalize(), namespace, name


def test_a_node_that_is_cordoned_holds_a_run_up_until_it_is_not(checks, operator, laboratory, node):
    checks.patience = APPEARS
    path = path_of("Node", name=node.name)
    checks.api.patch(path, {"spec": {"unschedulable": True}})
    try:
        checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
        checks.wait_for("lab", "no node", lambda now: "waits for a node" in now.get("run", {}).get("message", ""))
        assert checks.condition("lab", "Running")["reason"] == "PodsWaiting"
    finally:
        checks.api.patch(path, {"spec": {"unschedulable": None}})
    assert checks.finished("lab")["result"] == "Complete"


def approved_behind_a_quota(checks, laboratory) -> dict[str, Any]:
    """A second run, which is approved and whose action is refused for a quota that is full; what its status says."""
    checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
    assert checks.finished("lab")["result"] == "Complete"
    checks.annotate("lab", requestedAt="second")
    run = checks.reaches("lab", "AwaitingApproval")
    full_quota.fill(checks)
    checks.annotate("lab", approve=run["id"])
    return checks.wait_for("lab", "the quota", lambda now: now.get("run", {}).get("waitsFor") == "JobRefused")["run"]


def test_an_approved_run_is_not_lost_to_a_quota_nor_to_an_operator_that_dies_meanwhile(checks, operator, laboratory):
    refused = approved_behind_a_quota(checks, laboratory)
    assert refused["stage"] == "Action"
    assert "exceeded quota: full" in refused["message"]
    operator.kill()
    operator.start()
    full_quota.free(checks)
    checks.api.patch(checks.path("lab"), {"spec": {"jitterSeconds": 1}})  # an edit is looked at at once
    assert checks.finished("lab", runs=2)["reason"] == "Completed"
    assert laboratory.deletions() == sorted(ORPHANS), "once each"


def test_an_approved_run_is_not_lost_to_an_api_server_that_is_away_when_the_action_is_due(
    checks, operator, laboratory, plane
):
    """The action waits for a quota; just when there is room for it, the API server answers nobody."""
    approved_behind_a_quota(checks, laboratory)
    full_quota.free(checks)
    checks.api.patch(checks.path("lab"), {"spec": {"jitterSeconds": 1}})  # an edit is looked at at once
    server = plane.processes.running["apiserver"]
    server.send_signal(signal.SIGSTOP)
    try:
        time.sleep(AWAY)
    finally:
        server.send_signal(signal.SIGCONT)
    assert checks.finished("lab", runs=2)["reason"] == "Completed"
    assert laboratory.deletions() == sorted(ORPHANS), "once each"
