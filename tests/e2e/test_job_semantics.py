"""What the API server and the Job controller make of our Jobs; the kubelet's part is played by hand, word by word."""

from typing import Any

import pytest
import yaml
from cluster.api import Api, path_of
from cluster.processes import wait_until
from deployment import ROOT

GOLDEN = sorted((ROOT / "tests/manifests/golden").glob("*.yaml"))
STRICT = "?fieldValidation=Strict&dryRun=All"

RUNNING = {"phase": "Running"}
ENDED = {"name": "worker", "image": "x", "imageID": "", "ready": False, "restartCount": 0}
DISRUPTION = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager"}


def job_of(file: Any) -> dict[str, Any]:
    """Without an owner, which garbage collection would miss, and an account, which a new namespace does not have."""
    job: dict[str, Any] = yaml.safe_load(file.read_text())
    del job["metadata"]["ownerReferences"], job["metadata"]["namespace"]
    return job


def ended(exit_code: int, **more: Any) -> dict[str, Any]:
    return {
        "phase": "Failed",
        "containerStatuses": [ENDED | {"state": {"terminated": {"exitCode": exit_code}}}],
        **more,
    }


class Played:
    """A Job, and what a kubelet says of its pods. Without the claim that they want they are never scheduled."""

    def __init__(self, api: Api, namespace: str, stage: str) -> None:
        self.api, self.namespace = api, namespace
        job = job_of(ROOT / f"tests/manifests/golden/{stage}.yaml")
        self.path = path_of("Job", namespace, api.create(job, namespace)["metadata"]["name"])

    def pods(self) -> list[dict[str, Any]]:
        return self.api.items(path_of("Pod", self.namespace))

    def pod(self, index: int = 0) -> str:
        """Path of the pod of an index, once there is one."""

        def found() -> str | None:
            for pod in self.pods():
                mine = int(pod["metadata"]["labels"].get("batch.kubernetes.io/job-completion-index", 0)) == index
                if mine and pod["status"]["phase"] != "Failed" and "deletionTimestamp" not in pod["metadata"]:
                    return path_of("Pod", self.namespace, pod["metadata"]["name"])
            return None

        return str(wait_until(f"there is a pod of index {index}", found))

    def say(self, pod: str, status: dict[str, Any]) -> None:
        self.api.patch(f"{pod}/status", {"status": status})

    def conditions(self) -> dict[str, str]:
        """Type and reason of what has come true of the Job."""
        status = self.api.get(self.path)["status"]
        return {one["type"]: one.get("reason", "") for one in status.get("conditions", []) if one["status"] == "True"}

    def fate(self) -> str:
        """The reason for which the Job has failed."""
        return str(wait_until("the Job has failed", lambda: self.conditions().get("Failed")))


@pytest.fixture
def play(api, namespace):
    return lambda stage: Played(api, namespace, stage)


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_the_api_server_takes_every_job_and_knows_all_its_fields(api, namespace, file):
    api.request("POST", path_of("Job", namespace) + STRICT, job_of(file))


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (ended(1), "PodFailurePolicy"),
        (ended(137), "PodFailurePolicy"),
        (ended(130, conditions=[DISRUPTION]), "PodFailurePolicy"),
        ({"phase": "Failed", "conditions": [DISRUPTION]}, "PodFailurePolicy"),
        ({"phase": "Failed", "reason": "OutOfmemory"}, "BackoffLimitExceeded"),
        ({"phase": "Failed", "reason": "Evicted"}, "BackoffLimitExceeded"),
    ],
    ids=["failed", "killed", "disturbed", "lost", "turned away", "evicted"],
)
def test_an_action_has_one_pod_however_that_ends(play, status, reason):
    job = play("action-approved")
    pod = job.pod()
    job.say(pod, RUNNING)
    job.say(pod, status)
    assert job.fate() == reason
    assert len(job.pods()) <= 1
    assert job.api.get(job.path)["status"].get("failed") == 1


def _without_active_pods(status: dict[str, Any]) -> dict[str, Any] | None:
    return None if status.get("active") else status


def test_an_action_whose_pod_is_being_deleted_waits_for_its_end(play):
    job = play("action")
    pod = job.pod()
    job.say(pod, RUNNING | {"conditions": [DISRUPTION]})
    job.api.delete(pod)
    wait_until("the pod is going", lambda: "deletionTimestamp" in job.pods()[0]["metadata"])
    status = wait_until("the controller has seen it", lambda: _without_active_pods(job.api.get(job.path)["status"]))
    assert (len(job.pods()), job.conditions(), status.get("failed", 0)) == (1, {}, 0), status
    job.say(pod, ended(130))
    assert job.fate() == "PodFailurePolicy"


def test_a_shard_that_is_disturbed_is_listed_anew_without_being_counted(play):
    job = play("listing")
    job.say(job.pod(2), RUNNING)
    pod = job.pod(2)
    job.say(pod, ended(137, conditions=[DISRUPTION]))
    wait_until("there is another", lambda: job.pod(2) != pod)
    status = job.api.get(job.path)["status"]
    assert (job.conditions(), status.get("failed", 0), status.get("failedIndexes", "")) == ({}, 0, "")


@pytest.mark.parametrize("stage", ["snapshot", "listing", "comparison"])
def test_what_is_configured_wrongly_is_tried_once(play, stage):
    job = play(stage)
    job.say(job.pod(), ended(2))
    assert job.fate() == "PodFailurePolicy"
