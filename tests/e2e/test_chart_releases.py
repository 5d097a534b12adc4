"""The chart from a registry: installed, upgraded, rolled back and uninstalled by a real helm, typed as on its page."""

import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import console
import pytest
import yaml
from cluster import images, real_node
from cluster.api import CRD, ApiError, path_of
from cluster.control_plane import ControlPlane, running
from cluster.processes import WITH_US, free_port, wait_until
from cluster.programs import program
from cluster.run import LOGS
from consistency_operator.manifests import JobRun, build_job
from consistency_operator.settings import read_settings
from container_node import node_with_containers
from deployment import CLAIM, ROOT
from fences import of_language
from go_tools import go_tool
from helm_program import CHART, helm, template

from dynamo_consistency.checkfile import read_check

PAGE = "docs/how-to/install.md"
NAMESPACE, OPERATOR = "consistency", "consistency-operator"
COLUMN = {"name": "New", "type": "string", "jsonPath": ".spec.backend"}
WITH_PODS = ("helm test", "kubectl -n consistency rollout")

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def cluster() -> Iterator[ControlPlane]:
    """A cluster of its own that does not know our kind; with a node where containers can run."""
    if has_pods():
        with node_with_containers("chart") as node:
            yield node.plane
    else:
        with running(LOGS / "chart") as plane:
            yield plane


def has_pods() -> bool:
    return not real_node.missing() and images.FOLDER in os.environ


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry for charts; its address."""
    program_file = go_tool("registry")
    place = tmp_path_factory.mktemp("registry")
    address = f"127.0.0.1:{free_port()}"
    config = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(place)}},
        "http": {"addr": address},
        "log": {"level": "error"},
    }
    (place / "config.yml").write_text(yaml.safe_dump(config))
    with (place / "log").open("wb") as log:
        process = subprocess.Popen([*WITH_US, program_file, "serve", str(place / "config.yml")], stdout=log, stderr=log)
    try:
        wait_until("the registry answers", lambda: urllib.request.urlopen(f"http://{address}/v2/"))
        yield address
    finally:
        process.kill()
        process.wait()


class Shell:
    """Types commands of the page: with our registry, and the image that the node has."""

    def __init__(self, cluster: ControlPlane, registry: str, folder: Path) -> None:
        self.registry, self.folder = registry, folder
        places = {f"HELM_{kind}_HOME": str(folder / kind) for kind in ("CACHE", "CONFIG", "DATA")}
        path = f"{Path(program('kubectl')).parent}:{os.environ['PATH']}:{Path(go_tool('helm')).parent}"
        self.env = {"KUBECONFIG": str(cluster.kubeconfig), "PATH": path, **places}
        (folder / "deploy").symlink_to(ROOT / "deploy")

    def type(self, command: str) -> str:
        ours = command.replace("registry.example.org/team/dynamo-consistency", "localhost/dynamo-consistency")
        ours = re.sub(r"image\.tag=\S+", "image.tag=dev", ours)
        ours = ours.replace("oci://registry.example.org", f"--plain-http oci://{self.registry}")
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", ours],
            cwd=self.folder,
            env=os.environ | self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{ours}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def shell(cluster: ControlPlane, registry: str, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    helm("version")
    return Shell(cluster, registry, tmp_path_factory.mktemp("clone"))


def commands() -> tuple[list[str], list[str]]:
    """The page's, to install and to upgrade."""
    blocks = [block for block in of_language(PAGE, "console") if block.section == "With Helm"]
    first, second = ([typed.command for typed in console.commands(block)] for block in blocks)
    return first, second


@pytest.fixture(scope="module")
def installed(shell: Shell) -> str:
    """What the page says for a first installation has been typed; what was answered."""
    return "\n".join(shell.type(line) for line in commands()[0] if has_pods() or not line.startswith(WITH_PODS))


def container(cluster: ControlPlane) -> dict[str, Any]:
    found = cluster.api.get(path_of("Deployment", NAMESPACE, OPERATOR))["spec"]["template"]["spec"]["containers"][0]
    assert isinstance(found, dict)
    return found


def columns(cluster: ControlPlane) -> list[str]:
    return [column["name"] for column in cluster.api.get(CRD)["spec"]["versions"][0]["additionalPrinterColumns"]]


def test_the_page_installs_the_operator_from_a_registry(cluster: ControlPlane, installed: str) -> None:
    assert container(cluster)["image"] == "localhost/dynamo-consistency:dev"
    assert "kubectl create secret generic consistency-backends -n consistency" in installed
    assert cluster.api.get(CRD)["spec"]["names"]["kind"] == "SiteConsistencyCheck"
    if has_pods():
        assert re.search(r"Phase:\s+Succeeded", installed), installed


def test_a_second_operator_in_the_namespace_is_refused(shell: Shell, installed: str) -> None:
    with pytest.raises(AssertionError, match="exists and cannot be imported into the current release"):
        shell.type("helm install second deploy/chart --namespace consistency --skip-crds")


@pytest.fixture(scope="module")
def upgraded(cluster: ControlPlane, shell: Shell, installed: str) -> str:
    """A newer chart, with a definition that has changed, has been pushed and taken as the page says."""
    newer = shell.folder / "newer"
    shutil.copytree(CHART, newer)
    (crd,) = (newer / "crds").glob("*.yaml")
    content = yaml.safe_load(crd.read_text())
    content["spec"]["versions"][0]["additionalPrinterColumns"].append(COLUMN)
    crd.write_text(yaml.safe_dump(content))
    values = (newer / "values.yaml").read_text()
    (newer / "values.yaml").write_text(values.replace("maxConcurrentRuns: null", "maxConcurrentRuns: 7"))
    definition, upgrade = commands()[1]
    (version,) = re.findall(r"--version (\S+)", upgrade)
    shell.type(f"helm package newer --version {version}")
    shell.type(f"helm push dynamo-consistency-{version}.tgz oci://registry.example.org/charts")
    said = shell.type(definition)
    assert "serverside-applied" in said
    return shell.type(upgrade)


