"""What befalls operators in real clusters: each is harmless, and what was lost meanwhile is found again."""

import copy
from datetime import timedelta

import pytest
from cluster_checks import (
    MANUAL,
    STAGES,
    check,
    completed_once,
    condition,
    created_jobs,
    last_run,
    run_held_at,
    stage_of,
    status_of,
    vanishes_unseen,
)
from consistency_operator.cluster import credentials
from consistency_operator.names import LABEL_CHECK, PLURAL
from consistency_operator.plan import job_stages
from fake_cluster import FakeCluster
from kopf_thread import Operator
from scripted_pods import Script

pytestmark = pytest.mark.usefixtures("jobs", "quick_answers", "short_pauses")

A_PAGE = "<html>The service is down for maintenance.</html>"


def test_a_quota_that_many_change_at_once_does_not_cost_an_action(cluster: FakeCluster, operator: Operator) -> None:
    """The API server says 409 as for a name that is taken, but nothing was made."""
    words = 'Operation cannot be fulfilled on resourcequotas "jobs": the object has been modified'
    fault = cluster.fail("POST .*/jobs", 409, times=2, message=words, reason="Conflict")
    fault.passes = 3
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    completed_once(cluster)
    assert fault.met == 2


@pytest.mark.parametrize("what", ["jobs", "pods", PLURAL])
@pytest.mark.parametrize("body", [A_PAGE, "{}"])
def test_a_page_of_a_load_balancer_is_no_list_without_anything_in_it(
    cluster: FakeCluster, operator: Operator, script: Script, what: str, body: str
) -> None:
    run_held_at("Snapshot", cluster, operator, script)
    cluster.until(lambda: status_of(cluster)["run"]["jobs"][0].get("uid"))
    page = cluster.fail(f"GET .*/{what}$", 200, times=3, body=body)
    cluster.cut_watches()
    script.holds.clear()
    completed_once(cluster)
    cluster.until(lambda: page.met == 3)
    cluster.create(PLURAL, check("t2-b", site="T2_B", trigger=MANUAL))
    assert cluster.until(lambda: last_run(cluster, "t2-b"))["reason"] == "Completed"


def test_a_page_in_place_of_an_answer_to_a_write_is_none(cluster: FakeCluster, operator: Operator) -> None:
    page = cluster.fail("(PATCH|POST) ", 200, times=3, body=A_PAGE)
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    completed_once(cluster)
    assert page.met == 3


def test_a_right_that_is_taken_away_in_the_middle_is_told_in_the_status(
    cluster: FakeCluster, operator: Operator
) -> None:
    words = 'pods is forbidden: User "operator" cannot list resource "pods"'
    taken = cluster.fail("GET .*/pods$", 403, times=1000, message=words)
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    cluster.until(lambda: condition(cluster, "Running").get("message", "").endswith(f"cannot be listed: {words}"))
    taken.times = 0
    completed_once(cluster)


def test_of_tokens_that_follow_each_other_during_a_run_the_last_starts_one(
    cluster: FakeCluster, operator: Operator, script: Script
) -> None:
    run_held_at("Snapshot", cluster, operator, script)
    for token in ("2", "3"):
        cluster.patch(PLURAL, "t2-a", {"spec": {"trigger": {"manual": token}}})
    script.holds.clear()
    cluster.until(lambda: len(status_of(cluster).get("history", [])) == 2 and last_run(cluster))
    assert created_jobs(cluster) == STAGES * 2
    assert status_of(cluster)["lastManualTrigger"] == "3"


def test_a_check_that_vanished_unseen_gives_its_place_to_the_next(
    cluster: FakeCluster, operator: Operator, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consistency_operator.loop.census.RESYNC", 0.5)
    monkeypatch.setattr(job_stages, "GOING_WITHIN", timedelta(hours=1))
    monkeypatch.setenv("CONSISTENCY_MAX_CONCURRENT_RUNS", "1")
    run_held_at("Snapshot", cluster, operator, script)
    cluster.create(PLURAL, check("t2-b", site="T2_B", trigger=MANUAL))
    cluster.until(lambda: stage_of(cluster, "t2-b") == "Queued")

    vanishes_unseen(cluster, PLURAL, "t2-a")
    cluster.until(lambda: stage_of(cluster, "t2-b") == "Snapshot")


def test_a_copy_of_a_job_under_another_name_is_not_taken_for_it(
    cluster: FakeCluster, operator: Operator, script: Script
) -> None:
    """As somebody makes it who wants to try a worker again, labels and owner and all."""
    run_held_at("Snapshot", cluster, operator, script)
    cluster.until(lambda: status_of(cluster)["run"]["jobs"][0].get("uid"))
    [job] = cluster.all("jobs")
    another = copy.deepcopy(job)
    another["metadata"]["name"] = "a-again"
    cluster.create("jobs", another)
    cluster.until(lambda: script.started["Snapshot"] == 2)
    operator.restart()
    script.holds.clear()
    assert cluster.until(lambda: last_run(cluster))["reason"] == "Completed"


def test_credentials_that_were_refused_for_a_while_are_tried_again(
    cluster: FakeCluster, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API server could not find out for a while whose token it is."""
    monkeypatch.setattr(credentials, "PAUSE", 0.2)
    operator.start()
    cluster.until(lambda: operator.probe("/readyz")[0] == 200)
    refused = cluster.fail("GET ", 401, times=30)
    cluster.cut_watches()
    cluster.until(lambda: refused.met == refused.times)
    cluster.create(PLURAL, check(trigger=MANUAL))
    completed_once(cluster)


def test_who_may_not_delete_jobs_keeps_no_other_check_waiting(
    cluster: FakeCluster, operator: Operator, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A policy, say, refuses to let finished Jobs be removed."""
    monkeypatch.setenv("CONSISTENCY_MAX_CONCURRENT_RUNS", "1")
    script.holds = {"Snapshot"}
    refused = cluster.fail("DELETE .*/jobs/", 403, times=1000)
    cluster.create(PLURAL, check(trigger=MANUAL, successfulRunsHistoryLimit=0))
    operator.start()
    cluster.until(lambda: script.started["Snapshot"])
    cluster.create(PLURAL, check("t2-b", site="T2_B", trigger=MANUAL))
    cluster.until(lambda: stage_of(cluster, "t2-b") == "Queued")
    script.holds.clear()
    assert cluster.until(lambda: last_run(cluster, "t2-b"))["reason"] == "Completed"
    assert refused.met


def test_a_check_that_carries_the_label_of_jobs_is_still_a_check(cluster: FakeCluster, operator: Operator) -> None:
    """As a tool sets it that labels all that belongs to a site."""
    labelled = check(trigger=MANUAL)
    labelled["metadata"]["labels"] = {LABEL_CHECK: "t2-a"}
    cluster.create(PLURAL, labelled)
    operator.start()
    completed_once(cluster)
