"""The image and deploy/ in real pods: the tutorial of the first site, typed as it stands, and what it leaves out."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import console
import pytest
import yaml
from cluster import images
from cluster.api import path_of
from cluster.control_plane import ControlPlane
from cluster.processes import free_port, wait_until
from cluster.programs import program
from cluster.volumes import provide_volume
from container_node import node_with_containers
from fences import of_language

ROOT = Path(__file__).parents[2]
TUTORIAL = "docs/tutorials/first-site.md"
NOT_HERE = ("tools/image/build", "podman")  # the node has the images already
WATCHING = "--watch"
INSTALL = "docs/how-to/install.md"
NAMESPACE, CLAIM, CHECK = "consistency-demo", "consistency-data", "t2-xx-demo"
WITH_PAGES = "consistency-pages"

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def cluster() -> Iterator[ControlPlane]:
    """A cluster of its own, of one node, as somebody has it who wants to look."""
    with node_with_containers("first-site") as node:
        for namespace in (NAMESPACE, WITH_PAGES):
            provide_volume(node.plane.api, node.plane.folder / namespace, namespace, CLAIM, node=node.name)
        yield node.plane


def commands() -> list[str]:
    """The demo's commands, in their order; those for one's own site are not among them."""
    blocks = [block for block in of_language(TUTORIAL, "console") if block.section == "The demo"]
    lines = [typed.command for block in blocks for typed in console.commands(block)]
    return [line for line in lines if not line.startswith(NOT_HERE) and WATCHING not in line]


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


IMPORTS = """
import botocore.session, consistency_operator, duckdb, dynamo_consistency, importlib, kopf, pkgutil, prometheus_client
import pyarrow.parquet, pymysql, s3fs, sqlalchemy, XRootD.client, aiohttp, zoneinfo
for package in (consistency_operator, dynamo_consistency):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name.rpartition(".")[2] not in ("__main__", "crd", "pod_schema"):  # the last two are for `make crd`
            importlib.import_module(module.name)
for driver in ("mysql+pymysql", "postgresql+psycopg", "sqlite"):
    sqlalchemy.create_engine(driver + "://")
botocore.session.get_session().create_client("s3", region_name="anywhere")
zoneinfo.ZoneInfo("Europe/Zurich")
import os, pathlib, shutil
assert os.getuid() == 10001
assert not [tool for tool in ("gcc", "cc", "ld", "make", "g++") if shutil.which(tool)]
try:
    pathlib.Path("/opt/consistency/new").touch()
except OSError:
    print("all is well")
"""


def test_the_image_has_every_lister_and_nothing_to_build_with(cluster: ControlPlane) -> None:
    archive = Path(os.environ[images.FOLDER], "image.tar")
    assert archive.stat().st_size <= 450_000_000
    pod = yaml.safe_load((ROOT / "examples/look.yaml").read_text())
    pod["metadata"]["name"] = "imports"
    pod["spec"]["containers"][0] |= {"command": ["python", "-c", IMPORTS], "volumeMounts": []}
    del pod["spec"]["volumes"]
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(pod))
    wait_until("the pod has ended", lambda: phase(cluster, "imports") in ("Succeeded", "Failed"), 60)
    assert cluster.kubectl("logs", "imports") == "all is well\n"


ASK = """
import json, time, urllib.request
def ask(path):
    asked = urllib.request.Request("http://consistency-web" + path, headers={"Host": "localhost"})
    return urllib.request.urlopen(asked, timeout=20).read().decode()
for _ in range(16):  # what is kept may be a minute old
    if json.loads(answer := ask("/api/v1/sites"))["rows"]:
        break
    time.sleep(5)
