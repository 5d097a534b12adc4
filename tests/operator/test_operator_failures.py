"""An API server that refuses, is late, or says nothing: the operator comes through, and hammers nobody."""

import time
from datetime import timedelta

import aiohttp
import pytest
from cluster_checks import (
    MANUAL,
    STAGES,
    check,
    completed_once,
    condition,
    events_of,
    last_run,
    run_held_at,
    stage_of,
    status_of,
    vanishes_unseen,
)
from consistency_operator.cluster import api
from consistency_operator.loop import job_creation, supervisor
from consistency_operator.names import PLURAL
from consistency_operator.plan import job_requests
from fake_cluster import FakeCluster
from kopf_thread import Operator
from scripted_pods import Script

pytestmark = pytest.mark.usefixtures("jobs", "quick_answers", "short_pauses")

STATUS = f"PATCH .*/{PLURAL}/.*/status"
A_CAUSE = [{"field": "status.run.stage", "message": "Unsupported value", "reason": "FieldValueNotSupported"}]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_status_that_cannot_be_written_now_is_written_later(
    cluster: FakeCluster, operator: Operator, status: int
) -> None:
    fault = cluster.fail(STATUS, status, times=2)
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    completed_once(cluster)
    assert fault.met == 2
    name = f'site_consistency_operator_failures_total{{status="{status}"}}'
    assert operator.metrics()[name] == 2


def test_a_conflict_is_no_refusal_and_the_operator_soon_looks_again(
    cluster: FakeCluster, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "REFUSED_BACKOFF", 600)
    cluster.create(PLURAL, check(trigger=MANUAL))
    cluster.fail(STATUS, 409, message="the object has been modified")
    operator.start()
    completed_once(cluster)


def test_a_check_that_others_write_to_all_the_time_is_still_dealt_with(
    cluster: FakeCluster, operator: Operator, script: Script
) -> None:
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    for number in range(60):
        cluster.patch(PLURAL, "t2-a", {"metadata": {"annotations": {"somebody": str(number)}}})
        time.sleep(0.01)
    completed_once(cluster)


def test_a_status_that_the_schema_refuses_is_said_loudly_and_not_hammered(
    cluster: FakeCluster, operator: Operator
) -> None:
    fault = cluster.fail(STATUS, 422, times=1000, causes=A_CAUSE)
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    cluster.until(lambda: operator.metrics().get('site_consistency_operator_failures_total{status="422"}'))
    for number in range(20):
        cluster.patch(PLURAL, "t2-a", {"metadata": {"annotations": {"somebody": str(number)}}})
    time.sleep(0.3)
    assert fault.met == 1
    operator.stop()
    assert "status.run.stage: Unsupported value" in operator.runner.output


def test_an_edit_ends_the_rest_after_a_refusal(cluster: FakeCluster, operator: Operator) -> None:
    fault = cluster.fail(STATUS, 422, times=1, causes=A_CAUSE)
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    cluster.until(lambda: fault.met)
    cluster.patch(PLURAL, "t2-a", {"spec": {"jitterSeconds": 1}})
    completed_once(cluster)


def test_a_job_that_cannot_be_made_now_is_made_a_little_later(cluster: FakeCluster, operator: Operator) -> None:
    fault = cluster.fail("POST .*/jobs", 500, times=2)
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    completed_once(cluster)
    assert fault.met == 2


WITHOUT_A_CLASS = [{"field": "spec.template.spec.priorityClassName", "message": "no such class"}]
REFUSALS = {
    "a quota": (403, "exceeded quota: jobs, used: count/jobs.batch=5", None),
    "a policy": (400, "admission webhook denied the request: no label team", None),
    "an object that is not valid": (422, "spec.template.spec.priorityClassName: no such class", WITHOUT_A_CLASS),
    "too many requests": (429, "too many requests", None),
    "a webhook that is not there": (500, 'failed calling webhook "x": connection refused', None),
}


@pytest.mark.parametrize("why", REFUSALS)
@pytest.mark.parametrize("stage", ["Snapshot", "Action"])
def test_a_job_that_is_refused_is_said_and_asked_for_again(
    cluster: FakeCluster, operator: Operator, monkeypatch: pytest.MonkeyPatch, stage: str, why: str
) -> None:
    """Also that of the action: what was refused was not made."""
    monkeypatch.setattr(job_requests, "FIRST_PAUSE", timedelta(seconds=2))
    monkeypatch.setattr(job_requests, "SEEN_WITHIN", timedelta(seconds=6))
    status, words, causes = REFUSALS[why]
    fault = cluster.fail("POST .*/jobs", status, times=1000, message=words, causes=causes)
    fault.passes = STAGES.index(stage)
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    cluster.until(lambda: condition(cluster, "Running").get("reason") == "JobRefused")
    assert f"-{stage.lower()}: {words}; asked again at " in condition(cluster, "Running")["message"]
    cluster.until(lambda: events_of(cluster)[-1] == "JobRefused")
    fault.times = 0
    completed_once(cluster)
    assert events_of(cluster).count("JobRefused") == 1


