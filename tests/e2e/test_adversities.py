"""What befalls an operator in a real cluster: another one beside it, rights that go, a definition that is older."""

import signal
import time
from copy import deepcopy

import pytest
import yaml
from cluster.api import JSON_PATCH, path_of
from cluster.processes import wait_until
from deployment import ROOT, apply
from dynamo_laboratory import MISSING, ORPHANS

FILE = next((ROOT / "crds").glob("consistency*.yaml"))
ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/consistency-operator"
STAGE = "consistency.dynamo.io/stage"


@pytest.fixture
def site(backends, laboratory):
    return backends(laboratory.backends)


@pytest.fixture
def operator(make_operator, site):
    operator = make_operator(site)
    operator.start()
    return operator


@pytest.fixture
def another_operator(make_operator, site):
    return make_operator(site)


def of(stage: str):
    return lambda pod: pod["metadata"]["labels"].get(STAGE) == stage


def stages(checks) -> list[str]:
    """Of the Jobs that there are, run by run."""
    jobs = sorted(checks.jobs("lab"), key=lambda job: job["metadata"]["creationTimestamp"])
    return [job["metadata"]["labels"][STAGE] for job in jobs]


def acts_once(checks, laboratory) -> None:
    checks.annotate("lab", requestedAt="second")
    run = checks.reaches("lab", "AwaitingApproval")
    checks.annotate("lab", approve=run["id"])
    assert checks.finished("lab", runs=2)["reason"] == "Completed"
    assert (laboratory.deletions(), laboratory.transfers()) == (sorted(ORPHANS), sorted(MISSING)), "once each"
    assert sorted(stages(checks)) == sorted([*["Snapshot", "Listing", "Comparison"] * 2, "Action"])


def test_two_operators_at_the_same_time_do_everything_once(checks, operator, another_operator, laboratory):
    another_operator.start()
    checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
    assert checks.finished("lab")["result"] == "Complete"
    acts_once(checks, laboratory)


def test_an_operator_that_froze_and_comes_back_beside_its_successor_harms_nothing(
    checks, operator, another_operator, laboratory, node
):
    node.hold(of("Listing"))
    checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
    checks.reaches("lab", "Listing")
    frozen = operator.processes.running["operator"]
    frozen.send_signal(signal.SIGSTOP)
    try:
        node.behave()
        another_operator.start()
        assert checks.finished("lab")["result"] == "Complete"
        checks.annotate("lab", requestedAt="second")
        run = checks.reaches("lab", "AwaitingApproval")
    finally:
        frozen.send_signal(signal.SIGCONT)
    checks.annotate("lab", approve=run["id"])
    assert checks.finished("lab", runs=2)["reason"] == "Completed"
    assert (laboratory.deletions(), laboratory.transfers()) == (sorted(ORPHANS), sorted(MISSING)), "once each"
    assert [one["result"] for one in checks.status("lab")["history"]] == ["Complete", "Complete"]


@pytest.fixture
def definition_without(plane, api, installed):
    """Applies the definition as a release would have it that did not know this field of a run."""
    present = yaml.safe_load(FILE.read_text())

    def older(field: str) -> None:
        definition = deepcopy(present)
        (version,) = definition["spec"]["versions"]
        status = version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]
        del status["run"]["properties"][field]
        apply(plane, [definition], "--force-conflicts")
        time.sleep(2)  # until it is served

    yield older
    apply(plane, [present], "--force-conflicts")


def test_nothing_is_done_of_which_an_older_definition_would_drop_the_record(
    checks, operator, laboratory, definition_without, plane
):
    definition_without("jobs")
    checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
    operator.said("the API server refuses our status (is the CRD older?): ")
    assert checks.jobs("lab") == []
    apply(plane, [yaml.safe_load(FILE.read_text())], "--force-conflicts")
    assert checks.finished("lab")["result"] == "Complete"


def test_a_deleted_check_that_something_keeps_goes_no_further(checks, operator, laboratory, node, api):
    """As a tool does that wants to look at it once more."""
    node.hold(of("Snapshot"))
    checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
    checks.reaches("lab", "Snapshot")
    keep = {"op": "add", "path": "/metadata/finalizers", "value": ["example.org/keep"]}
    api.patch(checks.path("lab"), [keep], JSON_PATCH)
    checks.delete("lab")
    node.behave()
    wait_until("its pod has ended", lambda: checks.jobs("lab")[0]["status"].get("succeeded"), 60)
    time.sleep(3)
    assert stages(checks) == ["Snapshot"]
    api.patch(checks.path("lab"), [{"op": "remove", "path": "/metadata/finalizers"}], JSON_PATCH)
    wait_until("its Jobs have gone", lambda: not checks.jobs("lab"), 60)
    assert operator.is_healthy()


def test_a_namespace_that_goes_in_the_middle_of_a_run_takes_all_of_it_along(checks, operator, laboratory, node):
    node.hold(of("Listing"))
    checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
    checks.reaches("lab", "Listing")
    node.behave()
    checks.api.delete(path_of("Namespace", name=checks.namespace))
    wait_until(
        "its check has gone", lambda: not checks.api.items(path_of("SiteConsistencyCheck", checks.namespace)), 60
    )
    wait_until("its Jobs have gone", lambda: not checks.jobs("lab"), 60)
    wait_until("the operator is content", operator.is_healthy)
    assert "Traceback" not in operator.log


def test_rights_that_are_taken_away_and_given_back_cost_a_run_nothing(checks, operator, laboratory, node, api):
    node.hold(of("Listing"))
    checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
    checks.reaches("lab", "Listing")
    binding = api.get(ROLE)
    api.delete(ROLE)
    try:
        node.behave()
        wait_until("the Job is over", lambda: checks.jobs("lab")[-1]["status"].get("conditions"), 60)
        operator.said("forbidden")
    finally:
        binding["metadata"] = {"name": binding["metadata"]["name"], "labels": binding["metadata"].get("labels", {})}
        api.request("POST", ROLE.rpartition("/")[0], binding)
    assert checks.finished("lab")["result"] == "Complete"


def test_a_status_that_somebody_wipes_in_the_action_asks_for_nothing_twice(checks, operator, laboratory, node, api):
    checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
    assert checks.finished("lab")["result"] == "Complete"
    node.hold(of("Action"))
    checks.annotate("lab", requestedAt="second")
    run = checks.reaches("lab", "AwaitingApproval")
    checks.annotate("lab", approve=run["id"])
    checks.reaches("lab", "Action")
    wait_until("the Job is there", lambda: stages(checks)[-1] == "Action")
    api.patch(f"{checks.path('lab')}/status", [{"op": "remove", "path": "/status"}], JSON_PATCH)
    time.sleep(3)
    assert "run" not in checks.status("lab"), "the next run waits until the action has ended"
    node.behave()
    checks.wait_for("lab", "the next run", lambda now: now.get("run") or now.get("history"))
    assert (laboratory.deletions(), laboratory.transfers()) == (sorted(ORPHANS), sorted(MISSING)), "once each"
