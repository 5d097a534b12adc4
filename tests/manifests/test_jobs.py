"""The Jobs of a run. `UPDATE_GOLDEN=1 pytest tests/manifests` writes the golden files anew."""

import json
import os
from pathlib import Path

import pytest
import yaml
from consistency_operator import names
from consistency_operator.manifests import JobRun, build_job, run_check_of
from consistency_operator.manifests.jobs import DAY_SECONDS
from consistency_operator.settings import read_settings
from kubernetes import client
from manifests_examples import KERBEROS, Owner

from dynamo_consistency.errors import ConfigurationError

GOLDEN = Path(__file__).parent / "golden"
DIRECTORY = "29412180-t2-x-fa0c4"
JOBS = {
    "snapshot": ("Snapshot", {}),
    "listing": ("Listing", {}),
    "comparison": ("Comparison", {}),
    "action": ("Action", {}),
    "action-approved": ("Action", {"approved": True}),
    "listing-in-an-object-store": ("Listing", {"store": {"url": "s3://bucket/folder"}}),
    "listing-with-a-pod-template": ("Listing", {"podTemplate": KERBEROS}),
}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_as_it_was_last_agreed_upon(build, name):
    stage, options = JOBS[name]
    job, file = build(stage, **options), GOLDEN / f"{name}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(yaml.safe_dump(job, sort_keys=False, width=120), encoding="utf-8")
    assert yaml.safe_load(file.read_text(encoding="utf-8")) == job, "see the top of this file"


@pytest.mark.parametrize("name", JOBS)
def test_a_job_has_only_fields_that_kubernetes_knows(build, name):
    """As the client's models have them: what they do not know would be lost without a word."""
    stage, options = JOBS[name]
    job, api = build(stage, **options), client.ApiClient()
    understood = api.deserialize(json.dumps(job), "V1Job", "application/json")
    assert api.sanitize_for_serialization(understood) == job


def rules(job):
    return job["spec"]["podFailurePolicy"]["rules"]


@pytest.mark.parametrize("stage", ["Snapshot", "Listing", "Comparison"])
def test_what_is_disturbed_is_started_again_and_what_is_configured_wrongly_is_not(build, stage):
    first, second = rules(build(stage))
    assert first == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    assert second == {
        "action": "FailJob",
        "onExitCodes": {"containerName": "worker", "operator": "In", "values": [2]},
    }


def test_an_action_is_never_started_a_second_time(build):
    job = build("Action")
    assert job["spec"]["backoffLimit"] == 0
    assert {rule["action"] for rule in rules(job)} == {"FailJob"}
    assert [rule.get("onPodConditions") or rule["onExitCodes"] for rule in rules(job)] == [
        [{"type": "DisruptionTarget", "status": "True"}],
        {"containerName": "worker", "operator": "NotIn", "values": [0]},
    ]


@pytest.mark.parametrize("other", [{"namespace": "tests"}, {"name": "t2-y"}, {"uid": "made-again"}])
def test_checks_of_one_site_due_in_one_minute_share_no_directory_and_no_approval(build, other):
    def told(owner: Owner) -> list[str]:
        job = build("Action", approved=True, owner=owner)
        args = job["spec"]["template"]["spec"]["containers"][0]["args"]
        return [args[args.index(option) + 1] for option in ("--run-dir", "--approve")]

    one, another = told(Owner()), told(Owner(**other))
    assert one[0] != another[0]
    assert one[1] != another[1]
    assert one[0].endswith(f"/{one[1]}")


