"""Whole runs on real data: the Jobs' commands are real processes, the site is a folder, the registry a database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_checks import check, events_of, last_run, stage_of, status_of
from consistency_operator.names import ANNOTATION_APPROVE, PLURAL
from fake_cluster import FakeCluster
from fake_jobs import JobController
from fake_kubelet import Kubelet
from kopf_thread import Operator
from real_site import LOST, ORPHANS, RealSite

SECONDS = 60
ENFORCING = {
    "approval": "Required",
    "missing": {"mode": "Enforce", "maxFraction": "1", "confirmRuns": 2, "confirmSpanSeconds": 0},
    "orphans": {"maxFraction": "1"},
}


@pytest.fixture
def kubelet(cluster: FakeCluster, tmp_path: Path) -> Iterator[Kubelet]:
    kubelet = Kubelet(tmp_path)
    with JobController(cluster, kubelet):
        yield kubelet


@pytest.fixture
def site(tmp_path: Path, environment: dict[str, str], kubelet: Kubelet) -> RealSite:
    """The site, its inventory known to the operator and to the workers."""
    site = RealSite(tmp_path)
    Path(environment["CONSISTENCY_BACKENDS"]).write_text(site.backends)
    kubelet.secret("consistency-backends", {"backends.yaml": site.backends})
    return site


@pytest.mark.slow
def test_a_site_is_checked_twice_and_what_it_lost_is_requested_after_an_approval(
    cluster: FakeCluster, operator: Operator, kubelet: Kubelet, site: RealSite
) -> None:
    body = check(trigger={"manual": "1"}, policy=ENFORCING)
    body["spec"]["listing"]["source"] = {"posix": {"prefix": str(site.prefix)}}
    cluster.create(PLURAL, body)
    operator.start()
    first = cluster.until(lambda: last_run(cluster), SECONDS)
    assert first["result"] == "Complete", first
    assert (first["counts"]["missing"], first["counts"]["orphans"]) == (len(LOST), len(ORPHANS))
    assert "transfers" not in first, "the first run never acts"
    [summary] = kubelet.claim("consistency-data").joinpath("T2_A").glob(f"{first['id']}-t2-a-*/summary.json")
    assert summary.exists()

    cluster.patch(PLURAL, "t2-a", {"spec": {"trigger": {"manual": "2"}}})
    cluster.until(lambda: stage_of(cluster) == "AwaitingApproval", SECONDS)
    assert site.requested() == []
    run_id = status_of(cluster)["run"]["id"]
    cluster.patch(PLURAL, "t2-a", {"metadata": {"annotations": {ANNOTATION_APPROVE: run_id}}})
    second = cluster.until(lambda: last_run(cluster), SECONDS)
    assert (second["id"], second["reason"]) == (run_id, "Completed"), second
    assert second["transfers"][0].items() >= {"kind": "missing", "requested": len(LOST)}.items()
    assert site.requested() == sorted(LOST)
    cluster.until(lambda: "ActionsRequested" in events_of(cluster))
    assert operator.metrics()[_series("requests_total", request="transfer", kind="missing", outcome="requested")] == 2


@pytest.mark.usefixtures("quick_answers")
def test_a_worker_that_cannot_read_its_backends_says_so_in_the_status(
    cluster: FakeCluster, operator: Operator, kubelet: Kubelet
) -> None:
    kubelet.secret("consistency-backends", {"backends.yaml": "backends: {default: {type: dinamo}}"})
    cluster.create(PLURAL, check(trigger={"manual": "1"}))
    operator.start()
    run = cluster.until(lambda: last_run(cluster), SECONDS)
    assert (run["result"], run["reason"]) == ("Failed", "Misconfigured")
    assert "did you mean dynamo?" in run["message"]
    assert len(kubelet.started) == 1


def _series(name: str, **labels: str) -> str:
    reported = {"obj_namespace": "default", "obj_name": "t2-a", "site": "T2_A", **labels}
    texts = ",".join(f'{label}="{reported[label]}"' for label in sorted(reported))
    return f"site_consistency_{name}{{{texts}}}"
