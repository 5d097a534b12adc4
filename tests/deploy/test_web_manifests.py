"""What `deploy/web` installs: a pod that can read the run directories, and nothing else."""

import shlex

import pytest
from click.testing import CliRunner
from rendered_manifests import REPOSITORY, Manifest

from dynamo_consistency.cli.serve import serve

pytestmark = pytest.mark.timeout(600)  # kustomize may have to be built


@pytest.fixture
def objects(render) -> dict[str, Manifest]:
    """By kind; there is one of each."""
    found = render("deploy/web")
    assert len({manifest["kind"] for manifest in found}) == len(found)
    return {manifest["kind"]: manifest for manifest in found}


@pytest.fixture
def pod(objects) -> Manifest:
    return objects["Deployment"]["spec"]["template"]["spec"]


def test_it_has_no_rights_and_no_token(objects, pod):
    assert set(objects) == {"ServiceAccount", "Deployment", "Service", "NetworkPolicy"}
    assert pod["serviceAccountName"] == objects["ServiceAccount"]["metadata"]["name"]
    assert pod["automountServiceAccountToken"] is False
    assert objects["ServiceAccount"]["automountServiceAccountToken"] is False


def test_it_can_write_to_nothing_but_its_own_temporary_folder(pod):
    [container] = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["securityContext"]["runAsNonRoot"] is True
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    writable = [mount["name"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
    assert writable == ["tmp"]
    assert "emptyDir" in volumes["tmp"]
    assert volumes["data"]["persistentVolumeClaim"] == {"claimName": "consistency-data", "readOnly": True}


def test_it_is_reached_by_the_proxy_and_reaches_nobody(objects):
    policy = objects["NetworkPolicy"]["spec"]
    labels = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert policy.get("egress", []) == []
    [rule] = policy["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/component": "web-proxy"}}}]


def test_service_probes_and_policy_name_a_port_that_it_has(objects, pod):
    [container] = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    named = [port["targetPort"] for port in objects["Service"]["spec"]["ports"]]
    named += [container[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")]
    named += [port["port"] for port in objects["NetworkPolicy"]["spec"]["ingress"][0]["ports"]]
    assert set(named) == set(ports)
    assert f"--listen=0.0.0.0:{ports['http']}" in container["args"]


def test_the_command_takes_its_arguments(pod):
    [container] = pod["containers"]
    assert container["command"] == ["dynamo-consistency", "serve"]
    assert "--store=/data" in container["args"]
    done = CliRunner().invoke(serve, [*container["args"], "--help"])
    assert (done.exit_code, done.output.partition(" ")[0]) == (0, "Usage:"), shlex.join(container["args"])


def test_the_image_holds_what_it_needs():
    lock = (REPOSITORY / "requirements-image.lock").read_text()
    assert all(f"\n{package}==" in lock for package in ("starlette", "uvicorn", "prometheus-client"))


def test_with_resources_it_may_list_checks_and_nothing_else(render):
    found = {manifest["kind"]: manifest for manifest in render("deploy/web-with-resources")}
    [rule] = found["Role"]["rules"]
    assert rule == {"apiGroups": ["consistency.dynamo.io"], "resources": ["siteconsistencychecks"], "verbs": ["list"]}
    assert found["RoleBinding"]["roleRef"]["name"] == found["Role"]["metadata"]["name"]
    assert [subject["name"] for subject in found["RoleBinding"]["subjects"]] == ["consistency-web"]
    pod = found["Deployment"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is True
    assert "--resources" in pod["containers"][0]["args"]
    ports = [port["port"] for rule in found["NetworkPolicy"]["spec"]["egress"] for port in rule["ports"]]
    assert ports == [53, 53, 443, 6443]