@pytest.mark.parametrize("stage", names.JOB_STAGES)
def test_no_two_pods_of_a_stage_write_at_the_same_time(build, stage):
    """A pod that is being replaced may still run: on a node that was lost, say."""
    job = build(stage)
    assert job["spec"]["podReplacementPolicy"] == "Failed"
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_a_listing_has_a_pod_for_each_shard_and_endures_as_many_failures_as_the_check_says(build):
    listing = {"roots": [{"path": "/store"}], "shards": 10, "parallelism": 3, "maxFailedShards": 2}
    spec = build("Listing", listing=listing)["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 10, 3)
    assert (spec["backoffLimitPerIndex"], spec["maxFailedIndexes"]) == (2, 2)
    assert spec["backoffLimit"] == 2**31 - 1, "a small one counts beside backoffLimitPerIndex, and fails the whole Job"


def test_there_are_never_more_pods_or_failures_than_shards(build):
    listing = {"roots": [{"path": "/store"}], "shards": 2, "parallelism": 4, "maxFailedShards": 9}
    spec = build("Listing", listing=listing)["spec"]
    assert (spec["completions"], spec["parallelism"], spec["maxFailedIndexes"]) == (2, 2, 2)


@pytest.mark.parametrize("stage", names.JOB_STAGES)
def test_a_job_ends_with_its_run_and_goes_away_after_it(build, stage):
    job = build(stage, seconds_left=-3, runDeadlineSeconds=1000)
    assert job["spec"]["activeDeadlineSeconds"] == 1
    assert job["spec"]["ttlSecondsAfterFinished"] == 1000 + DAY_SECONDS


@pytest.mark.parametrize("stage", names.JOB_STAGES)
def test_a_worker_may_do_nothing_that_it_need_not(build, stage):
    pod = build(stage)["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"] | {"fsGroup": 0} == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 0,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {mount["mountPath"]: mount.get("readOnly", False) for mount in container["volumeMounts"]} == {
        "/etc/consistency": True,
        "/tmp": False,  # noqa: S108
        "/data": False,
    }


def test_only_an_approved_action_says_so(worker):
    run_dir = ["--run-dir", f"/data/T2_X/{DIRECTORY}"]
    assert worker("Action")["args"] == ["stage", "action", *run_dir]
    assert worker("Action", approved=True)["args"] == ["stage", "action", *run_dir, "--approve", DIRECTORY]
    assert worker("Comparison", approved=True)["args"] == ["stage", "comparison", *run_dir]


@pytest.mark.parametrize(
    ("environment", "store", "folder", "claim"),
    [
        ({}, None, "/data", "consistency-data"),
        ({"CONSISTENCY_STORE_CLAIM": "other"}, None, "/data", "other"),
        ({"CONSISTENCY_STORE_URL": "s3://bucket/x/"}, None, "s3://bucket/x", None),
        ({"CONSISTENCY_STORE_URL": "s3://bucket/x"}, {"claimName": "mine"}, "/data", "mine"),
        ({}, {"url": "s3://mine"}, "s3://mine", None),
    ],
)
def test_the_store_of_the_check_comes_before_that_of_the_operator(build, environment, store, folder, claim):
    pod = build("Snapshot", environment=environment, **({"store": store} if store else {}))["spec"]["template"]["spec"]
    [container] = pod["containers"]
    claims = [volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"] if volume["name"] == "data"]
    assert container["args"][-1] == f"{folder}/T2_X/{DIRECTORY}"
    assert claims == ([claim] if claim else [])
    assert ("/data" in [mount["mountPath"] for mount in container["volumeMounts"]]) == bool(claim)


def test_a_snapshot_carries_the_check_that_the_run_began_with(build, check_of):
    spec = {"comparison": {"ignore": ["/$(HOME)", "/a$$b", "/größe"]}, "policy": {"missing": {"maxFraction": None}}}
    job = build("Snapshot", podTemplate={"spec": {"priorityClassName": "low"}}, **spec)
    assert run_check_of(job, None) == check_of(podTemplate={"spec": {"priorityClassName": "low"}}, **spec)
    later = check_of(podTemplate={"spec": {"priorityClassName": "high"}}, listing={"roots": [{"path": "/new"}]})
    began = run_check_of(job, later)
    assert began == check_of(podTemplate={"spec": {"priorityClassName": "high"}}, **spec)


def test_kubernetes_replaces_nothing_in_what_a_worker_is_told(worker):
    """It would replace `$(HOME)` in arguments and environment, and `$$` by `$`."""
    container = worker("Snapshot", store={"url": "s3://b/$(HOME)"}, comparison={"ignore": ["/$(HOME)"]})
    reported = [*container["args"], *(entry["value"] for entry in container["env"])]
    assert sum("$$(HOME)" in text for text in reported) == 2
    assert all("$(" not in text.replace("$$", "") for text in reported)


def test_a_check_that_no_process_can_be_told_is_refused(worker):
    longest = {"exclude": [f"/store/mc/{number}{'x' * 480}" for number in range(120)]}
    ignore = [f"/{number}{'y' * 240}" for number in range(256)]
    listing = {"roots": [{"path": "/store/mc"}], **longest}
    assert worker("Snapshot", listing=listing)
    with pytest.raises(ConfigurationError, match="shorten its lists"):
        worker("Snapshot", listing=listing, comparison={"ignore": ignore})


def test_only_a_snapshot_and_an_action_carry_a_check(worker):
    carrying = [
        stage
        for stage in names.JOB_STAGES
        if "DYNAMO_CONSISTENCY_CHECK" in [entry["name"] for entry in worker(stage)["env"]]
    ]
    assert carrying == ["Snapshot", "Action"]


def test_an_action_carries_the_check_of_today_and_not_that_of_its_run(check_of):
    began = check_of(policy={"orphans": {"mode": "Enforce"}})
    today = check_of(policy={"orphans": {"mode": "Report"}})
    run = JobRun("29412180", began, 1000, approved=True, today=today)
    job = build_job("Action", Owner(), run, read_settings({"CONSISTENCY_IMAGE": "example.org/worker:1"}))
    assert run_check_of(job, None) == today


def test_a_job_that_carries_no_check_is_told_apart(build, check_of):
    with pytest.raises(ValueError, match="JSON"):
        run_check_of(build("Listing"), check_of())


def test_a_check_without_any_store_is_a_matter_of_configuration(check_of):
    from types import SimpleNamespace

    from consistency_operator.manifests import run_directory

    with pytest.raises(ConfigurationError, match="names no store"):
        run_directory(Owner(), JobRun("1", check_of(), 1), SimpleNamespace(store_claim=None, store_url=None))


@pytest.mark.parametrize("stage", names.JOB_STAGES)
def test_the_page_on_jobs_has_the_resources_of_each_stage(worker, stage):
    page = (Path(__file__).parents[2] / "docs" / "reference" / "jobs.md").read_text(encoding="utf-8")
    [row] = [line.split(" | ") for line in page.splitlines() if line.startswith(f"| {stage.lower()} |")]
    resources = worker(stage)["resources"]
    assert row[2] == f"{resources['requests']['cpu']}, {resources['requests']['memory']}"
    assert row[3] == resources["limits"]["memory"]
