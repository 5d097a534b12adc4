"""A check goes all the way: applied by a person, run by the operator, approved, and asked for in the registry."""

import pytest
from cluster.processes import wait_until
from dynamo_laboratory import MISSING, ORPHANS, Laboratory


@pytest.fixture
def operator(make_operator, backends, laboratory: Laboratory):
    """Serves the laboratory's inventory."""
    operator = make_operator(backends(laboratory.backends))
    operator.start()
    return operator


def test_findings_reach_the_status_and_an_approval_the_registry(checks, operator, laboratory):
    checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
    first = checks.finished("lab", runs=1)
    assert (first["result"], first["counts"]["missing"], first["counts"]["orphans"]) == ("Complete", 2, 3)
    assert laboratory.deletions() == laboratory.transfers() == [], "a first run never acts"

    checks.annotate("lab", requestedAt="second")
    checks.reaches("lab", "AwaitingApproval")
    assert laboratory.deletions() == laboratory.transfers() == [], "nobody has approved"

    checks.annotate("lab", approve=checks.status("lab")["run"]["id"])
    second = checks.finished("lab", runs=2)
    assert (second["result"], second["reason"]) == ("Complete", "Completed")
    assert laboratory.deletions() == sorted(ORPHANS)
    assert laboratory.transfers() == sorted(MISSING)
    assert sum(kind["requested"] for kind in second["deletions"]) == len(ORPHANS)
    assert sum(kind["requested"] for kind in second["transfers"]) == len(MISSING)
    assert second["approval"]["via"] == "Annotation"


KILLED_IN = ["Snapshot", "Listing", "Comparison", "AwaitingApproval", "Action"]


@pytest.fixture
def confirmed(checks, operator, laboratory) -> Laboratory:
    """With one complete run behind it, so that the next one may act."""
    checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
    assert checks.finished("lab")["result"] == "Complete"
    return laboratory


@pytest.mark.parametrize("stage", KILLED_IN)
def test_an_operator_killed_in_any_stage_is_replaced_without_loss_and_without_doing_anything_twice(
    stage, checks, operator, confirmed, node
):
    """The pods of the stage end while nobody is there to see it."""
    node.hold(lambda pod: pod["metadata"]["labels"].get("consistency.dynamo.io/stage") == stage)
    checks.annotate("lab", requestedAt="second")
    if stage in ("AwaitingApproval", "Action"):
        run = checks.reaches("lab", "AwaitingApproval")
    if stage == "Action":
        checks.annotate("lab", approve=run["id"])
    run = checks.reaches("lab", stage)
    wait_until("the Job is there", lambda: stage == "AwaitingApproval" or named(checks, run, stage))
    operator.kill()
    node.behave()
    if stage == "AwaitingApproval":
        checks.annotate("lab", approve=run["id"])
    else:
        wait_until("its pods have ended", lambda: ended(checks, run, stage), 60)
    operator.start()

    if stage not in ("AwaitingApproval", "Action"):
        run = checks.reaches("lab", "AwaitingApproval")
        checks.annotate("lab", approve=run["id"])
    assert checks.finished("lab", runs=2)["reason"] == "Completed"
    assert (confirmed.deletions(), confirmed.transfers()) == (sorted(ORPHANS), sorted(MISSING))
    jobs = [job for job in checks.jobs("lab") if job["metadata"]["labels"]["consistency.dynamo.io/run"] == run["id"]]
    assert len(jobs) == 4, "one Job for each stage"
    assert [job["status"].get("failed", 0) for job in jobs] == [0] * 4


def named(checks, run, stage) -> list:
    labels = {"consistency.dynamo.io/run": run["id"], "consistency.dynamo.io/stage": stage}
    return [job for job in checks.jobs("lab") if labels.items() <= job["metadata"]["labels"].items()]


def ended(checks, run, stage) -> bool:
    """The Job controller has seen it too."""
    return all(
        any(one["type"] == "Complete" for one in job["status"].get("conditions", []))
        for job in named(checks, run, stage)
    )


def test_an_operator_that_is_asked_to_go_leaves_in_time_and_the_run_goes_on_under_the_next(
    checks, operator, laboratory, node
):
    node.hold(lambda pod: True)
    checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
    checks.reaches("lab", "Snapshot")
    assert operator.stop(patience=5) == 0
    node.behave()
    operator.start()
    assert checks.finished("lab")["result"] == "Complete"
