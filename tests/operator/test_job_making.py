"""Making a Job: of which check, when the spec was edited meanwhile; and what is known of it when that fails."""

import asyncio
import json
import re
from copy import deepcopy
from dataclasses import dataclass

import kopf
import pytest
from consistency_operator.cluster import api
from consistency_operator.cluster.api_error import ApiError
from consistency_operator.cluster.digest import KnownCheck
from consistency_operator.loop import job_creation
from consistency_operator.loop.job_creation import JobNotMade, JobRefused, make_job
from consistency_operator.manifests import run_check_of
from consistency_operator.plan import CreateJob
from consistency_operator.resource.check import from_body
from consistency_operator.resource.status_reading import read_status
from consistency_operator.settings import read_settings
from free_ports import free_port

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


# ------------------------------------------------------------------------------------- what the API server answers

QUOTA = ApiError(403, "exceeded quota: jobs")
AWAY = ApiError(0, "the API server cannot be reached: connection refused", sent=False)
SILENT = ApiError(0, "the API server does not answer: TimeoutError")
ILL = ApiError(503, "service unavailable")


@dataclass
class Answers:
    """An API server that gives these answers, one after the other, and the last one from then on; None: it obeys."""

    answers: list[ApiError | None]
    there: bool = False
    asked: int = 0

    async def create_job(self, manifest):
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if answer is None:
            return manifest
        raise answer

    async def find_job(self, namespace, name):
        return {"found": name} if self.there else None


@pytest.fixture
def no_pauses(monkeypatch):
    monkeypatch.setattr(job_creation, "PAUSES", (0, 0, 0, 0))
    monkeypatch.setattr(job_creation, "LONGER_PAUSES", (0, 0, 0))


def asked(stage, cluster):
    known = KnownCheck(BODY, from_body(BODY), read_status(BODY["status"]))
    return asyncio.run(make_job(cluster, CreateJob(stage, RUN, True, 1000), known, [], SETTINGS))


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("answer", [QUOTA, AWAY, ApiError(429, "slow down"), ApiError(401, "Unauthorized")], ids=str)
@pytest.mark.parametrize("stage", ["Snapshot", "Action"])
def test_what_was_refused_or_never_sent_was_surely_not_made(stage, answer):
    cluster = Answers([answer])
    with pytest.raises(JobNotMade, match=re.escape(answer.message)):
        asked(stage, cluster)
    assert cluster.asked == 5


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize(
    "answer", [SILENT, ILL, ApiError(500, "etcdserver: leader changed"), ApiError(408, "")], ids=str
)
def test_of_what_was_not_answered_nobody_knows(answer):
    """An action is asked about for longer, since it is not asked for again afterwards."""
    for stage, times in (("Snapshot", 5), ("Action", 8)):
        cluster = Answers([answer])
        with pytest.raises(ApiError) as raised:
            asked(stage, cluster)
        assert raised.value is answer
        assert cluster.asked == times


@pytest.mark.usefixtures("no_pauses")
def test_a_refusal_after_silence_proves_nothing():
    """A quota is asked before the name: the Job may have been made by the first request, and have used it up."""
    with pytest.raises(ApiError) as raised:
        asked("Action", Answers([SILENT, QUOTA]))
    assert raised.value is SILENT
    assert asked("Action", Answers([SILENT, QUOTA], there=True)) == {"found": f"t2-x-{RUN}-action"}


@pytest.mark.usefixtures("no_pauses")
def test_an_action_that_was_there_and_is_not_any_more_is_not_made_again():
    cluster = Answers([ApiError(409, "already exists", reason="AlreadyExists"), None])
    with pytest.raises(ApiError):
        asked("Action", cluster)
    assert cluster.asked == 1
    assert asked("Snapshot", Answers([ApiError(409, "already exists", reason="AlreadyExists"), None]))["kind"] == "Job"


def test_an_api_server_that_is_not_there_got_no_request():
    async def create():
        cluster = api.Cluster(lambda: kopf.ConnectionInfo(server=f"http://127.0.0.1:{free_port()}"))
        try:
            await cluster.create_job({"metadata": {"namespace": "x", "name": "y"}})
        finally:
            await cluster.close()

    with pytest.raises(ApiError) as raised:
        asyncio.run(create())
    assert not raised.value.sent
    assert raised.value.proves_nothing_was_made


def test_the_words_of_a_policy_are_told_as_they_are():
    """They are about no field."""
    causes = [{"message": "ValidatingAdmissionPolicy 'x' denied request: no label team"}]
    with pytest.raises(ApiError) as raised:
        api._answer(422, json.dumps({"message": 'jobs "y" is forbidden: …', "details": {"causes": causes}}))
    assert raised.value.sentence == "ValidatingAdmissionPolicy 'x' denied request: no label team"
