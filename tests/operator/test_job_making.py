"""Of which check the Job of a stage is made when the spec was edited during the run, and its snapshot Job has gone."""

import asyncio
from copy import deepcopy

import pytest
from consistency_operator.cluster.cache import KnownCheck
from consistency_operator.loop.job_creation import JobRefused, make_job
from consistency_operator.manifests import run_check_of
from consistency_operator.plan import CreateJob
from consistency_operator.resource.check import from_body
from consistency_operator.resource.status import read_status
from consistency_operator.settings import read_settings

RUN = "29412180"
SETTINGS = read_settings({"CONSISTENCY_IMAGE": "example.org/worker:1"})
BODY = {
    "apiVersion": "consistency.dynamo.io/v1alpha1",
    "kind": "SiteConsistencyCheck",
    "metadata": {"name": "t2-x", "namespace": "sites", "uid": "u", "generation": 1},
    "spec": {"site": "T2_X", "listing": {"roots": [{"path": "/store/mc"}], "shards": 3}},
    "status": {
        "run": {
            "id": RUN,
            "trigger": "Schedule",
            "generation": 1,
            "startTime": "2026-11-23T03:00:00Z",
            "stage": "Snapshot",
            "stageStartTime": "2026-11-23T03:00:00Z",
        }
    },
}


class Cluster:
    async def create_job(self, manifest):
        return manifest


def edited() -> dict:
    """As a person leaves it who approves by the spec, and changes the shards for the next run."""
    body = deepcopy(BODY)
    body["metadata"]["generation"] = 2
    body["spec"] |= {"approve": {"run": RUN}}
    body["spec"]["listing"]["shards"] = 9
    return body


def made(stage, body, jobs=()):
    known = KnownCheck(body, from_body(body), read_status(body["status"]))
    return asyncio.run(make_job(Cluster(), CreateJob(stage, RUN, True, 1000), known, list(jobs), SETTINGS))


def test_a_listing_has_the_shards_that_the_run_began_with():
    snapshot = made("Snapshot", BODY)
    assert made("Listing", edited(), [snapshot])["spec"]["completions"] == 3


def test_a_spec_that_has_become_invalid_does_not_end_a_run():
    body = edited()
    body["spec"]["podTemplate"] = {"spec": {"hostNetwork": True}, "nodeSelector": {}}
    assert from_body(body).check is None
    assert made("Listing", body, [made("Snapshot", BODY)])["spec"]["completions"] == 3
    with pytest.raises(JobRefused, match="not valid any more"):
        made("Action", body)


def test_an_action_is_told_todays_spec_also_when_its_run_began_with_another():
    body = edited()
    body["spec"] |= {"policy": {"orphans": {"mode": "Report"}}}
    snapshot = made("Snapshot", BODY)
    assert run_check_of(made("Action", body, [snapshot]), None).spec == from_body(body).check.spec


def test_nothing_is_asked_for_while_nobody_knows_what_the_spec_allows():
    body = edited()
    body["spec"]["podTemplate"] = {"spec": {"hostNetwork": True}, "nodeSelector": {}}
    with pytest.raises(JobRefused, match="nobody knows what it allows; nothing was requested"):
        made("Action", body, [made("Snapshot", BODY)])


def test_a_listing_whose_shards_nobody_knows_any_more_is_refused():
    with pytest.raises(JobRefused, match="the spec was edited during the run"):
        made("Listing", edited())
    assert made("Listing", BODY)["spec"]["completions"] == 3


@pytest.mark.parametrize("stage", ["Comparison", "Action"])
def test_an_approval_that_comes_after_the_snapshot_job_has_gone_is_no_obstacle(stage):
    [container] = made(stage, edited())["spec"]["template"]["spec"]["containers"]
    assert container["args"][:3] == ["stage", stage.lower(), "--run-dir"]
    assert container["args"][3].startswith(f"/data/T2_X/{RUN}-")
