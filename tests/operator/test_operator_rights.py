"""What the operator asks of the API server is what its role allows, and what it writes is the status alone."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from cluster_checks import check, created_jobs, last_run, status_of
from consistency_operator.names import LABEL_CHECK, PLURAL
from fake_cluster import FakeCluster
from kopf_thread import Operator
from scripted_pods import Script

pytestmark = pytest.mark.usefixtures("jobs", "quick_answers")

ROLE = Path(__file__).parents[2] / "deploy/base/rbac.yaml"


def test_the_role_allows_what_a_whole_life_needs_and_nothing_else(
    cluster: FakeCluster, operator: Operator, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs that succeed, Jobs of old runs that are removed, conflicts, a look at what there really is, and why a Job
    does not get going.
    """
    monkeypatch.setattr("consistency_operator.loop.census.RESYNC", 0.3)
    monkeypatch.setattr("consistency_operator.plan.job_stages.GOING_WITHIN", timedelta(seconds=1))
    script.holds = {"Snapshot"}
    cluster.create(PLURAL, check(trigger={"manual": "1"}, successfulRunsHistoryLimit=0))
    cluster.fail("PATCH .*/status", 409)
    cluster.fail("POST .*/jobs", 500).after = True
    operator.start()
    cluster.until(lambda: cluster.requests("GET .*/events"))
    script.holds.clear()
    cluster.until(lambda: last_run(cluster) and not cluster.all("jobs"))
    (role,) = (each for each in yaml.safe_load_all(ROLE.read_text()) if each["kind"] == "ClusterRole")
    allowed = {(what, verb) for rule in role["rules"] for what in rule["resources"] for verb in rule["verbs"]}
    assert cluster.rights_used() == allowed


def test_only_our_jobs_are_watched(cluster: FakeCluster, operator: Operator) -> None:
    operator.start()
    cluster.until(lambda: cluster.requests("GET .*/jobs"))
    asked = [request for request in list(cluster.api._requests) if request.url.path.endswith("/jobs")]
    assert {request.params.get("labelSelector") for request in asked} == {LABEL_CHECK}


def test_nothing_of_a_check_is_written_but_its_status(cluster: FakeCluster, operator: Operator) -> None:
    before = cluster.create(PLURAL, check(trigger={"manual": "1"}))
    operator.start()
    cluster.until(lambda: last_run(cluster))
    after = cluster.get(PLURAL, "t2-a")
    assert after is not None
    assert after["spec"] == before["spec"]
    changed = {key for key in after["metadata"] if after["metadata"][key] != before["metadata"].get(key)}
    assert changed == {"resourceVersion"}


def test_a_token_that_is_replaced_is_read_anew(
    cluster: FakeCluster, operator: Operator, script: Script, tmp_path: Path
) -> None:
    script.holds = {"Listing"}
    cluster.create(PLURAL, check(trigger={"manual": "1"}))
    operator.start()
    cluster.until(lambda: script.started["Listing"] and status_of(cluster)["run"]["jobs"][-1].get("uid"))
    cluster.api.token = "another token"
    cluster.kubeconfig(tmp_path)
    cluster.cut_watches()
    script.holds.clear()
    assert cluster.until(lambda: last_run(cluster))["reason"] == "Completed"
    assert created_jobs(cluster) == ["Snapshot", "Listing", "Comparison", "Action"]