def test_an_upgrade_takes_the_new_definition_and_keeps_what_was_chosen(cluster: ControlPlane, upgraded: str) -> None:
    assert COLUMN["name"] in columns(cluster)
    env = {entry["name"]: entry.get("value") for entry in container(cluster)["env"]}
    assert env["CONSISTENCY_MAX_CONCURRENT_RUNS"] == "7"
    assert env["CONSISTENCY_IMAGE"] == container(cluster)["image"] == "localhost/dynamo-consistency:dev"


def test_a_rollback_brings_the_operator_back_and_leaves_the_definition(
    cluster: ControlPlane, shell: Shell, upgraded: str
) -> None:
    shell.type("helm rollback consistency 1 -n consistency")
    assert "CONSISTENCY_MAX_CONCURRENT_RUNS" not in [entry["name"] for entry in container(cluster)["env"]]
    assert COLUMN["name"] in columns(cluster)


RANGE = {
    # What OpenShift's restricted-v2 says of a namespace with the range 1000680000/10000: no other uids and groups.
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": "restricted-v2"},
    "spec": {
        "matchConstraints": {
            "resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}
            ],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "range"}},
        },
        "validations": [
            {
                "expression": "([object.spec.?securityContext.?runAsUser, object.spec.?securityContext.?fsGroup]"
                " + object.spec.containers.map(one, one.?securityContext.?runAsUser))"
                ".all(id, id.orValue(1000680000) >= 1000680000 && id.orValue(1000680000) < 1000690000)",
                "message": "must be in the ranges: [1000680000, 1000689999]",
            }
        ],
    },
}
BINDING = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicyBinding",
    "metadata": {"name": "restricted-v2"},
    "spec": {"policyName": "restricted-v2", "validationActions": ["Deny"]},
}


@pytest.fixture(scope="module")
def refusals(cluster: ControlPlane) -> Callable[..., list[str]]:
    """What a namespace with a range of uids, as on OpenShift, says against the chart's pods with these values."""
    cluster.namespace("range")
    account = {"apiVersion": "v1", "kind": "ServiceAccount"}
    for name in (OPERATOR, "consistency-web", "consistency-worker"):
        cluster.api.create(account | {"metadata": {"name": name}}, "range")
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([RANGE, BINDING]))

    def refused(*values: str) -> list[str]:
        objects = yaml.safe_load_all(template("--set=web.enabled=true", *(f"--set={value}" for value in values)))
        pods = [one.get("spec", {}).get("template") or one for one in objects if one["kind"] in ("Deployment", "Pod")]
        (operator,) = [pod["spec"] for pod in pods if pod["spec"].get("serviceAccountName") == OPERATOR]
        specs = [*(pod["spec"] for pod in pods), _worker(operator["containers"][0]["env"])]
        return [refusal for spec in specs if (refusal := _refusal(cluster, spec))]

    wait_until("the policy holds", refused)
    return refused


def _worker(environment: list[dict[str, str]]) -> dict[str, Any]:
    """The pod of a snapshot, as an operator with these settings makes it."""
    settings = read_settings({entry["name"]: entry["value"] for entry in environment if "value" in entry})
    check = read_check(ROOT / "examples/gitops/sites/t2-us-mit.yaml")
    owner = SimpleNamespace(namespace="range", name="t2-us-mit", uid="1")
    spec = build_job("Snapshot", owner, JobRun("1", check, 60), settings)["spec"]["template"]["spec"]
    assert isinstance(spec, dict)
    return spec


def _refusal(cluster: ControlPlane, spec: dict[str, Any]) -> str:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "any"}, "spec": spec}
    try:
        cluster.api.request("POST", f"{path_of('Pod', 'range')}?dryRun=All", pod)
    except ApiError as error:
        return str(error)
    return ""


def test_where_a_namespace_has_its_uids_the_pods_are_let_in(refusals: Callable[..., list[str]]) -> None:
    """Of operator, pages, the chart's test, and a worker."""
    assert len(refusals()) == 4
    assert all("must be in the ranges" in refusal for refusal in refusals())
    assert refusals("openshift=true") == []
    no_user = ("podSecurityContext.runAsUser=null", "podSecurityContext.runAsGroup=null")
    assert len(refusals(*no_user)) == 1
    assert refusals(*no_user, "workerUser=null") == []


def test_what_is_uninstalled_leaves_checks_and_run_directories(
    cluster: ControlPlane, shell: Shell, upgraded: str
) -> None:
    shell.type("helm uninstall consistency -n consistency")
    with pytest.raises(ApiError):
        cluster.api.get(path_of("Deployment", NAMESPACE, OPERATOR))
    assert cluster.api.get(CRD)
    assert cluster.api.get(path_of("PersistentVolumeClaim", NAMESPACE, CLAIM))


def test_an_installation_by_kustomize_is_taken_over(cluster: ControlPlane, shell: Shell) -> None:
    """The last one: nothing is installed any more."""
    shell.type(f"kubectl apply --server-side --force-conflicts -k {ROOT / 'deploy'}")
    before = cluster.api.get(path_of("Deployment", NAMESPACE, OPERATOR))["metadata"]["uid"]
    shell.type("helm install consistency deploy/chart --namespace consistency --take-ownership")
    after = cluster.api.get(path_of("Deployment", NAMESPACE, OPERATOR))["metadata"]
    assert after["uid"] == before
    assert after["labels"]["app.kubernetes.io/managed-by"] == "Helm"
    shell.type("helm uninstall consistency -n consistency")
