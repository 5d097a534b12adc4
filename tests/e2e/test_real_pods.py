"""The demo of deploy/ in containers of a real node: what only a kernel and a kubelet can do to operator and workers."""

import signal
from collections.abc import Iterator

import pytest
from checks import Checks
from cluster.control_plane import ControlPlane
from cluster.played_node import PlayedNode
from cluster.processes import wait_until
from cluster.real_node import RealNode
from cluster.volumes import provide_volume
from container_node import node_with_containers
from deployment import CLAIM, wait_until_served

NAMESPACE = "consistency-demo"
OPERATOR = "app.kubernetes.io/component=operator"

pytestmark = pytest.mark.timeout(600)


class Cluster:
    """A node that runs containers; a played one beside it keeps the cluster from believing that all nodes are lost."""

    def __init__(self, plane: ControlPlane, node: RealNode) -> None:
        self.plane, self.node = plane, node
        self.checks = Checks(plane.api, NAMESPACE, patience=240)

    def install_demo(self) -> None:
        provide_volume(self.plane.api, self.plane.folder / "data", NAMESPACE, CLAIM, node=self.node.name)
        self.plane.kubectl("apply", "-k", "crds")
        wait_until_served(self.plane)
        self.plane.kubectl("apply", "-k", "deploy/overlays/demo")
        self.kubectl("patch", "sitecheck", "t2-xx-demo", "--type=merge", "--patch", '{"spec": {"suspend": true}}')
        self.kubectl("wait", "--for=condition=Complete", "job/inventory", "--timeout=180s")
        self.kubectl("wait", "--for=condition=Available", "deployments", "--all", "--timeout=120s")

    def kubectl(self, *arguments: str, exit_code: int | None = 0) -> str:
        return self.plane.kubectl("--namespace", NAMESPACE, *arguments, exit_code=exit_code)

    def check(self, name: str, listing: dict | None = None, pods: dict | None = None) -> None:
        """One like the demo's, run at once."""
        spec = self.checks.get("t2-xx-demo")["spec"]
        self.checks.apply(
            {
                "apiVersion": "consistency.dynamo.io/v1alpha1",
                "kind": "SiteConsistencyCheck",
                "metadata": {"name": name},
                "spec": {
                    "site": spec["site"],
                    "listing": {**spec["listing"], **(listing or {})},
                    "podTemplate": {"spec": pods or {}},
                    "trigger": {"manual": "now"},
                },
            }
        )

    def operator_pod(self) -> str:
        return self.kubectl("get", "pods", "-l", OPERATOR, "-o", "jsonpath={.items[0].metadata.name}")

    def state(self) -> str:
        looks = [
            ("get", "all,sitechecks,pvc", "-o", "wide"),
            ("get", "events"),
            ("logs", "-l", OPERATOR, "--tail=50", INSECURE),
        ]
        return "\n".join(self.kubectl(*look, exit_code=None) for look in looks)


INSECURE = "--insecure-skip-tls-verify-backend"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with node_with_containers("real-pods") as node, PlayedNode(node.plane, "keeper", pool="nobody"):
        cluster = Cluster(node.plane, node)
        cluster.install_demo()
        yield cluster
        print(cluster.state())


def test_operator_and_workers_are_confined(cluster: Cluster):
    pod = cluster.operator_pod()
    status = cluster.kubectl("exec", pod, "--", "grep", "-E", "^(Uid|CapEff|NoNewPrivs|Seccomp):", "/proc/1/status")
    assert status.split() == [
        *("Uid:", "10001", "10001", "10001", "10001", "CapEff:", "0000000000000000"),
        *("NoNewPrivs:", "1", "Seccomp:", "2"),
    ]
    refused = cluster.kubectl("exec", pod, "--", "touch", "/opt/x", exit_code=1)
    assert "Read-only file system" in refused


@pytest.mark.parametrize("how", ["killed", "deleted"])
def test_an_operator_pod_that_goes_in_the_middle_of_a_run_comes_back_to_it(cluster: Cluster, how):
    cluster.check(f"pod-{how}", listing={"maxRequestsPerSecond": 3})
    run = cluster.checks.reaches(f"pod-{how}", "Listing")
    pod = cluster.operator_pod()
    if how == "killed":
        (container,) = cluster.plane.api.get(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}")["status"][
            "containerStatuses"
        ]
        cluster.node.ctr("tasks", "kill", "--signal", "SIGKILL", container["containerID"].removeprefix("containerd://"))
    else:
        cluster.kubectl("delete", "pod", pod)
    ended = cluster.checks.finished(f"pod-{how}")
    assert (ended["id"], ended["result"], ended["counts"]["missing"]) == (run["id"], "Complete", 3)
    assert len(cluster.checks.jobs(f"pod-{how}")) == 3, "snapshot, listing and comparison, once each"


def test_the_kernel_ends_a_worker_beyond_its_limit_and_the_status_says_what_to_raise(cluster: Cluster):
    limits = {"requests": {"memory": "24Mi"}, "limits": {"memory": "24Mi"}}
    cluster.check("small", pods={"containers": [{"name": "worker", "resources": limits}]})
    ended = cluster.checks.finished("small")
    assert (ended["result"], ended["reason"]) == ("Failed", "SnapshotFailed")
    assert "needed more memory than its limit of 24Mi" in ended["message"]


def test_an_image_that_cannot_be_had_is_said_while_the_run_waits_for_it(cluster: Cluster):
    image = "localhost/there-is-no-such-image:1"
    cluster.check("imageless", pods={"containers": [{"name": "worker", "image": image, "imagePullPolicy": "Never"}]})
    status = cluster.checks.wait_for(
        "imageless", "the image is missed", lambda now: image in now.get("run", {}).get("message", "")
    )
    assert "cannot start" in status["run"]["message"]
    cluster.checks.delete("imageless")


def test_a_kubelet_that_falls_silent_in_a_listing_costs_nothing(cluster: Cluster):
    """The containers run on; the cluster gives them up, and starts no second writer of the same shard."""
    gone = [
        {"key": f"node.kubernetes.io/{what}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 2}
        for what in ("unreachable", "not-ready")
    ]
    cluster.check("silent", listing={"maxRequestsPerSecond": 1}, pods={"tolerations": gone})
    cluster.checks.reaches("silent", "Listing")
    kubelet = cluster.plane.processes.running["kubelet"]
    wait_until("both shards run", lambda: len(shards(cluster, "Running")) == 2, 60)
    first = {pod["metadata"]["uid"] for pod in shards(cluster)}
    kubelet.send_signal(signal.SIGSTOP)
    try:
        wait_until("the cluster gives them up", lambda: all(map(is_disrupted, shards(cluster))), 60)
        assert {pod["metadata"]["uid"] for pod in shards(cluster)} == first, "a second writer"
    finally:
        kubelet.send_signal(signal.SIGCONT)
    ended = cluster.checks.finished("silent")
    assert (ended["result"], ended["counts"]["missing"]) == ("Complete", 3)


def shards(cluster: Cluster, phase: str = "") -> list[dict]:
    """The pods of the listing, in any phase or in this one."""
    pods = cluster.checks.pods("silent")
    listing = [pod for pod in pods if pod["metadata"]["labels"]["consistency.dynamo.io/stage"] == "Listing"]
    return [pod for pod in listing if pod["status"]["phase"].startswith(phase)]


def is_disrupted(pod: dict) -> bool:
    return any(one["type"] == "DisruptionTarget" for one in pod["status"].get("conditions", []))
