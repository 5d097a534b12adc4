"""Every stage, every place where the operator can die, and whatever becomes of the Job meanwhile."""

from collections import Counter
from datetime import timedelta

import pytest
from consistency_operator.names import JOB_STAGES, JobStage
from plan_cases import DAY, resource
from plan_cluster import MiniCluster

CRASHES = {"before the status is written": 0, "between the status and the Job": 1, "after all is done": None}
FATES = ["goes on", "is complete", "fails", "is deleted unseen", "is deleted once seen", "is complete and then deleted"]
ABSENCES = [timedelta(seconds=1), timedelta(seconds=61), timedelta(hours=3), 3 * DAY]


def up_to(stage: JobStage) -> MiniCluster:
    """A cluster whose next reconciliation is to make the Job of `stage`."""
    cluster = MiniCluster(resource(trigger={"manual": "now"}))
    for _ in range(20):
        probe = cluster.copy()
        probe.operate()
        if (probe.made[-1:] or [(None, None)])[0][1] == stage:
            return cluster
        cluster.operate()
        for name in list(cluster.jobs):
            cluster.end(name, complete=True)
        cluster.deliver()
    raise AssertionError(f"no Job of {stage} was ever to be made")


@pytest.mark.parametrize("absence", ABSENCES, ids=str)
@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize("stage", JOB_STAGES)
def test_the_run_ends_with_at_most_one_action(stage: JobStage, crash: str, fate: str, absence: timedelta) -> None:
    cluster = up_to(stage)
    cluster.operate(crash_after=CRASHES[crash])
    become(cluster, fate)
    cluster.now += absence
    assert cluster.live_until(9 * DAY)
    made = Counter(cluster.made)
    assert made[cluster.status.history[0].id, "Action"] <= 1
    [run] = cluster.status.history
    assert run.reason in ("Completed", "JobVanished", "DeadlineExceeded", f"{stage}Failed")
    if fate == "goes on" and absence < DAY and (stage != "Action" or CRASHES[crash] != 1):
        assert run.reason == "Completed"
        assert len(cluster.made) == len(JOB_STAGES)


@pytest.mark.parametrize("crash", [None, 1])
@pytest.mark.parametrize("stage", JOB_STAGES)
def test_a_run_is_lost_to_no_refusal_and_its_action_is_made_once(stage: JobStage, crash: int | None) -> None:
    """For a day and a half there is no room for the Job, and then there is; the operator may die in between."""
    cluster = up_to(stage)
    cluster.mood = "refuses"
    end = cluster.now + 1.5 * DAY
    cluster.operate()
    cluster.operate(crash_after=crash)
    while cluster.now < end:
        cluster.now = max(cluster.wake_at or end, cluster.now + timedelta(seconds=1))
        cluster.operate()
    assert not [made for _, made in cluster.made if made == stage]
    assert cluster.live_until(9 * DAY)
    assert Counter(cluster.made)[cluster.status.history[0].id, "Action"] == 1
    assert cluster.status.history[0].reason == "Completed"


def become(cluster: MiniCluster, fate: str) -> None:
    """What happens to the newest Job while the operator is away."""
    if not cluster.jobs:
        return
    newest = list(cluster.jobs)[-1]
    if fate == "is deleted once seen":
        cluster.deliver()
        cluster.operate()
    if fate in ("is complete", "is complete and then deleted"):
        cluster.end(newest, complete=True)
    if fate == "fails":
        cluster.end(newest, complete=False)
    if "deleted" in fate:
        cluster.vanish(newest)
