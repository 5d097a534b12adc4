"""docs/tutorials/first-site.md, typed as it stands: the demo in real pods, from nothing to the requests in MariaDB."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import real_node, sandbox
from cluster.control_plane import ControlPlane, running
from cluster.programs import program

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs/tutorials/first-site.md"
NOT_HERE = ("tools/image/build", "podman")  # the node has the images already
WATCHING = "--watch"
NAMESPACE = "consistency-demo"

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def cluster() -> Iterator[ControlPlane]:
    """A cluster of its own, of one node, as somebody has it who wants to look."""
    if reason := real_node.missing():
        pytest.skip(reason)
    with running(ROOT / ".pytest_cache/e2e-logs/first-site", str(sandbox.ip())) as plane:
        node = real_node.RealNode(plane)
        node.start()
        make_volume(plane, node.name)
        yield plane


def make_volume(plane: ControlPlane, node: str) -> None:
    """What a storage class does by itself in other clusters."""
    folder = plane.folder / "volume"
    folder.mkdir()
    only_here = [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": "demo"},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "claimRef": {"namespace": NAMESPACE, "name": "consistency-data"},
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": only_here}]}},
        },
    }
    plane.kubectl("create", "-f", "-", stdin=json.dumps(volume))


def commands() -> list[str]:
    """The demo's commands, in their order; those for one's own site are not among them."""
    demo = TUTORIAL.read_text().partition("## A site of yours")[0]
    blocks = re.findall(r"^```console\n(.*?)^```$", demo, re.MULTILINE | re.DOTALL)
    typed = [line for block in blocks for line in re.findall(r"^\$ ((?:.*\\\n)*.*)$", block, re.MULTILINE)]
    return [line for line in typed if not line.startswith(NOT_HERE) and WATCHING not in line]


def test_the_tutorial_does_what_it_says(cluster: ControlPlane) -> None:
    kubeconfig = cluster.write_kubeconfig(cluster.folder / "mine", cluster.admin_token)
    path = f"{Path(program('kubectl')).parent}:{os.environ['PATH']}"
    script = "set -e\n" + "".join(f"echo '$' {json.dumps(line)}\n{line}\n" for line in commands())
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env=os.environ | {"KUBECONFIG": str(kubeconfig), "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout
    assert done.returncode == 0, f"{said[-6000:]}\n{done.stderr}\n{state(cluster)}"
    assert '"missing":3' in said
    assert '"orphans":4' in said
    assert said.count("root://site//store/mc/Spring19/") == 9, said
    assert re.search(r"Via:\s+Annotation", said), said
    assert re.search(r"Manager:\s+me\b", said), said


def state(cluster: ControlPlane) -> str:
    """What one would look at next."""
    looks = [
        ("get", "all,pvc"),
        ("describe", "sitechecks"),
        ("get", "events"),
        ("logs", "deployment/consistency-operator", "--previous"),
        ("logs", "deployment/consistency-operator"),
        ("logs", "job/inventory"),
    ]
    return "\n".join(cluster.kubectl(*look, "-n", NAMESPACE, exit_code=None) for look in looks)
