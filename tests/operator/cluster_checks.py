"""A check as a person writes it, and what the cluster says of it afterwards."""

from typing import Any

from consistency_operator.names import LABEL_STAGE, PLURAL
from fake_cluster import FakeCluster
from fake_store import Body
from kopf_thread import Operator
from scripted_pods import Script

STAGES = ["Snapshot", "Listing", "Comparison", "Action"]
MANUAL = {"manual": "1"}


def check(name: str = "t2-a", **spec: Any) -> Body:
    """A check as a person writes it."""
    listing = {"source": {"posix": {"prefix": "/mnt/site"}}, "roots": [{"path": "/store/mc"}], "shards": 2}
    return {"metadata": {"name": name}, "spec": {"site": "T2_A", "listing": listing, **spec}}


def run_held_at(stage: str, cluster: FakeCluster, operator: Operator, script: Script) -> None:
    """A check, and its run, of which the workers of `stage` have begun and do not end while the script holds them."""
    script.holds = {stage}
    cluster.create(PLURAL, check(trigger=MANUAL))
    operator.start()
    cluster.until(lambda: script.started[stage])


def status_of(cluster: FakeCluster, name: str = "t2-a") -> Body:
    body = cluster.get(PLURAL, name)
    return {} if body is None else dict(body.get("status", {}))


def stage_of(cluster: FakeCluster, name: str = "t2-a") -> str:
    """What the run that goes on does; empty when there is none."""
    return str(status_of(cluster, name).get("run", {}).get("stage", ""))


def last_run(cluster: FakeCluster, name: str = "t2-a") -> Body:
    """The run that ended last; empty while a run goes on, or when there was none."""
    status = status_of(cluster, name)
    return {} if "run" in status else dict((status.get("history") or [{}])[0])


def run_after(cluster: FakeCluster, run_id: str) -> Body:
    """The run that has ended last, once that is another one than `run_id`."""
    return dict(cluster.until(lambda: (run := last_run(cluster)) and run["id"] != run_id and run))


def condition(cluster: FakeCluster, kind: str, name: str = "t2-a") -> Body:
    found = (each for each in status_of(cluster, name).get("conditions", []) if each["type"] == kind)
    return next(found, {})


def events_of(cluster: FakeCluster, name: str = "t2-a") -> list[str]:
    """The reasons of the events about a check, in their order."""
    return [event["reason"] for event in cluster.all("events") if event["involvedObject"]["name"] == name]


def created_jobs(cluster: FakeCluster) -> list[str]:
    """The stages whose Jobs were made, in their order, each as often as it was."""
    changes = cluster.do(lambda: list(cluster.store.log))
    made = (change for change in changes if change.plural == "jobs" and change.type == "ADDED")
    return [change.body["metadata"]["labels"][LABEL_STAGE] for change in made]


def completed_once(cluster: FakeCluster) -> None:
    """The run has come to its end, and no Job of it was made twice."""
    assert cluster.until(lambda: last_run(cluster))["reason"] == "Completed"
    assert created_jobs(cluster) == STAGES


def vanishes_unseen(cluster: FakeCluster, plural: str, name: str) -> None:
    """Deleted while all watches are cut off, and not told of when they are begun anew."""

    def deleted_and_forgotten() -> None:
        for stream in cluster.api.streams:
            stream.cancel()
        cluster.store.delete((plural, "default", name))
        cluster.store.forget()

    cluster.do(deleted_and_forgotten)
