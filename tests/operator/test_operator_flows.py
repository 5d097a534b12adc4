"""What an operator does with a check, from its creation to its history: kopf on a fake API server, pods by script."""

import datetime
import json
import time

import pytest
from asked_backends import Backends
from cluster_checks import (
    MANUAL,
    STAGES,
    check,
    condition,
    created_jobs,
    events_of,
    last_run,
    run_after,
    run_held_at,
    stage_of,
    status_of,
)
from consistency_operator.names import (
    ANNOTATION_APPROVE,
    ANNOTATION_REQUESTED_AT,
    API_VERSION,
    KIND,
    LABEL_CHECK,
    LABEL_RUN,
    PLURAL,
)
from consistency_operator.plan import job_requests, queue_stages
from fake_cluster import FakeCluster
from kopf_thread import Operator
from scripted_pods import Script, ends_with, gates

pytestmark = pytest.mark.usefixtures("jobs", "quick_answers")


def test_a_run_goes_through_all_its_stages_and_into_the_history(cluster: FakeCluster, operator: Operator) -> None:
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    run = cluster.until(lambda: last_run(cluster))
    assert (run["result"], run["reason"], run["trigger"]) == ("Complete", "Completed", "Manual")
    assert run["counts"]["orphans"] == 3
    assert (
        run["deletions"][0].items()
        >= {"kind": "orphans", "confirmed": 5, "requested": 3, "heldBack": {"renamed": 2}}.items()
    )
    assert created_jobs(cluster) == STAGES
    completed = ["StageCompleted"] * 3
    cluster.until(lambda: "RunSucceeded" in events_of(cluster))
    assert events_of(cluster) == ["RunStarted", *completed, "ActionsRequested", "RunSucceeded"]
    assert condition(cluster, "Consistent")["status"] == "False"
    assert condition(cluster, "Ready")["status"] == "True"


def test_a_token_starts_one_run_and_not_another_one_after_a_restart(cluster: FakeCluster, operator: Operator) -> None:
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    first = cluster.until(lambda: last_run(cluster))
    operator.restart()
    cluster.patch(PLURAL, "t2-a", {"spec": {"trigger": {"manual": "2"}}})
    second = run_after(cluster, first["id"])
    assert int(second["id"]) > int(first["id"])
    assert created_jobs(cluster) == STAGES * 2


def test_an_annotation_asks_for_a_run(cluster: FakeCluster, operator: Operator) -> None:
    cluster.create(PLURAL, check())
    operator.start()
    cluster.until(lambda: condition(cluster, "Ready"))
    cluster.patch(PLURAL, "t2-a", {"metadata": {"annotations": {ANNOTATION_REQUESTED_AT: "now"}}})
    assert cluster.until(lambda: last_run(cluster))["trigger"] == "Requested"
    assert status_of(cluster)["lastHandledRequestedAt"] == "now"


