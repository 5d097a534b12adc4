"""`deploy/notify`: an operator that tells people of runs."""

import os

import pytest
import yaml
from consistency_operator.settings import read_settings
from rendered_manifests import REPOSITORY, Manifest

pytestmark = pytest.mark.timeout(600)  # kustomize may have to be built


@pytest.fixture(params=["base", "overlays/openshift"])
def objects(request, render, tmp_path) -> list[Manifest]:
    deploy = os.path.relpath(REPOSITORY / "deploy", tmp_path)
    mine = {"resources": [f"{deploy}/{request.param}"], "components": [f"{deploy}/notify"]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(mine))
    return render(tmp_path)


def named(objects: list[Manifest], kind: str) -> Manifest:
    (found,) = [each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, "consistency-operator")]
    return found


def test_the_addresses_are_a_file_of_a_secret_that_the_operator_reads(objects):
    pod = named(objects, "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    settings = read_settings({entry["name"]: entry.get("value", "") for entry in container["env"]})
    (volume,) = [volume for volume in pod["volumes"] if volume["name"] == "notify"]
    assert volume["secret"] == {"secretName": "consistency-notify", "optional": True}
    (mount,) = [mount for mount in container["volumeMounts"] if mount["name"] == "notify"]
    assert settings.notify_urls_file == f"{mount['mountPath']}/urls"
    assert mount["readOnly"] is True


def test_it_may_read_no_secret_by_the_api(objects):
    (role,) = [each for each in objects if each["kind"] == "ClusterRole"]
    assert "secrets" not in {resource for rule in role["rules"] for resource in rule["resources"]}


def test_mail_servers_and_webhooks_can_be_reached_beside_all_that_could_be_before(objects, render):
    def ports(policy: Manifest) -> set[int]:
        return {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}

    before = ports(named(render("deploy"), "NetworkPolicy"))
    assert before | {25, 443, 465, 587} <= ports(named(objects, "NetworkPolicy"))
