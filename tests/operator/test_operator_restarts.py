"""An operator that is killed, anywhere, and started again: it goes on from the status and the Jobs alone."""

from datetime import timedelta

import pytest
from cluster_checks import MANUAL, STAGES, check, created_jobs, last_run, run_held_at, stage_of, status_of
from consistency_operator.names import PLURAL
from consistency_operator.plan import job_requests
from fake_cluster import FakeCluster
from kopf_thread import Operator
from scripted_pods import Script, gates

pytestmark = pytest.mark.usefixtures("jobs", "quick_answers", "watches_are_quick")


@pytest.fixture
def watches_are_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for and is not there after this time never was."""
    monkeypatch.setattr(job_requests, "SEEN_WITHIN", timedelta(seconds=0.5))


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("meanwhile", ["the Job goes on", "the Job ends"])
def test_a_new_operator_goes_on_with_the_stage(
    cluster: FakeCluster, operator: Operator, script: Script, stage: str, meanwhile: str
) -> None:
    run_held_at(stage, cluster, operator, script)
    operator.stop()
    if meanwhile == "the Job ends":
        script.holds.clear()
        cluster.until(lambda: all(job.get("status", {}).get("conditions") for job in cluster.all("jobs")))
    operator.start()
    script.holds.clear()
    assert cluster.until(lambda: last_run(cluster))["reason"] == "Completed"
    assert created_jobs(cluster) == STAGES


def test_a_run_that_waits_for_approval_waits_on_and_is_approved_meanwhile(
    cluster: FakeCluster, operator: Operator, script: Script
) -> None:
    script.gates = gates(Approval="Pending")
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    cluster.until(lambda: stage_of(cluster) == "AwaitingApproval")
    operator.stop()
    cluster.patch(PLURAL, "t2-a", {"spec": {"approve": {"run": status_of(cluster)["run"]["id"]}}})
    operator.start()
    assert cluster.until(lambda: last_run(cluster))["reason"] == "Completed"


WRITES = f"^(PATCH .*/{PLURAL}/t2-a/status|POST .*/jobs)"


def killed_at_write(cluster: FakeCluster, operator: Operator, number: int) -> str:
    """Kill the operator when its `number`th write of a run was done and not answered; what that was, if anything."""
    fault = cluster.fail(WRITES, 0, times=0)
    fault.after, fault.passes, fault.times = True, number, 1
    cluster.create(PLURAL, check(trigger=MANUAL))
    cluster.until(lambda: fault.met or last_run(cluster))
    if not fault.met:
        fault.times = 0
        return ""
    operator.restart()
    return cluster.requests(WRITES)[-1]


@pytest.mark.slow
def test_killed_after_any_write_it_makes_no_job_twice_and_comes_to_an_end(
    cluster: FakeCluster, operator: Operator
) -> None:
    """Killed before a write is the same as killed after the one before."""
    number = 0
    operator.start()
    while True:
        made = len(created_jobs(cluster))
        written = killed_at_write(cluster, operator, number)
        run = cluster.until(lambda: last_run(cluster))
        jobs = created_jobs(cluster)[made:]
        if run["reason"] == "JobVanished":  # the action may have been asked for: it is not asked for twice
            assert jobs == STAGES[:3]
        else:
            assert (run["reason"], jobs) == ("Completed", STAGES), f"killed at write {number}: {written}"
        cluster.delete(PLURAL, "t2-a")
        if not written:
            break
        number += 1
    assert number > 10


def test_killed_between_the_record_of_the_action_and_its_job_it_does_not_ask_for_it(
    cluster: FakeCluster, operator: Operator
) -> None:
    """Of all writes that one leaves open whether the action was asked for."""
    fault = cluster.fail("POST .*/jobs", 0, times=10**9)
    fault.passes = len(STAGES) - 1
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    cluster.until(lambda: fault.met)
    operator.stop()
    fault.times = 0
    operator.start()
    assert cluster.until(lambda: last_run(cluster))["reason"] == "JobVanished"
    assert created_jobs(cluster) == STAGES[:3]