def test_a_run_that_became_due_while_no_operator_was_there_is_caught_up_with(
    cluster: FakeCluster, operator: Operator
) -> None:
    now = datetime.datetime.now(datetime.UTC)
    hour = (now - datetime.timedelta(hours=2)).hour
    cluster.create(PLURAL, check(schedule=f"0 {hour} * * *", timeZone="UTC"))
    before = (now - datetime.timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    status = {"observedSchedule": f"CRON_TZ=UTC 0 {hour} * * *", "observedScheduleTime": before}
    cluster.patch_status(PLURAL, "t2-a", status)
    operator.start()
    assert cluster.until(lambda: last_run(cluster))["trigger"] == "CatchUp"
    assert datetime.datetime.fromisoformat(status_of(cluster)["nextRunTime"]) > now


def test_a_closed_gate_ends_the_run_without_an_action(cluster: FakeCluster, operator: Operator, script: Script) -> None:
    script.gates = gates(ListingHealth="Rejected")
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    assert cluster.until(lambda: last_run(cluster))["reason"] == "GateClosed"
    assert created_jobs(cluster) == STAGES[:3]
    cluster.until(
        lambda: "GateClosed" in [event["reason"] for event in cluster.all("events") if event["type"] == "Warning"]
    )


@pytest.mark.parametrize("by", ["spec", "annotation"])
def test_an_approval_lets_this_very_run_act(cluster: FakeCluster, operator: Operator, script: Script, by: str) -> None:
    script.gates = gates(Approval="Pending")
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    cluster.until(lambda: "ApprovalRequired" in events_of(cluster))
    run_id = status_of(cluster)["run"]["id"]

    def approve(run_id: str) -> None:
        by_annotation = {"metadata": {"annotations": {ANNOTATION_APPROVE: run_id}}}
        cluster.patch(PLURAL, "t2-a", by_annotation if by == "annotation" else {"spec": {"approve": {"run": run_id}}})

    approve(str(int(run_id) - 1))
    operator.restart()  # by now it has seen that
    cluster.patch(PLURAL, "t2-a", {"spec": {"jitterSeconds": 1}})
    cluster.until(
        lambda: status_of(cluster)["observedGeneration"] == cluster.get(PLURAL, "t2-a")["metadata"]["generation"]
    )
    assert stage_of(cluster) == "AwaitingApproval"
    approve(run_id)
    run = cluster.until(lambda: last_run(cluster))
    assert (run["reason"], run["approval"]["via"].lower()) == ("Completed", by)
    action = next(job for job in cluster.all("jobs") if job["metadata"]["name"].endswith("action"))
    run_dir, *approval = action["spec"]["template"]["spec"]["containers"][0]["args"][-3:]
    assert approval == ["--approve", run_dir.rpartition("/")[2]]
    assert approval[1].startswith(f"{run_id}-t2-a-")


def test_a_suspended_check_begins_nothing_until_it_is_resumed(cluster: FakeCluster, operator: Operator) -> None:
    cluster.create(PLURAL, check(trigger=MANUAL, suspend=True))
    operator.start()
    cluster.until(lambda: condition(cluster, "Ready").get("reason") == "Suspended")
    assert created_jobs(cluster) == []
    cluster.patch(PLURAL, "t2-a", {"spec": {"suspend": False}})
    assert cluster.until(lambda: last_run(cluster))["reason"] == "Completed"


def test_suspending_lets_a_run_that_has_begun_go_on(cluster: FakeCluster, operator: Operator, script: Script) -> None:
    run_held_at("Listing", cluster, operator, script)
    cluster.patch(PLURAL, "t2-a", {"spec": {"suspend": True}})
    cluster.until(lambda: condition(cluster, "Ready").get("reason") == "Suspended")
    script.holds.clear()
    assert cluster.until(lambda: last_run(cluster))["reason"] == "Completed"


def test_an_edit_during_a_run_is_not_seen_by_it(cluster: FakeCluster, operator: Operator, script: Script) -> None:
    run_held_at("Snapshot", cluster, operator, script)
    cluster.patch(PLURAL, "t2-a", {"spec": {"listing": {"shards": 5, "parallelism": 5}}})
    script.holds.clear()
    cluster.until(lambda: last_run(cluster))
    listing = next(job for job in cluster.all("jobs") if job["metadata"]["name"].endswith("listing"))
    assert listing["spec"]["completions"] == 2


def test_a_check_that_is_deleted_takes_its_jobs_with_it(
    cluster: FakeCluster, operator: Operator, script: Script
) -> None:
    run_held_at("Listing", cluster, operator, script)
    cluster.until(lambda: script.started["Listing"] == 2)
    cluster.until(lambda: any("t2-a" in name for name in operator.metrics()))
    cluster.delete(PLURAL, "t2-a")
    cluster.until(lambda: not any("t2-a" in name for name in operator.metrics()))
    assert cluster.all("jobs") == cluster.all("pods") == []
    writes = cluster.requests("^(PATCH|POST|DELETE)")
    cluster.create(PLURAL, check("other"))
    cluster.until(lambda: condition(cluster, "Ready", "other"))
    assert all("other" in write for write in cluster.requests("^(PATCH|POST|DELETE)")[len(writes) :])


def test_a_check_that_is_made_anew_under_its_old_name_begins_from_nothing(
    cluster: FakeCluster, operator: Operator, script: Script
) -> None:
    run_held_at("Listing", cluster, operator, script)
    cluster.until(lambda: script.started["Listing"] == 2)
    cluster.delete(PLURAL, "t2-a")
    script.holds.clear()
    cluster.create(PLURAL, check(trigger=MANUAL))
    assert cluster.until(lambda: last_run(cluster))["reason"] == "Completed"
    assert created_jobs(cluster) == STAGES[:2] + STAGES


@pytest.mark.parametrize("stage", STAGES)
def test_a_job_that_vanishes_ends_the_run_and_is_not_made_again(
    cluster: FakeCluster, operator: Operator, script: Script, stage: str
) -> None:
    run_held_at(stage, cluster, operator, script)
    cluster.until(lambda: status_of(cluster)["run"]["jobs"][-1].get("uid"))
    cluster.delete("jobs", status_of(cluster)["run"]["jobs"][-1]["name"])
    assert cluster.until(lambda: last_run(cluster))["reason"] == "JobVanished"
    assert created_jobs(cluster) == STAGES[: STAGES.index(stage) + 1]


def test_wrong_configuration_of_a_worker_is_not_tried_again(
    cluster: FakeCluster, operator: Operator, script: Script
) -> None:
    script.ends["Snapshot"] = ends_with(2, "the backend default has no passwordFile")
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    run = cluster.until(lambda: last_run(cluster))
    assert run["reason"] == "Misconfigured"
    assert "the backend default has no passwordFile" in run["message"]
    assert script.started["Snapshot"] == 1


def test_a_worker_without_enough_memory_is_told_of_in_words(
    cluster: FakeCluster, operator: Operator, script: Script
) -> None:
    script.ends["Comparison"] = ends_with(137, "", "OOMKilled")
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    run = cluster.until(lambda: last_run(cluster))
    assert run["reason"] == "ComparisonFailed"
    assert "memory" in run["message"]


def test_a_job_of_somebody_else_that_has_the_name_is_left_alone(cluster: FakeCluster, operator: Operator) -> None:
    operator.start()
    cluster.create(PLURAL, check())
    cluster.until(lambda: condition(cluster, "Ready"))
    minute = int(datetime.datetime.now(datetime.UTC).timestamp() // 60)
    foreign = {"spec": {"template": {"spec": {"containers": [{"name": "x"}]}}, "suspend": True}}
    for run_id in (minute, minute + 1):
        cluster.create("jobs", {**foreign, "metadata": {"name": f"t2-a-{run_id}-snapshot"}})
    cluster.patch(PLURAL, "t2-a", {"spec": {"trigger": MANUAL}})
    assert cluster.until(lambda: last_run(cluster))["reason"] == "JobForeign"
    assert not cluster.requests("^DELETE")


def test_a_job_of_an_earlier_check_of_the_name_is_waited_for_and_not_adopted(
    cluster: FakeCluster, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_requests, "LOOK_AGAIN", datetime.timedelta(seconds=1))
    operator.start()
    cluster.create(PLURAL, check())
    cluster.until(lambda: condition(cluster, "Ready"))
    minute = int(datetime.datetime.now(datetime.UTC).timestamp() // 60)
    owner = {"apiVersion": API_VERSION, "kind": KIND, "name": "t2-a", "uid": "of-before", "controller": True}
    names_taken = [f"t2-a-{run_id}-snapshot" for run_id in (minute, minute + 1)]
    for name in names_taken:
        metadata = {"name": name, "labels": {LABEL_CHECK: "t2-a"}, "ownerReferences": [owner]}
        spec = {"template": {"spec": {"containers": [{"name": "x"}]}}, "suspend": True}
        cluster.create("jobs", {"metadata": metadata, "spec": spec})
    cluster.patch(PLURAL, "t2-a", {"spec": {"trigger": MANUAL}})
    cluster.until(lambda: "has gone" in status_of(cluster).get("run", {}).get("message", ""))
    assert stage_of(cluster) == "Snapshot"
    assert not cluster.requests("^DELETE")
    for name in names_taken:
        cluster.delete("jobs", name)
    assert cluster.until(lambda: last_run(cluster))["result"] == "Complete"


def test_checks_of_two_namespaces_that_run_in_the_same_minute_share_nothing(
    cluster: FakeCluster, operator: Operator
) -> None:
    for namespace in ("default", "tests"):
        cluster.create(PLURAL, check(trigger=MANUAL), namespace=namespace)
    operator.start()
    cluster.until(lambda: len([job for job in cluster.all("jobs") if job["metadata"]["name"].endswith("-action")]) == 2)
    folders: dict[str, set[str]] = {}
    for job in cluster.all("jobs"):
        arguments = job["spec"]["template"]["spec"]["containers"][0]["args"]
        folders.setdefault(job["metadata"]["namespace"], set()).add(arguments[arguments.index("--run-dir") + 1])
    assert {len(of_one) for of_one in folders.values()} == {1}
    assert not folders["default"] & folders["tests"]
    carried = [
        json.loads(entry["value"])["metadata"]
        for job in cluster.all("jobs")
        for entry in job["spec"]["template"]["spec"]["containers"][0]["env"]
        if entry["name"] == "DYNAMO_CONSISTENCY_CHECK"
    ]
    assert {check["namespace"] for check in carried} == {"default", "tests"}
    assert all(check["uid"] for check in carried)


def test_checks_of_one_site_whose_roots_overlap_both_say_so(cluster: FakeCluster, operator: Operator) -> None:
    below = {"source": {"posix": {"prefix": "/mnt/site"}}, "roots": [{"path": "/store/mc/Run2018"}], "shards": 1}
    cluster.create(PLURAL, check())
    operator.start()
    cluster.until(lambda: condition(cluster, "Ready"))
    cluster.create(PLURAL, check("t2-b", listing=below))
    other = {"t2-a": "default/t2-b", "t2-b": "default/t2-a"}
    for name, overlapping in other.items():
        said = f"its roots overlap with those of {overlapping}: /store/mc/Run2018"
        cluster.until(lambda name=name, said=said: condition(cluster, "Overlapping", name).get("message") == said)
        cluster.until(lambda name=name: "RootsOverlap" in events_of(cluster, name))
        assert condition(cluster, "Ready", name)["status"] == "True"
    cluster.delete(PLURAL, "t2-b")
    cluster.until(lambda: not condition(cluster, "Overlapping"))


def test_a_spec_that_is_not_valid_is_said_to_be_so_and_can_be_corrected(
    cluster: FakeCluster, operator: Operator
) -> None:
    cluster.create(PLURAL, check(trigger=MANUAL, schedule="every day"))
    operator.start()
    cluster.until(lambda: condition(cluster, "Stalled").get("status") == "True")
    assert "spec.schedule" in condition(cluster, "Ready")["message"]
    assert created_jobs(cluster) == []
    cluster.patch(PLURAL, "t2-a", {"spec": {"schedule": "0 3 * * *"}})
    assert cluster.until(lambda: last_run(cluster))["reason"] == "Completed"
    assert not condition(cluster, "Stalled")


@pytest.mark.parametrize("reason", ["SiteNotReady", "BackendUnreachable"])
def test_a_run_waits_for_a_site_that_is_not_ready(
    cluster: FakeCluster, operator: Operator, backends: Backends, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    monkeypatch.setattr(queue_stages, "FIRST_PAUSE", datetime.timedelta(seconds=1))
    backends.answer(reason, "the site sleeps")
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    cluster.until(lambda: condition(cluster, "Running").get("reason") == reason)
    assert "the site sleeps" in condition(cluster, "Running")["message"]
    assert condition(cluster, "Ready")["status"] == "True"
    assert created_jobs(cluster) == []
    backends.answer()
    assert cluster.until(lambda: last_run(cluster))["reason"] == "Completed"


@pytest.mark.parametrize("cure", ["the check", "backends.yaml"])
def test_a_name_that_was_mistyped_is_said_at_once_and_asked_about_when_it_may_be_right(
    cluster: FakeCluster, operator: Operator, backends: Backends, monkeypatch: pytest.MonkeyPatch, cure: str
) -> None:
    monkeypatch.setattr(queue_stages, "LOOKED_AT", datetime.timedelta(seconds=1))
    backends.answer("Misconfigured", "there is no backend 'defualt'; did you mean default?")
    cluster.create(PLURAL, check(trigger=MANUAL, backend="defualt"))
    operator.start()
    running = cluster.until(lambda: (c := condition(cluster, "Running")).get("reason") == "Misconfigured" and c)
    assert "did you mean default?; asked again when the check or backends.yaml changes, or at " in running["message"]
    backends.answer()
    time.sleep(2.5)
    assert status_of(cluster)["run"]["preflight"]["attempts"] == 1
    if cure == "the check":
        cluster.patch(PLURAL, "t2-a", {"spec": {"backend": "default"}})
    else:
        backends.file.write_text(backends.file.read_text() + "\n")
    assert cluster.until(lambda: last_run(cluster))["reason"] == "Completed"


def test_a_backend_that_answers_again_is_asked_for_all_that_wait_for_it(
    cluster: FakeCluster, operator: Operator, backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only when the pause of each is over, which grows to an hour."""
    monkeypatch.setattr(queue_stages, "FIRST_PAUSE", datetime.timedelta(seconds=1))
    monkeypatch.setattr(queue_stages, "LONGEST_PAUSE", datetime.timedelta(minutes=59))
    backends.answer("BackendUnreachable", "no answer")
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    cluster.until(lambda: status_of(cluster).get("run", {}).get("preflight", {}).get("attempts") == 4)
    backends.answer()
    cluster.create(PLURAL, check("t2-b", trigger=MANUAL))
    assert cluster.until(lambda: last_run(cluster, "t2-b"))["reason"] == "Completed"
    assert cluster.until(lambda: last_run(cluster))["reason"] == "Completed"
    assert events_of(cluster).count("RunStarted") == 1


def test_events_of_one_second_have_names_in_the_order_in_which_they_happened(
    cluster: FakeCluster, operator: Operator
) -> None:
    """By which kubectl shows them."""
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    cluster.until(lambda: "RunSucceeded" in events_of(cluster))
    assert len(events_of(cluster)) > 4
    names = [event["metadata"]["name"] for event in cluster.all("events")]
    assert names == sorted(set(names))


def test_jobs_of_old_runs_are_removed_as_far_as_history_limits_say(cluster: FakeCluster, operator: Operator) -> None:
    cluster.create(PLURAL, check(trigger=MANUAL, successfulRunsHistoryLimit=1))
    operator.start()
    for token in "234":
        cluster.until(lambda: last_run(cluster))
        cluster.patch(PLURAL, "t2-a", {"spec": {"trigger": {"manual": token}}})
        cluster.until(lambda token=token: status_of(cluster)["lastManualTrigger"] == token)
    cluster.until(lambda: last_run(cluster))
    last = last_run(cluster)["id"]
    cluster.until(lambda: {job["metadata"]["labels"][LABEL_RUN] for job in cluster.all("jobs")} == {last})
    assert {pod["metadata"]["labels"][LABEL_RUN] for pod in cluster.all("pods")} == {last}
    assert len(status_of(cluster)["history"]) == 4
