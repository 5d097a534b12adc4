"""Flux keeps the sites of a Git repository: what it applies, waits for, refuses, takes away and takes back."""

from collections.abc import Iterator

import pytest
from cluster.api import Object, path_of
from cluster.processes import wait_until
from deployment import CLAIM
from flux_world import FluxWorld
from gitops_world import HERE, MIT, NO_SCHEDULE, OPERATOR, OTHER_SCHEDULE, REFUSED_EDITS, RWTH, SITES, set_by
from operator_process import NAMESPACE


@pytest.fixture(scope="module")
def world(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FluxWorld]:
    """All is applied by Flux, from git; nothing else is in the cluster."""
    with FluxWorld.brought_up(f"{worker_id}-flux", tmp_path_factory.mktemp("gitops")) as world:
        yield world


@pytest.fixture
def gitops(world: FluxWorld) -> Iterator[FluxWorld]:
    """All is well, a run has ended and none goes on; git and node are put back when the test ends."""
    wait_until("the sites are settled", lambda: world.flux.now(SITES)["status"] == "True", 90)
    world.checks.wait_for(HERE, "a run has ended", lambda now: now.get("history") and "run" not in now)
    yield world
    world.node.hold(lambda _: False)
    if world.undo():
        assert world.flux.said_of(SITES, world.push("Put all back"))["status"] == "True"


def test_the_sites_come_when_the_operator_is_there(world: FluxWorld):
    assert f"dependency 'flux-system/{OPERATOR}' is not ready" in world.before_the_operator["message"]
    for name in (HERE, RWTH, MIT):
        ready = world.checks.condition(name, "Ready")
        assert (ready["status"], world.checks.get(name)["status"]["observedGeneration"]) == ("True", 1)


def test_an_edit_reaches_its_check_alone(gitops: FluxWorld):
    before = {name: gitops.checks.get(name) for name in (RWTH, MIT)}
    gitops.edit(MIT, *OTHER_SCHEDULE)
    said = gitops.flux.said_of(SITES, gitops.push("Check MIT every month"))
    assert said["status"] == "True", said
    after = {name: gitops.checks.get(name) for name in (RWTH, MIT)}
    assert after[MIT]["spec"]["schedule"] == "@monthly"
    assert after[MIT]["status"]["observedGeneration"] == before[MIT]["metadata"]["generation"] + 1
    assert after[RWTH]["metadata"] == before[RWTH]["metadata"]


def test_it_is_ready_while_a_run_lasts_and_edits_go_on(gitops: FluxWorld):
    runs = len(gitops.checks.status(HERE)["history"])
    gitops.node.hold(lambda pod: pod["metadata"]["labels"].get("consistency.dynamo.io/stage") == "Listing")
    gitops.write(HERE, gitops.here(trigger="a long one"))
    assert gitops.flux.said_of(SITES, gitops.push("Run once more"))["status"] == "True"
    run = gitops.checks.reaches(HERE, "Listing")
    gitops.flux.reconcile("Kustomization", SITES)
    assert gitops.flux.now(SITES)["status"] == "True"
    gitops.edit(MIT, *OTHER_SCHEDULE)
    assert gitops.flux.said_of(SITES, gitops.push("Check MIT every month"))["status"] == "True"
    assert gitops.checks.status(HERE)["run"]["id"] == run["id"]

    gitops.node.hold(lambda _: False)
    ended = gitops.checks.finished(HERE, runs + 1)
    assert (ended["id"], ended["result"], ended["counts"]["missing"]) == (run["id"], "Complete", 1)


@pytest.mark.parametrize(("edit", "complaint"), REFUSED_EDITS.values(), ids=REFUSED_EDITS)
def test_what_the_api_server_refuses_is_named_and_nothing_of_the_commit_is_applied(gitops: FluxWorld, edit, complaint):
    before = {name: gitops.checks.get(name)["metadata"] for name in (HERE, RWTH, MIT)}
    gitops.edit(RWTH, *edit)
    gitops.edit(MIT, *OTHER_SCHEDULE)
    said = gitops.flux.said_of(SITES, gitops.push("Break RWTH, and mean well with MIT"))
    assert (said["status"], said["reason"]) == ("False", "ReconciliationFailed")
    assert f"SiteConsistencyCheck/{NAMESPACE}/{RWTH}" in said["message"]
    assert complaint in said["message"]
    assert before == {name: gitops.checks.get(name)["metadata"] for name in (HERE, RWTH, MIT)}


def test_what_the_operator_refuses_is_applied_and_fails_at_once(gitops: FluxWorld):
    gitops.edit(RWTH, *NO_SCHEDULE)
    gitops.edit(MIT, *OTHER_SCHEDULE)
    said = gitops.flux.said_of(SITES, gitops.push("Check RWTH from Friday to Monday, as cron does not say it"))
    assert (said["status"], said["reason"]) == ("False", "HealthCheckFailed")
    assert "failed early" in said["message"]
    assert f"SiteConsistencyCheck/{NAMESPACE}/{RWTH} status: 'Failed'" in said["message"]
    assert gitops.checks.condition(RWTH, "Stalled")["status"] == "True"
    assert gitops.checks.get(MIT)["spec"]["schedule"] == "@monthly"


