"""Argo CD keeps the sites of a Git repository: what it applies, waits for, refuses, takes away and takes back."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from argo_world import ArgoWorld
from cluster.api import CRD, Object, path_of
from cluster.processes import wait_until
from deployment import CLAIM
from gitops_world import HERE, MIT, NO_SCHEDULE, OPERATOR, OTHER_SCHEDULE, REFUSED_EDITS, RWTH, SITES, set_by
from operator_process import NAMESPACE

CHECK = "SiteConsistencyCheck"


@pytest.fixture(scope="module")
def world(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArgoWorld]:
    """All is applied by Argo CD, from git; nothing else is in the cluster."""
    with ArgoWorld.brought_up(f"{worker_id}-argo-cd", tmp_path_factory.mktemp("gitops")) as world:
        yield world


@pytest.fixture
def gitops(world: ArgoWorld) -> Iterator[ArgoWorld]:
    """All is well, a run has ended and none goes on; git and node are put back when the test ends."""
    world.argo.reaches(SITES, "Healthy")
    world.checks.wait_for(HERE, "a run has ended", lambda now: now.get("history") and "run" not in now)
    yield world
    world.node.hold(lambda _: False)
    if world.undo():
        commit = world.push("Put all back")
        for name in (OPERATOR, SITES):
            world.argo.synced(name, commit)


def test_the_sites_are_tried_again_until_the_operator_has_brought_their_kind(world: ArgoWorld):
    without, before = world.without_the_operator, world.before_the_operator[SITES]
    assert without["phase"] == "Running"
    assert CHECK in without["message"]
    assert before["history"][0]["deployStartedAt"] == without["startedAt"]


def test_the_sites_progress_until_the_operator_has_seen_them(world: ArgoWorld):
    assert {one["health"]["status"] for one in world.before_the_operator[SITES]["resources"]} == {"Progressing"}
    for name in (HERE, RWTH, MIT):
        assert world.resource(SITES, CHECK, name)["health"]["status"] == "Healthy"
        assert world.checks.get(name)["status"]["observedGeneration"] == 1


def test_the_operator_progresses_until_a_run_has_bound_the_claim(world: ArgoWorld):
    before = world.before_the_operator[OPERATOR]["resources"]
    assert [one["health"]["status"] for one in before if one["name"] == CLAIM] == ["Progressing"]
    assert world.argo.health(OPERATOR) == "Healthy"


def test_an_edit_reaches_its_check_alone(gitops: ArgoWorld):
    before = {name: gitops.checks.get(name) for name in (RWTH, MIT)}
    gitops.edit(MIT, *OTHER_SCHEDULE)
    gitops.argo.synced(SITES, gitops.push("Check MIT every month"))
    generation = before[MIT]["metadata"]["generation"] + 1
    gitops.checks.wait_for(MIT, "the edit is seen", lambda now: now["observedGeneration"] == generation)
    gitops.argo.reaches(SITES, "Healthy")
    assert gitops.checks.get(MIT)["spec"]["schedule"] == "@monthly"
    assert gitops.checks.get(RWTH)["metadata"] == before[RWTH]["metadata"]


def test_a_field_that_leaves_git_falls_back_to_its_default(gitops: ArgoWorld):
    assert gitops.checks.get(RWTH)["spec"]["policy"]["missing"]["mode"] == "Enforce"
    gitops.edit(RWTH, "    missing: {mode: Enforce}\n", "")
    gitops.argo.synced(SITES, gitops.push("Only report what RWTH lacks"))
    assert gitops.checks.get(RWTH)["spec"]["policy"]["missing"]["mode"] == "Report"


def test_it_is_healthy_while_a_run_lasts_and_edits_go_on(gitops: ArgoWorld):
    runs = len(gitops.checks.status(HERE)["history"])
    gitops.node.hold(lambda pod: pod["metadata"]["labels"].get("consistency.dynamo.io/stage") == "Listing")
    gitops.write(HERE, gitops.here(trigger="a long one"))
    gitops.argo.synced(SITES, gitops.push("Run once more"))
    run = gitops.checks.reaches(HERE, "Listing")
    gitops.argo.reaches(SITES, "Healthy")
    gitops.edit(MIT, *OTHER_SCHEDULE)
    gitops.argo.synced(SITES, gitops.push("Check MIT every month"))
    gitops.argo.reaches(SITES, "Healthy")
    assert gitops.checks.status(HERE)["run"]["id"] == run["id"]

    gitops.node.hold(lambda _: False)
    ended = gitops.checks.finished(HERE, runs + 1)
    assert (ended["id"], ended["result"], ended["counts"]["missing"]) == (run["id"], "Complete", 1)


@pytest.mark.parametrize(("edit", "complaint"), REFUSED_EDITS.values(), ids=REFUSED_EDITS)
def test_an_edit_that_the_api_server_refuses_is_named_and_nothing_is_applied(gitops: ArgoWorld, edit, complaint):
    before = {name: gitops.checks.get(name)["metadata"] for name in (HERE, RWTH, MIT)}
    last = gitops.argo.status(SITES)["operationState"]
    gitops.edit(RWTH, *edit)
    gitops.edit(MIT, *OTHER_SCHEDULE)
    said = gitops.argo.incomparable(SITES, gitops.push("Break RWTH, and mean well with MIT"))
    assert RWTH in said
    assert complaint in said
    assert before == {name: gitops.checks.get(name)["metadata"] for name in (HERE, RWTH, MIT)}
    assert gitops.argo.status(SITES)["operationState"] == last


def test_a_new_site_that_the_api_server_refuses_is_named_and_the_others_are_applied(gitops: ArgoWorld):
    new = gitops.here("never", site="T2_XX_New", schedule="now and then") | {"metadata": {"name": "t2-xx-new"}}
    gitops.write("t2-xx-new", new)
    gitops.list_sites(HERE, RWTH, MIT, "t2-xx-new")
    gitops.edit(MIT, *OTHER_SCHEDULE)
    broken = gitops.argo.failed(SITES, gitops.push("Add a site as the definition does not have it"))
    (refused,) = [one for one in broken["syncResult"]["resources"] if one["status"] == "SyncFailed"]
    assert (refused["kind"], refused["name"]) == (CHECK, "t2-xx-new")
    assert "spec.schedule" in refused["message"]
    assert gitops.checks.get(MIT)["spec"]["schedule"] == "@monthly"

    gitops.list_sites(HERE, RWTH, MIT)
    mended = gitops.argo.synced(SITES, gitops.push("Leave it out"))
    assert mended["operationState"]["startedAt"] == broken["startedAt"]


def test_what_the_operator_refuses_is_applied_and_degraded(gitops: ArgoWorld):
    gitops.edit(RWTH, *NO_SCHEDULE)
    gitops.edit(MIT, *OTHER_SCHEDULE)
    gitops.argo.synced(SITES, gitops.push("Check RWTH from Friday to Monday, as cron does not say it"))
    gitops.argo.reaches(SITES, "Degraded")
    stalled = gitops.checks.condition(RWTH, "Stalled")
    health = gitops.resource(SITES, CHECK, RWTH)["health"]
    assert (health["status"], health["message"]) == ("Degraded", stalled["message"])
    assert gitops.resource(SITES, CHECK, HERE)["health"]["status"] == "Healthy"
    assert gitops.checks.get(MIT)["spec"]["schedule"] == "@monthly"


def test_a_suspended_site_is_suspended(gitops: ArgoWorld):
    gitops.edit(MIT, OTHER_SCHEDULE[0], OTHER_SCHEDULE[0] + "\n  suspend: true")
    gitops.argo.synced(SITES, gitops.push("Leave MIT alone"))
    gitops.argo.reaches(SITES, "Suspended")
    assert gitops.resource(SITES, CHECK, MIT)["health"]["status"] == "Suspended"
    assert gitops.resource(SITES, CHECK, RWTH)["health"]["status"] == "Healthy"


def test_a_site_that_leaves_git_leaves_the_cluster_but_not_its_runs(gitops: ArgoWorld):
    assert gitops.checks.jobs(HERE)
    kept = gitops.run_directories()
    gitops.list_sites(RWTH, MIT)
    gitops.argo.synced(SITES, gitops.push("Leave our site alone"))
    wait_until("the check is gone", lambda: gitops.plane.api.find(gitops.checks.path(HERE)) is None)
    wait_until("its Jobs are gone", lambda: gitops.checks.jobs(HERE) == [], 90)
    assert kept <= gitops.run_directories()
    assert gitops.checks.get(RWTH)["metadata"].get("deletionTimestamp") is None


class TestChecksAndRunsOutlive:
    """Whatever is done to the operator's application, and by mistake to what git has of it."""

    @pytest.fixture(autouse=True)
    def same_as_before(self, gitops: ArgoWorld) -> Iterator[None]:
        claim = path_of("PersistentVolumeClaim", NAMESPACE, CLAIM)
        lasting = (CRD, path_of("Namespace", name=NAMESPACE), claim, gitops.checks.path(RWTH))
        kept, before = gitops.run_directories(), [gitops.plane.api.get(path)["metadata"]["uid"] for path in lasting]
        yield
        after = [gitops.plane.api.get(path)["metadata"] for path in lasting]
        assert [one["uid"] for one in after if "deletionTimestamp" not in one] == before
        assert kept <= gitops.run_directories()

    def test_an_application_that_kubectl_deletes(self, gitops: ArgoWorld):
        gitops.delete_application(OPERATOR, everything=False)
        assert gitops.plane.api.get(path_of("Deployment", NAMESPACE, OPERATOR))["status"]["readyReplicas"] == 1
        gitops.hand_over_to_argo(OPERATOR)
        gitops.argo.synced(OPERATOR, gitops.push("Go on"))

    def test_an_application_that_is_deleted_with_all_that_it_has_brought(self, gitops: ArgoWorld):
        gitops.hold_the_operator()
        gitops.delete_application(OPERATOR, everything=True)
        assert gitops.plane.api.find(path_of("Deployment", NAMESPACE, OPERATOR)) is None
        gitops.hand_over_to_argo(OPERATOR)
        gitops.let_the_operator_start()
        gitops.argo.synced(OPERATOR, gitops.push("Bring it back"))
        gitops.argo.reaches(OPERATOR, "Healthy")

    def test_a_commit_that_no_longer_has_them(self, gitops: ArgoWorld):
        gitops.leave_out_of_the_operator("PersistentVolumeClaim", "Namespace", "CustomResourceDefinition")
        commit = gitops.push("Forget where the runs are")
        done = gitops.argo.applied(OPERATOR, commit)
        skipped = {one["kind"] for one in done["syncResult"]["resources"] if one["status"] == "PruneSkipped"}
        assert skipped == {"PersistentVolumeClaim", "Namespace"}  # definitions are not tracked, and so not pruned