def test_an_edit_of_the_check_asks_for_a_refused_job_at_once(cluster: FakeCluster, operator: Operator) -> None:
    fault = cluster.fail("POST .*/jobs", 422, times=1000, causes=WITHOUT_A_CLASS)
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    cluster.until(lambda: condition(cluster, "Running").get("reason") == "JobRefused")
    fault.times = 0
    time.sleep(1.1)  # a request is known by its second
    cluster.patch(PLURAL, "t2-a", {"spec": {"podTemplate": {"spec": {"priorityClassName": "batch"}}}})
    completed_once(cluster)


def test_a_run_whose_job_is_refused_gives_its_place_up(
    cluster: FakeCluster, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSISTENCY_MAX_CONCURRENT_RUNS", "1")
    cluster.fail("POST .*/namespaces/full/jobs", 403, times=1000, message="exceeded quota: jobs")
    cluster.create(PLURAL, check("t2-full", trigger=MANUAL), "full")
    operator.start()
    cluster.until(lambda: cluster.requests("POST .*/full/jobs"))
    cluster.create(PLURAL, check(trigger=MANUAL))
    completed_once(cluster)


def test_an_api_server_that_says_for_a_minute_that_it_is_ill_does_not_cost_an_action(
    cluster: FakeCluster, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows then what it has done; the name shows it as soon as it is well."""
    monkeypatch.setattr(job_creation, "LONGER_PAUSES", [pause / 10 for pause in job_creation.LONGER_PAUSES])
    fault = cluster.fail("POST .*/jobs", 503, times=7)
    fault.passes = 3
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    completed_once(cluster)
    assert fault.met == 7


def test_events_that_cannot_be_posted_hold_up_nothing(cluster: FakeCluster, operator: Operator) -> None:
    cluster.fail("POST .*/events", 403, times=1000)
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    completed_once(cluster)
    assert events_of(cluster) == []


def test_watches_that_are_cut_all_the_time_lose_nothing(cluster: FakeCluster, operator: Operator) -> None:
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    for _ in range(12):
        cluster.cut_watches()
        time.sleep(0.05)
    completed_once(cluster)


@pytest.mark.parametrize("stage", ["Snapshot", "Action"])
def test_what_happened_while_a_watch_was_away_for_long_is_found_out(
    cluster: FakeCluster, operator: Operator, script: Script, stage: str
) -> None:
    run_held_at(stage, cluster, operator, script)
    lists = cluster.fail("GET .*/(jobs|siteconsistencychecks)$", 503, times=2)
    cluster.cut_watches()
    script.holds.clear()
    cluster.until(lambda: any(job.get("status", {}).get("conditions") for job in cluster.all("jobs")))
    cluster.do(cluster.store.forget)
    completed_once(cluster)
    assert lists.met == 2


def test_a_job_that_vanished_unseen_does_not_stay_for_ever(
    cluster: FakeCluster, operator: Operator, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a gap kopf lists anew, and does not tell of what is missing there."""
    monkeypatch.setattr("consistency_operator.loop.census.RESYNC", 0.5)
    run_held_at("Snapshot", cluster, operator, script)
    cluster.until(lambda: status_of(cluster)["run"]["jobs"][0].get("uid"))

    vanishes_unseen(cluster, "jobs", cluster.all("jobs")[0]["metadata"]["name"])
    assert cluster.until(lambda: last_run(cluster))["reason"] == "JobVanished"


def test_a_check_that_vanished_unseen_loses_its_metrics(
    cluster: FakeCluster, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consistency_operator.loop.census.RESYNC", 0.5)
    cluster.create(PLURAL, check())
    operator.start()
    cluster.until(lambda: any("t2-a" in name for name in operator.metrics()))

    vanishes_unseen(cluster, PLURAL, "t2-a")
    cluster.until(lambda: not any("t2-a" in name for name in operator.metrics()))


def test_a_request_that_is_never_answered_holds_up_no_other_check(
    cluster: FakeCluster, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "TIMEOUT", aiohttp.ClientTimeout(total=600))
    cluster.fail(f"PATCH .*/{PLURAL}/t2-a/status", 0, times=1000)
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    cluster.until(lambda: cluster.requests(f"PATCH .*/{PLURAL}/t2-a/status"))
    cluster.create(PLURAL, check("t2-b", trigger=MANUAL))
    assert cluster.until(lambda: last_run(cluster, "t2-b"))["reason"] == "Completed"
    began = time.monotonic()
    operator.stop()
    assert time.monotonic() - began < 60


def test_an_answer_that_is_lost_after_a_job_was_made_makes_no_second_one(
    cluster: FakeCluster, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Job is there, the operator does not know: the name is taken, and what has it is ours."""
    monkeypatch.setattr(job_requests, "SEEN_WITHIN", job_requests.SEEN_WITHIN / 60)
    lost = cluster.fail("POST .*/jobs", 504, times=4)
    lost.after = True
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    completed_once(cluster)
    assert lost.met >= 1
    assert stage_of(cluster) == ""
