"""What clusters do to pods: memory that ends, nodes that fall silent, Jobs that are deleted by somebody."""

import full_quota
import pytest
from cluster.api import JSON_PATCH, path_of
from cluster.played_node import PlayedNode
from cluster.processes import wait_until

POOL = "faulty"
SHARD = "batch.kubernetes.io/job-completion-index"


def stage_of(pod) -> str:
    return pod["metadata"]["labels"].get("consistency.dynamo.io/stage", "")


@pytest.fixture
def operator(make_operator, backends, laboratory):
    operator = make_operator(backends(laboratory.backends))
    operator.start()
    return operator


def test_a_shard_that_needs_too_much_memory_fails_the_run_with_a_sentence_that_says_what_to_raise(
    checks, operator, laboratory, node
):
    node.doom(lambda pod: stage_of(pod) == "Listing" and pod["metadata"]["labels"][SHARD] == "1")
    checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
    run = checks.finished("lab")
    assert (run["result"], run["reason"]) == ("Failed", "ListingFailed")
    assert "shard 1 needed more memory than its limit of 512Mi" in run["message"]
    assert "spec.podTemplate" in run["message"]
    assert checks.condition("lab", "Ready")["status"] == "True", "the schedule goes on"
    wait_until("the event", lambda: "RunFailed" in checks.events("lab"))


def test_a_shard_that_may_fail_leaves_holes_and_the_run_goes_on(checks, operator, laboratory, node):
    node.doom(lambda pod: stage_of(pod) == "Listing" and pod["metadata"]["labels"][SHARD] == "1")
    check = laboratory.check("lab", trigger={"manual": "first"})
    check["spec"]["listing"]["maxFailedShards"] = 1
    checks.apply(check)
    run = checks.finished("lab")
    assert run["result"] in ("Complete", "Invalid"), run
    assert run["counts"]["holes"] >= 1, run
    assert run["counts"]["missing"] <= 2, "what nobody has listed is not missing"


def test_a_shard_that_runs_out_of_memory_once_is_tried_again(checks, operator, laboratory, node):
    doomed: set[str] = set()

    def first_try(pod) -> bool:
        if stage_of(pod) != "Listing" or doomed:
            return False
        doomed.add(pod["metadata"]["uid"])
        return True

    node.doom(first_try)
    checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
    run = checks.finished("lab")
    assert (run["result"], run["counts"]["missing"], run["counts"]["orphans"]) == ("Complete", 2, 3)
    assert doomed


@pytest.mark.parametrize("stage", ["Snapshot", "Listing", "Comparison"])
def test_a_job_that_somebody_deletes_ends_the_run_and_the_next_one_is_whole(checks, operator, laboratory, node, stage):
    node.hold(lambda pod: stage_of(pod) == stage)
    checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
    run = checks.reaches("lab", stage)
    name = f"lab-{run['id']}-{stage.lower()}"
    wait_until("its Job", lambda: name in [job["metadata"]["name"] for job in checks.jobs("lab")])
    checks.api.delete(path_of("Job", checks.namespace, name))
    ended = checks.finished("lab")
    assert (ended["result"], ended["reason"]) == ("Failed", "JobVanished")
    node.behave()
    checks.annotate("lab", requestedAt="again")
    assert checks.finished("lab", runs=2)["result"] == "Complete"


def test_a_deleted_check_takes_its_jobs_and_pods_with_it(checks, operator, laboratory, node):
    node.hold(lambda pod: stage_of(pod) == "Listing")
    checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
    checks.reaches("lab", "Listing")
    wait_until("pods of the listing", lambda: len(checks.pods("lab")) >= 2)
    assert f'obj_name="lab",obj_namespace="{checks.namespace}"' in operator.scrape()
    checks.delete("lab")
    wait_until("Jobs and pods are gone", lambda: not checks.jobs("lab") and not checks.pods("lab"), 60)
    wait_until("its metrics are gone", lambda: f'obj_namespace="{checks.namespace}"' not in operator.scrape())


def test_a_full_quota_holds_a_run_up_and_does_not_break_it(checks, operator, laboratory):
    full_quota.fill(checks)
    checks.apply(laboratory.check("lab", trigger={"manual": "first"}))
    run = checks.wait_for("lab", "the quota", lambda now: now.get("run", {}).get("waitsFor") == "JobRefused")["run"]
    assert "exceeded quota: full" in run["message"]
    wait_until("the event", lambda: "JobRefused" in checks.events("lab"))
    full_quota.free(checks)
    checks.api.patch(checks.path("lab"), {"spec": {"jitterSeconds": 1}})  # an edit is looked at at once
    assert checks.finished("lab")["result"] == "Complete"


@pytest.fixture
def faulty_node(plane, shared_node):
    """A node that can be lost, while another one keeps the cluster from believing that all of it is lost."""
    with PlayedNode(plane, "faulty-1", POOL) as node:
        yield node


def on_faulty_nodes(check):
    """Its pods run there only, and leave a silent node after two seconds rather than five minutes."""
    gone = [
        {"key": f"node.kubernetes.io/{what}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 2}
        for what in ("unreachable", "not-ready")
    ]
    here = {"key": "pool", "operator": "Equal", "value": POOL, "effect": "NoSchedule"}
    check["spec"]["podTemplate"] = {"spec": {"nodeSelector": {"pool": POOL}, "tolerations": [here, *gone]}}
    return check


def test_a_node_that_falls_silent_for_a_while_in_a_listing_costs_nothing(
    checks, operator, laboratory, faulty_node, plane
):
    """Its pods go on, and are told to leave; no second pod writes the same shard meanwhile."""
    _lose_in_listing(checks, laboratory, faulty_node)
    with PlayedNode(plane, "faulty-2", POOL) as other:
        laboratory.speak_again()
        wait_until(
            "its pods end by themselves", lambda: all(one.process.poll() is not None for one in running(faulty_node))
        )
        assert not other.running, "a second pod of a shard whose first may still be writing"
        faulty_node.find_again()
        run = checks.finished("lab")
        assert (run["result"], run["counts"]["missing"], run["counts"]["orphans"]) == ("Complete", 2, 3)


def test_a_node_that_never_comes_back_is_declared_so_and_its_shards_are_listed_elsewhere(
    checks, operator, laboratory, faulty_node, plane
):
    _lose_in_listing(checks, laboratory, faulty_node)
    with PlayedNode(plane, "faulty-2", POOL):
        laboratory.speak_again()
        taint = {"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}
        checks.api.patch(
            path_of("Node", name=faulty_node.name),
            [{"op": "add", "path": "/spec/taints/-", "value": taint}],
            JSON_PATCH,
        )
        run = checks.finished("lab")
    assert (run["result"], run["counts"]["missing"], run["counts"]["orphans"]) == ("Complete", 2, 3)


def running(node):
    return list(node.running.values())


def _lose_in_listing(checks, laboratory, node) -> None:
    """Both shards wait for a door that says nothing when their node falls silent; the cluster gives it up."""
    node.hold(lambda pod: stage_of(pod) == "Listing")
    checks.apply(on_faulty_nodes(laboratory.check("lab", trigger={"manual": "first"})))
    checks.reaches("lab", "Listing")
    laboratory.fall_silent()
    node.behave()
    wait_until("both shards run", lambda: sum(stage_of(one.container.pod) == "Listing" for one in running(node)) == 2)
    node.lose()
    wait_until("the cluster gives its pods up", lambda: sum(map(is_disrupted, checks.pods("lab"))) == 2, 60)


def is_disrupted(pod) -> bool:
    return any(one["type"] == "DisruptionTarget" for one in pod["status"].get("conditions", []))