def test_nothing_drifts_by_what_the_operator_does(gitops: ArgoWorld):
    before, last = set_by("argocd-controller", gitops.checks.get(HERE)), gitops.argo.status(SITES)["operationState"]
    gitops.argo.refresh(SITES)
    assert gitops.argo.status(SITES)["sync"]["status"] == "Synced"
    assert gitops.argo.status(SITES)["operationState"] == last
    assert set_by("argocd-controller", gitops.checks.get(HERE)) == before


class TestWhatPeopleDoBesideGit:
    def kubectl(self, gitops: ArgoWorld, verb: str, *options: str) -> None:
        gitops.plane.kubectl(verb, "sitecheck", RWTH, "-n", NAMESPACE, *options)

    def patch(self, gitops: ArgoWorld, spec: str, *options: str) -> None:
        self.kubectl(gitops, "patch", "--type=merge", "-p", f'{{"spec": {{{spec}}}}}', *options)

    def after(self, gitops: ArgoWorld) -> Object:
        """The check when Argo CD has looked again, and has applied a commit."""
        gitops.argo.refresh(SITES)
        gitops.edit(MIT, *OTHER_SCHEDULE)
        gitops.argo.synced(SITES, gitops.push("Check MIT every month"))
        return gitops.checks.get(RWTH)

    @pytest.mark.parametrize("options", [(), ("--field-manager=somebody",)], ids=["by kubectl", "with a name"])
    def test_an_annotation_stays(self, gitops: ArgoWorld, options):
        self.kubectl(gitops, "annotate", "consistency.dynamo.io/approve=29412180", *options)
        after = self.after(gitops)
        self.kubectl(gitops, "annotate", "consistency.dynamo.io/approve-")
        assert after["metadata"]["annotations"]["consistency.dynamo.io/approve"] == "29412180"

    def test_a_field_that_git_does_not_have_stays(self, gitops: ArgoWorld):
        self.patch(gitops, '"suspend": true')
        after = self.after(gitops)
        gitops.argo.reaches(SITES, "Suspended")
        self.patch(gitops, '"suspend": null')
        assert after["spec"]["suspend"] is True

    def apply(self, gitops: ArgoWorld, **spec: Any) -> None:
        check = yaml.safe_load((gitops.sites / f"{RWTH}.yaml").read_text())
        check["spec"] |= spec
        gitops.plane.kubectl("apply", "-n", NAMESPACE, "-f", "-", stdin=yaml.safe_dump(check))

    def test_what_is_applied_is_taken_back_when_the_check_is_applied_again(self, gitops: ArgoWorld):
        self.apply(gitops, suspend=True)
        assert self.after(gitops)["spec"]["suspend"] is False
        self.apply(gitops, schedule="@daily")
        self.schedule_is_taken_back(gitops)

    @pytest.mark.parametrize("options", [(), ("--field-manager=somebody",)], ids=["by kubectl", "with a name"])
    def test_a_field_that_git_has_is_taken_back(self, gitops: ArgoWorld, options):
        self.patch(gitops, '"schedule": "@daily"', *options)
        self.schedule_is_taken_back(gitops)

    def schedule_is_taken_back(self, gitops: ArgoWorld) -> None:
        gitops.argo.refresh(SITES)
        wait_until("it is taken back", lambda: gitops.checks.get(RWTH)["spec"]["schedule"] == "0 3 * * 0", 90)