print(answer)
print(ask("/"))
"""


def test_the_pages_of_the_sites_are_served_with_what_the_resources_know(cluster: ControlPlane, tmp_path: Path) -> None:
    """The demo once more, then deploy/web-with-resources, asked by a pod as the one with the log-in would ask."""
    cluster.kubectl("apply", "-k", str(ROOT / "crds"))
    cluster.kubectl("create", "namespace", WITH_PAGES)
    apply(cluster, tmp_path, "overlays/demo")
    cluster.kubectl("annotate", "sitecheck", CHECK, "-n", WITH_PAGES, "consistency.dynamo.io/requestedAt=now")
    (run,) = wait_until("a run has ended", lambda: history(cluster, WITH_PAGES), 240)
    assert run["result"] == "Complete", (run, state(cluster, WITH_PAGES))
    apply(cluster, tmp_path, "web-with-resources")
    cluster.kubectl("rollout", "status", "deployment/consistency-web", "-n", WITH_PAGES, "--timeout=180s")
    pod = yaml.safe_load((ROOT / "examples/look.yaml").read_text())
    pod["metadata"] |= {"name": "asks", "labels": {"app.kubernetes.io/component": "web-proxy"}}
    pod["spec"]["containers"][0] |= {"command": ["python", "-c", ASK], "volumeMounts": []}
    del pod["spec"]["volumes"]
    cluster.kubectl("create", "-n", WITH_PAGES, "-f", "-", stdin=json.dumps(pod))
    wait_until("the pod has ended", lambda: phase(cluster, "asks", WITH_PAGES) in ("Succeeded", "Failed"), 180)
    answer, _, page = cluster.kubectl("logs", "asks", "-n", WITH_PAGES).partition("\n")
    sites = json.loads(answer)
    assert len(sites["rows"]) == 1, (sites["problems"], page[-3000:])
    (row,) = sites["rows"]
    assert (row["site"], row["check"]) == ("T2_XX_Demo", f"{WITH_PAGES}/{CHECK}")
    assert sites["problems"] == []  # the resources were read
    assert "T2_XX_Demo" in page


def apply(cluster: ControlPlane, folder: Path, name: str) -> None:
    """A folder of deploy/, in the namespace with the pages."""
    resources = [os.path.relpath(ROOT / "deploy" / name, folder)]
    (folder / "kustomization.yaml").write_text(yaml.safe_dump({"namespace": WITH_PAGES, "resources": resources}))
    cluster.kubectl("apply", "-k", str(folder))


def history(cluster: ControlPlane, namespace: str) -> list[Any]:
    check = cluster.api.get(path_of("SiteConsistencyCheck", namespace, CHECK))
    return check.get("status", {}).get("history", [])


def phase(cluster: ControlPlane, pod: str, namespace: str = "default") -> str:
    return cluster.kubectl("get", "pod", pod, "-n", namespace, "-o", "jsonpath={.status.phase}")


def test_with_an_object_store_no_volume_is_needed(cluster: ControlPlane, object_store: str, tmp_path: Path) -> None:
    """The demo once more: keys by podTemplate as docs/how-to/install.md says, and under deploy/job-policy."""
    namespace = "consistency-s3"
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_ENDPOINT_URL": object_store}
    (page,) = [block.text for block in of_language(INSTALL, "yaml") if block.text.startswith("spec:\n  podTemplate:")]
    no_volume = {"$patch": "delete", "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": CLAIM}}
    with_keys = {
        "apiVersion": "consistency.dynamo.io/v1alpha1",
        "kind": "SiteConsistencyCheck",
        "metadata": {"name": CHECK},
        "spec": yaml.safe_load(page)["spec"] | {"trigger": {"manual": "once"}, "schedule": None},
    }
    kustomization = {
        "namespace": namespace,
        "resources": [os.path.relpath(ROOT / "deploy" / name, tmp_path) for name in ("overlays/demo", "job-policy")],
        "patches": [
            {"patch": (ROOT / "deploy/overlays/s3/store.yaml").read_text()},
            {"patch": yaml.safe_dump(no_volume)},
            {"patch": yaml.safe_dump(with_keys), "target": {"kind": "SiteConsistencyCheck"}},
        ],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    cluster.kubectl("apply", "-k", str(ROOT / "crds"))
    cluster.kubectl("create", "namespace", namespace)
    cluster.kubectl("create", "secret", "generic", "consistency-store", "-n", namespace, *literals(keys))
    cluster.kubectl("apply", "-k", str(tmp_path))
    (run,) = wait_until("the run has ended", lambda: history(cluster, namespace), 240)
    assert run["result"] == "Complete", (run, state(cluster, namespace))
    assert run["counts"]["missing"] == 3
    with urllib.request.urlopen(f"{object_store}/consistency?prefix=runs/T2_XX_Demo/{run['id']}-") as listing:  # noqa: S310
        assert b"/summary.json" in listing.read()


@pytest.fixture
def object_store(cluster: ControlPlane) -> Iterator[str]:
    """An S3 server with the bucket of deploy/overlays/s3; its address as pods have it."""
    port = free_port()
    url = f"http://{cluster.ip}:{port}"
    server = subprocess.Popen(
        [Path(sys.executable).with_name("moto_server"), "-H", cluster.ip, "-p", str(port)], stderr=subprocess.DEVNULL
    )
    try:
        make = urllib.request.Request(f"{url}/consistency", method="PUT")  # noqa: S310 (our own)
        wait_until("there is a bucket", lambda: urllib.request.urlopen(make))  # noqa: S310
        yield url
    finally:
        server.kill()
        server.wait()


def literals(data: dict[str, str]) -> list[str]:
    return [f"--from-literal={name}={value}" for name, value in data.items()]


def state(cluster: ControlPlane, namespace: str = NAMESPACE) -> str:
    """What one would look at next."""
    looks = [
        ("get", "all,pvc"),
        ("describe", "sitechecks"),
        ("get", "events"),
        ("logs", "deployment/consistency-operator", "--previous"),
        ("logs", "deployment/consistency-operator"),
        ("logs", "job/inventory"),
    ]
    return "\n".join(cluster.kubectl(*look, "-n", namespace, exit_code=None) for look in looks)