def test_a_new_site_is_not_taken_for_settled_before_the_operator_has_seen_it(gitops: FluxWorld):
    """What is new has no condition yet that could be False."""
    new = gitops.here("never") | {"metadata": {"name": "t2-xx-new"}}
    new["spec"] |= {"site": "T2_XX_New", "schedule": "0 3 * * 5-1"}
    gitops.write("t2-xx-new", new)
    gitops.list_sites(HERE, RWTH, MIT, "t2-xx-new")
    said = gitops.flux.said_of(SITES, gitops.push("Add a site with a schedule that is none"))
    assert (said["status"], said["reason"]) == ("False", "HealthCheckFailed")
    assert f"SiteConsistencyCheck/{NAMESPACE}/t2-xx-new status: 'Failed'" in said["message"]


def test_a_site_that_leaves_git_leaves_the_cluster_but_not_its_runs(gitops: FluxWorld):
    assert gitops.checks.jobs(HERE)
    kept = gitops.run_directories()
    gitops.list_sites(RWTH, MIT)
    assert gitops.flux.said_of(SITES, gitops.push("Leave our site alone"))["status"] == "True"
    wait_until("the check is gone", lambda: gitops.plane.api.find(gitops.checks.path(HERE)) is None)
    wait_until("its Jobs are gone", lambda: gitops.checks.jobs(HERE) == [], 90)
    assert kept <= gitops.run_directories()
    assert gitops.checks.get(RWTH)["metadata"].get("deletionTimestamp") is None


def test_checks_and_runs_outlive_an_operator_that_is_removed(gitops: FluxWorld):
    kept = gitops.run_directories()
    gitops.hold_the_operator()
    gitops.plane.kubectl("delete", "kustomization", OPERATOR, "-n", "flux-system")
    assert gitops.plane.api.find(path_of("Deployment", NAMESPACE, OPERATOR)) is None
    assert gitops.checks.get(RWTH)["metadata"].get("deletionTimestamp") is None
    claim = gitops.plane.api.get(path_of("PersistentVolumeClaim", NAMESPACE, CLAIM))
    assert (claim["status"]["phase"], claim["metadata"].get("deletionTimestamp")) == ("Bound", None)
    assert kept <= gitops.run_directories()

    gitops.hand_over_to_flux()
    gitops.let_the_operator_start()
    assert gitops.flux.said_of(OPERATOR, gitops.push("Bring it back"))["status"] == "True"


def test_nothing_drifts_by_what_the_operator_does(gitops: FluxWorld):
    before = set_by("kustomize-controller", gitops.checks.get(HERE))
    gitops.flux.reconcile("Kustomization", SITES)
    assert set_by("kustomize-controller", gitops.checks.get(HERE)) == before


class TestWhatPeopleDoBesideGit:
    def annotate(self, gitops: FluxWorld, *options: str) -> None:
        command = ("annotate", "sitecheck", RWTH, "-n", NAMESPACE, "--overwrite", *options)
        gitops.plane.kubectl(*command, "consistency.dynamo.io/approve=29412180")

    def patch(self, gitops: FluxWorld, spec: str, *options: str) -> None:
        command = ("patch", "sitecheck", RWTH, "-n", NAMESPACE, "--type=merge", "-p", f'{{"spec": {{{spec}}}}}')
        gitops.plane.kubectl(*command, *options)

    def after(self, gitops: FluxWorld) -> Object:
        """The check when Flux has looked again."""
        gitops.flux.reconcile("Kustomization", SITES)
        return gitops.checks.get(RWTH)

    @pytest.mark.parametrize("options", [(), ("--field-manager=kubectl-edit",)], ids=["annotate", "edit"])
    def test_an_annotation_by_kubectl_is_taken_back(self, gitops: FluxWorld, options):
        self.annotate(gitops, *options)
        assert "consistency.dynamo.io/approve" not in self.after(gitops)["metadata"].get("annotations", {})

    def test_an_annotation_by_somebody_with_a_name_stays(self, gitops: FluxWorld):
        self.annotate(gitops, "--field-manager=somebody")
        after = self.after(gitops)
        gitops.plane.kubectl("annotate", "sitecheck", RWTH, "-n", NAMESPACE, "consistency.dynamo.io/approve-")
        assert after["metadata"]["annotations"]["consistency.dynamo.io/approve"] == "29412180"

    @pytest.mark.parametrize("options", [(), ("--field-manager=somebody",)], ids=["by kubectl", "with a name"])
    def test_a_field_that_git_has_is_taken_back_from_everybody(self, gitops: FluxWorld, options):
        self.patch(gitops, '"schedule": "@daily"', *options)
        assert self.after(gitops)["spec"]["schedule"] == "0 3 * * 0"

    def test_a_field_that_git_does_not_have_stays_where_somebody_has_a_name(self, gitops: FluxWorld):
        self.patch(gitops, '"suspend": true')
        assert self.after(gitops)["spec"]["suspend"] is False
        self.patch(gitops, '"suspend": true', "--field-manager=somebody")
        after = self.after(gitops)
        self.patch(gitops, '"suspend": null', "--field-manager=somebody")
        assert after["spec"]["suspend"] is True
