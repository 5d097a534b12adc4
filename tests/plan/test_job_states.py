"""What has become of a Job, as its conditions and pods tell; and what went wrong, in words for people."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from consistency_operator import names
from consistency_operator.cluster.job_state import JobState, from_job

OWNER = "uid-of-check"
ENDED = "2026-11-22T11:59:00Z"


def job_body(stage: str = "Snapshot", *, owner: str = OWNER, status: Any = None, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"t2-x-77-{stage.lower()}",
            "uid": "uid-of-job",
            "labels": {names.LABEL_STAGE: stage, names.LABEL_RUN: "77", names.LABEL_CHECK: "t2-x"},
            "ownerReferences": [{"uid": owner, "controller": True}],
        },
        "spec": spec,
        "status": status or {},
    }


def over(type_: str, reason: str = "", why: str = "", **more: Any) -> dict[str, Any]:
    condition = {"type": type_, "status": "True", "reason": reason, "message": why, "lastTransitionTime": ENDED}
    return {"conditions": [condition], **more}


def pod_body(
    exit_code: int | None = None, said: str = "", *, index: int = 0, job: str = "uid-of-job", **more: Any
) -> dict[str, Any]:
    """A pod that has ended with `exit_code` and these last words, or is still on its way."""
    ended = {"exitCode": exit_code, "message": said, "finishedAt": ENDED, "reason": more.pop("reason", "Error")}
    state = more.pop("state", {} if exit_code is None else {"terminated": ended})
    phase = {None: "Pending", 0: "Succeeded"}.get(exit_code, "Failed")
    return {
        "metadata": {
            "name": f"pod-{index}-{exit_code}",
            "ownerReferences": [{"uid": job}],
            "labels": {"batch.kubernetes.io/job-completion-index": str(index)},
        },
        "spec": {"containers": [{"name": "worker", "image": "worker:1", "resources": {"limits": {"memory": "2Gi"}}}]},
        "status": {"phase": phase, "containerStatuses": [{"name": "worker", "state": state}], **more},
    }


def message(stage: str = "snapshot", **more: Any) -> str:
    return (
        json.dumps({"stage": stage, "runId": "77", "exitCode": 0, "result": "Complete", "message": "", **more}) + "\n"
    )


def state_of(job: Mapping[str, Any], *pods: Mapping[str, Any]) -> JobState:
    state = from_job(job, pods, OWNER)
    assert state is not None
    return state


# -------------------------------------------------------------------------------------------------------- conditions

CONDITIONS: dict[str, tuple[dict[str, Any], str]] = {
    "nothing yet": ({}, "Running"),
    "pods have failed": ({"failed": 3, "active": 1}, "Running"),
    "about to fail": (over("FailureTarget", "DeadlineExceeded"), "Running"),
    "about to be complete": (over("SuccessCriteriaMet"), "Running"),
    "suspended in a queue": (over("Suspended"), "Running"),
    "complete after a retry": (over("Complete", failed=1), "Complete"),
    "failed": (over("Failed", "BackoffLimitExceeded"), "Failed"),
    "not failed any more": ({"conditions": [{"type": "Failed", "status": "False"}]}, "Running"),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_job_is_over_by_its_conditions_alone(name: str) -> None:
    status, expected = CONDITIONS[name]
    assert state_of(job_body(status=status)).state == expected


def test_a_job_of_another_owner_is_foreign_whatever_its_labels_say() -> None:
    assert state_of(job_body(owner="uid of a check that was deleted")).state == "Foreign"


def test_a_job_of_an_earlier_check_of_that_name_is_not_taken_for_ours() -> None:
    body = job_body(owner="uid of a check that was deleted", status=over("Complete"))
    body["metadata"]["ownerReferences"][0] |= {"kind": names.KIND, "name": "t2-x"}
    state = state_of(body)
    assert (state.state, state.uid, state.results) == ("Leaving", "", ())
    body["metadata"]["ownerReferences"][0]["name"] = "t2-y"
    assert state_of(body).state == "Foreign"


@pytest.mark.parametrize(
    "labels", [{}, {names.LABEL_STAGE: "Cleaning", names.LABEL_RUN: "77"}, {names.LABEL_STAGE: "Listing"}]
)
def test_a_job_without_our_labels_is_none_of_ours(labels: dict[str, str]) -> None:
    body = job_body()
    body["metadata"]["labels"] = labels
    assert from_job(body, (), OWNER) is None


# ----------------------------------------------------------------------------------------------------------- results


def test_the_result_is_what_the_pod_said() -> None:
    said = message(counts={"inventoryFiles": 9, "inventoryBytes": 10, "odd": 1.5, "text": "x"})
    state = state_of(job_body(status=over("Complete")), pod_body(0, said))
    assert state.reported
    assert state.finished == datetime(2026, 11, 22, 11, 59, tzinfo=UTC)
    [result] = state.results
    assert result.counts == {"inventoryFiles": 9, "inventoryBytes": 10}


def test_pods_of_other_jobs_say_nothing_of_this_one() -> None:
    state = state_of(job_body(status=over("Complete")), pod_body(0, message(), job="uid of another"))
    assert not state.reported
    assert state.results == ()


@pytest.mark.parametrize(
    "said",
    ["", "Traceback …", "{}", "[]", "null", "{" * 5000, message()[:40], message(stage="cleaning"), message(result="?")],
)
def test_what_is_no_result_is_not_taken_for_one(said: str) -> None:
    state = state_of(job_body(status=over("Complete")), pod_body(0, said))
    assert state.reported
    assert state.results == ()


def test_of_several_attempts_the_one_that_succeeded_counts() -> None:
    attempts = [pod_body(1, "a node fell over"), pod_body(0, message(counts={"inventoryFiles": 9}))]
    for pods in (attempts, attempts[::-1]):
        state = state_of(job_body(status=over("Complete")), *pods)
        assert [result.counts for result in state.results] == [{"inventoryFiles": 9}]


def listing(completed: str, failed: str = "", **condition: Any) -> dict[str, Any]:
    status = over(**condition, completedIndexes=completed, failedIndexes=failed)
    return job_body("Listing", completionMode="Indexed", completions=4, maxFailedIndexes=1, status=status)


def shard(index: int) -> dict[str, Any]:
    return pod_body(0, message("listing", shard=index, counts={"files": 5}), index=index)


def test_a_listing_has_told_all_when_every_shard_has() -> None:
    job = listing("0-3", type_="Complete")
    assert not state_of(job, *map(shard, (0, 1, 3))).reported
    assert state_of(job, *map(shard, (3, 1, 0, 2))).reported
    assert [result.shard for result in state_of(job, *map(shard, (3, 1, 0, 2))).results] == [0, 1, 2, 3]


def test_of_a_listing_that_has_failed_the_failed_shards_must_have_told_why() -> None:
    job = listing("0,2-3", "1", type_="Failed", reason="FailedIndexes")
    others = [shard(0), shard(2), shard(3)]
    assert not state_of(job, *others).reported
    state = state_of(job, *others, pod_body(1, "boom", index=1))
    assert state.reported
    assert (state.completions, state.max_failed_indexes, state.failed_indexes) == (4, 1, "1")


def test_of_pods_that_a_deadline_has_stopped_nothing_is_waited_for() -> None:
    state = state_of(job_body(status=over("Failed", "DeadlineExceeded")))
    assert state.reported
    assert "runDeadlineSeconds" in state.problem


# ----------------------------------------------------------------------------------------------------------- problem

FAILED = over("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
WAITING = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}}
UNSCHEDULABLE = {
    "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no memory"}]
}
DISRUPTED = {"conditions": [{"type": "DisruptionTarget", "status": "True", "message": "Taint manager: deleting"}]}

TROUBLES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "out of memory": (
        job_body("Listing", status=FAILED),
        pod_body(137, reason="OOMKilled", index=3),
        "shard 3 needed more memory than its limit of 2Gi: raise resources.limits.memory in spec.podTemplate or "
        "listing.shards",
    ),
    "a child was out of memory": (
        job_body("Comparison", status=FAILED),
        pod_body(5, reason="OOMKilled"),
        "the comparison needed more memory than its limit of 2Gi: raise resources.limits.memory in spec.podTemplate",
    ),
    "evicted": (
        job_body(status=FAILED),
        pod_body(137) | {"status": {"phase": "Failed", "reason": "Evicted", "message": "The node was low on disk."}},
        "the snapshot was evicted from its node: The node was low on disk.",
    ),
    "its node was lost": (
        job_body(status=FAILED),
        pod_body(143, **DISRUPTED),
        "the snapshot was taken from its node: Taint manager: deleting",
    ),
    "configured wrongly": (
        job_body(status=over("Failed", "PodFailurePolicy")),
        pod_body(2, message(exitCode=2, result="Failed", message="backends.yaml:3: unknown key")),
        "the snapshot is configured wrongly: backends.yaml:3: unknown key",
    ),
    "the worker says why": (
        job_body(status=FAILED),
        pod_body(1, message(exitCode=1, result="Failed", message="the inventory does not answer")),
        "the snapshot failed: the inventory does not answer",
    ),
    "the worker's log ends with": (
        job_body(status=FAILED),
        pod_body(139, "2026 INFO listing\nSegmentation fault\n\n"),
        "the snapshot ended with exit code 139: Segmentation fault",
    ),
    "the worker says nothing": (
        job_body(status=FAILED),
        pod_body(1),
        "the snapshot ended with exit code 1: it said nothing",
    ),
    "no pod is left": (
        job_body(status=FAILED),
        pod_body(1, job="uid of another"),
        "Job has reached the specified backoff limit",
    ),
    "no image": (
        job_body("Listing"),
        pod_body(**WAITING),
        "shard 0 cannot start: its image worker:1 cannot be had (Back-off pulling image)",
    ),
    "no secret": (
        job_body(),
        pod_body(state={"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "backends" not found'}}),
        'the snapshot cannot start: secret "backends" not found',
    ),
    "no node": (job_body(), pod_body(**UNSCHEDULABLE), "the snapshot waits for a node: no memory"),
    "on its way": (job_body(), pod_body(state={"waiting": {"reason": "ContainerCreating"}}), ""),
    "under way again": (job_body(status={"ready": 1}), pod_body(1, "a node fell over"), ""),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_people_are_told_what_went_wrong(name: str) -> None:
    job, pod, expected = TROUBLES[name]
    assert state_of(job, pod).problem == expected


def test_a_wrong_configuration_is_known_by_its_exit_code() -> None:
    failed = job_body(status=over("Failed", "PodFailurePolicy"))
    assert state_of(failed, pod_body(2)).misconfigured
    assert not state_of(failed, pod_body(1)).misconfigured


def test_of_many_shards_the_first_three_are_told_and_how_many_more_there_are() -> None:
    job = listing("", "0-9", type_="Failed", reason="MaxFailedIndexesExceeded")
    problem = state_of(job, *(pod_body(1, "boom", index=n) for n in range(10))).problem
    assert problem.count("boom") == 3
    assert problem.endswith("; and 7 more")


def test_long_last_words_are_cut() -> None:
    assert len(state_of(job_body(status=FAILED), pod_body(1, "x" * 3000)).problem) <= 300


def test_a_sidecar_says_nothing_of_the_worker() -> None:
    pod = pod_body(None)
    sidecar = {"name": "proxy", "state": {"terminated": {"exitCode": 1, "message": "proxy died"}}}
    pod["status"]["containerStatuses"] = [sidecar, {"name": "worker", "state": {"running": {}}}]
    assert state_of(job_body(status={"ready": 0}), pod).problem == ""


def test_a_container_that_goes_before_the_worker_can_be_what_fails() -> None:
    pod = pod_body(1, "", state={"waiting": {"reason": "PodInitializing"}})
    ended = {"terminated": {"exitCode": 3, "message": "no ticket", "reason": "Error", "finishedAt": ENDED}}
    pod["status"]["initContainerStatuses"] = [{"name": "kinit", "state": ended}]
    assert state_of(job_body(status=FAILED), pod).problem == "the snapshot ended with exit code 3: no ticket"


# -------------------------------------------------------------------------------------------- what hinders it

POD, JOB = "pod-0-None", "t2-x-77-listing"
BUSY = {"active": 1}


def event(reason: str, why: str, about: str = POD, when: str = "2026-11-22T11:00:00Z") -> dict[str, Any]:
    kind = "Job" if about == JOB else "Pod"
    return {
        "involvedObject": {"kind": kind, "name": about},
        "reason": reason,
        "message": why,
        "lastTimestamp": when,
    }


def ended_beside(exit_code: int) -> dict[str, Any]:
    """A pod whose worker has ended, and whose proxy has not."""
    pod = pod_body(exit_code)
    pod["metadata"]["name"] = POD
    pod["status"]["phase"] = "Running"
    pod["status"]["containerStatuses"].append({"name": "istio-proxy", "state": {"running": {}}})
    return pod


def leaving() -> dict[str, Any]:
    pod = pod_body(state={"running": {}}, **DISRUPTED)
    pod["metadata"]["deletionTimestamp"] = ENDED
    return pod


ON_ITS_WAY = pod_body(state={"waiting": {"reason": "ContainerCreating"}})
NOBODY: list[dict[str, Any]] = []
SUSPENDED = {"conditions": [{"type": "Suspended", "status": "True", "reason": "JobSuspended"}]}
QUEUED_BY_KUEUE = job_body("Listing", status=SUSPENDED, suspend=True)
QUEUED_BY_KUEUE["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] = "grid"

HINDRANCES: dict[str, tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]], str, str]] = {
    "a quota of pods": (
        job_body("Listing"),
        NOBODY,
        [event("FailedCreate", 'Error creating: pods "x" is forbidden: exceeded quota: pods', JOB)],
        'the cluster does not accept its pods: pods "x" is forbidden: exceeded quota: pods',
        f"job/{JOB}",
    ),
    "pod security": (
        job_body("Listing"),
        NOBODY,
        [
            event("FailedCreate", "Error creating: an older reason", JOB),
            event("FailedCreate", 'Error creating: violates PodSecurity "restricted:latest"', JOB, ENDED),
        ],
        'the cluster does not accept its pods: violates PodSecurity "restricted:latest"',
        f"job/{JOB}",
    ),
    "a volume": (
        job_body("Listing", status=BUSY),
        [ON_ITS_WAY],
        [event("FailedMount", 'MountVolume.SetUp failed for volume "backends": secret "x" not found')],
        'shard 0 waits for a volume: MountVolume.SetUp failed for volume "backends": secret "x" not found',
        f"pod/{POD}",
    ),
    "no node, in an event": (
        job_body("Listing", status=BUSY),
        [pod_body()],
        [event("FailedScheduling", "0/3 nodes are available: 3 Insufficient memory.")],
        "shard 0 waits for a node: 0/3 nodes are available: 3 Insufficient memory.",
        f"pod/{POD}",
    ),
    "no node": (
        job_body("Listing", status=BUSY),
        [pod_body(**UNSCHEDULABLE)],
        NOBODY,
        "shard 0 waits for a node: no memory",
        f"pod/{POD}",
    ),
    "its node goes": (
        job_body("Listing", status=BUSY),
        [leaving()],
        NOBODY,
        "shard 0 is being taken from its node: Taint manager: deleting",
        f"pod/{POD}",
    ),
    "a queue of Jobs": (
        QUEUED_BY_KUEUE,
        NOBODY,
        NOBODY,
        f"the Job {JOB} is suspended: it waits in the queue grid of Kueue",
        f"job/{JOB}",
    ),
    "somebody has suspended it": (
        job_body("Listing", status=SUSPENDED, suspend=True),
        NOBODY,
        NOBODY,
        f"the Job {JOB} is suspended: it goes on when its spec.suspend is false",
        f"job/{JOB}",
    ),
    "an event about another pod": (
        job_body("Listing", status=BUSY),
        [ON_ITS_WAY],
        [event("FailedMount", "no such secret", "pod-of-another")],
        "",
        f"pod/{POD}",
    ),
    "an event that is no hindrance": (
        job_body("Listing", status=BUSY),
        [ON_ITS_WAY],
        [event("Pulling", "Pulling image")],
        "",
        f"pod/{POD}",
    ),
}


@pytest.mark.parametrize("name", HINDRANCES)
def test_what_hinders_a_job_is_said_in_a_sentence(name: str) -> None:
    job, pods, events, sentence, look_at = HINDRANCES[name]
    state = from_job(job, pods, OWNER, events)
    assert state
    assert (state.problem, state.look_at) == (sentence, look_at)
    assert state.hindered
    assert state.started is (name == "its node goes")
    assert state.suspended is ("suspended" in sentence)


@pytest.mark.parametrize("exit_code", [0, 1])
def test_a_container_beside_the_worker_that_goes_on_is_named(exit_code: int) -> None:
    state = state_of(job_body(status=BUSY), ended_beside(exit_code))
    assert state.problem.startswith("the snapshot has ended, but the container istio-proxy beside the worker goes on")
    assert "spec.podTemplate" in state.problem
    assert (state.hindered, state.idle) == (True, True)


def test_one_shard_that_hangs_is_named_while_the_others_run() -> None:
    others = [pod_body(index=number, state={"running": {}}) for number in (0, 1, 3)]
    hanging = pod_body(index=2, **UNSCHEDULABLE)
    for pod in others:
        pod["metadata"]["name"] += "-running"
    state = state_of(job_body("Listing", status={"active": 4, "ready": 3}), *others, hanging)
    assert state.problem == "shard 2 waits for a node: no memory"
    assert (state.hindered, state.idle, state.look_at) == (True, False, "pod/pod-2-None")


def test_a_job_all_of_whose_pods_run_is_not_hindered() -> None:
    state = state_of(job_body("Listing", status={"active": 3, "ready": 3}), pod_body(**UNSCHEDULABLE))
    assert (state.hindered, state.problem, state.started) == (False, "", True)


def test_what_is_told_ends_after_a_whole_word() -> None:
    why = "0/90 nodes are available: 30 had an untolerated taint, " + "and thirty did not match the selector, " * 20
    conditions = [{**UNSCHEDULABLE["conditions"][0], "message": why}]
    problem = state_of(job_body(status=BUSY), pod_body(conditions=conditions)).problem
    assert len(problem) <= 300
    assert problem.endswith("the selector …")
