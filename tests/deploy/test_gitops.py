"""What GitOps tools make of a check: settled while a run lasts for days, failed when its spec is refused."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from consistency_operator.resource.status import Stage
from reachable_statuses import body, reachable
from rendered_manifests import REPOSITORY, Manifest
from required_programs import require_programs

from dynamo_consistency.checkfile import read_check

pytestmark = pytest.mark.timeout(600)  # kstatus may have to be built

GITOPS = REPOSITORY / "examples/gitops"
CRD = REPOSITORY / "crds/consistency.dynamo.io_siteconsistencychecks.yaml"
HEALTH = "resource.customizations.health.consistency.dynamo.io_SiteConsistencyCheck"


@pytest.fixture(scope="module")
def whatever_a_run_does() -> list[Manifest]:
    """Checks with a valid spec, in every stage and after every end."""
    checks = reachable("armed") + reachable("manual")
    stages = {check["status"].get("run", {}).get("stage") for check in checks}
    assert stages == {None, *get_args(Stage)}
    return checks


@pytest.fixture(scope="module")
def refused() -> list[Manifest]:
    return reachable("refused")


@pytest.fixture(scope="module")
def edited(whatever_a_run_does) -> list[Manifest]:
    """The operator has not seen the last edit yet."""
    return [check | {"metadata": check["metadata"] | {"generation": 4}} for check in whatever_a_run_does]


@pytest.fixture(scope="module")
def flux(kstatus) -> Callable[[Iterable[Manifest]], list[str]]:
    """What Flux waits on: the status of each object."""

    def judge(objects: Iterable[Manifest]) -> list[str]:
        documents = "\n".join(map(json.dumps, objects))
        said = subprocess.run([kstatus], input=documents, capture_output=True, text=True, check=True)
        return [line.split("\t")[0] for line in said.stdout.splitlines()]

    return judge


@pytest.fixture(scope="module")
def argo() -> Callable[[Iterable[Manifest]], list[str]]:
    """What Argo CD's health check says of each object."""
    interpreter = next(filter(shutil.which, ["lua5.1", "lua5.4", "lua"]), None)
    if interpreter is None:
        require_programs("lua5.1", install="apt-get install lua5.1")
    script = yaml.safe_load((GITOPS / "argocd/argocd-cm.yaml").read_text())["data"][HEALTH]

    def judge(objects: Iterable[Manifest]) -> list[str]:
        program = f"local function health(obj)\n{script}\nend\n"
        program += "\n".join(f"do local h = health({in_lua(obj)}); print(h.status, h.message) end" for obj in objects)
        said = subprocess.run([interpreter, "-"], input=program, capture_output=True, text=True, check=True)
        return [line.split("\t")[0] for line in said.stdout.splitlines()]

    return judge


def in_lua(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"[{json.dumps(key)}] = {in_lua(item)}" for key, item in value.items()) + "}"
        case list():
            return "{" + ", ".join(map(in_lua, value)) + "}"
        case None:
            return "nil"
        case _:
            return json.dumps(value)


class TestFlux:
    def test_it_settles_whatever_a_run_does(self, flux, whatever_a_run_does):
        assert set(flux(whatever_a_run_does)) == {"Current"}

    def test_a_suspended_check_is_settled(self, flux):
        assert set(flux(reachable("suspended"))) == {"Current"}

    def test_a_refused_spec_is_a_failure(self, flux, refused):
        assert set(flux(refused)) == {"Failed"}

    def test_it_waits_until_the_operator_has_seen_an_edit(self, flux, edited):
        assert set(flux(edited)) == {"InProgress"}

    def test_it_waits_until_the_operator_has_seen_a_new_check(self, flux):
        assert flux([new_check()]) == ["InProgress"]

    def test_the_sites_do_not_wait_for_a_claim_that_only_a_run_binds(self, flux, render):
        (claim,) = [one for one in render("deploy") if one["kind"] == "PersistentVolumeClaim"]
        assert flux([claim | {"status": {"phase": "Pending"}}]) == ["InProgress"]
        first, second = flux_steps()
        assert "wait" not in first["spec"]
        assert {check["kind"] for check in first["spec"]["healthChecks"]} == {"Deployment"}
        assert second["spec"]["dependsOn"] == [{"name": first["metadata"]["name"]}]
        assert second["spec"]["wait"] is True


class TestArgo:
    def test_it_settles_whatever_a_run_does(self, argo, whatever_a_run_does):
        assert set(argo(whatever_a_run_does)) == {"Healthy"}

    def test_a_suspended_check_shows_it(self, argo):
        assert set(argo(reachable("suspended"))) == {"Suspended"}

    def test_a_refused_spec_is_degraded(self, argo, refused):
        assert set(argo(refused)) == {"Degraded"}

    def test_it_waits_until_the_operator_has_seen_a_spec(self, argo, edited):
        assert set(argo(edited)) == {"Progressing"}
        assert argo([check | {"status": {}} for check in edited[:1]] + [new_check()]) == ["Progressing"] * 2


class TestExamples:
    def test_every_site_is_a_valid_check_and_is_listed(self):
        listed = yaml.safe_load((GITOPS / "sites/kustomization.yaml").read_text())["resources"]
        files = sorted(path.name for path in (GITOPS / "sites").glob("*.yaml") if path.name != "kustomization.yaml")
        assert listed == files
        for file in files:
            assert read_check(GITOPS / "sites" / file).metadata.name == Path(file).stem

    def test_the_operator_is_installed_with_its_image_in_one_place(self, render):
        (deployment,) = [one for one in render("examples/gitops/operator") if one["kind"] == "Deployment"]
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        settings = {entry["name"]: entry["value"] for entry in container["env"]}
        assert container["image"].startswith("registry.example.org/team/dynamo-consistency:")
        assert container["image"] == settings["CONSISTENCY_IMAGE"]

    def test_flux_and_argo_look_where_the_files_are(self):
        folders = [step["spec"]["path"].removeprefix("./") for step in flux_steps()]
        applications = yaml.safe_load_all((GITOPS / "argocd/applications.yaml").read_text())
        assert (
            folders == [application["spec"]["source"]["path"] for application in applications] == ["operator", "sites"]
        )
        assert all((GITOPS / folder / "kustomization.yaml").is_file() for folder in folders)


def new_check() -> Manifest:
    """As the API server shows it before anybody has written a status: with the default of the definition."""
    definition = yaml.safe_load(CRD.read_text())
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return body("armed") | {"status": schema["properties"]["status"]["default"]}


def flux_steps() -> list[Manifest]:
    documents = yaml.safe_load_all((GITOPS / "flux/consistency.yaml").read_text())
    return [document for document in documents if document["kind"] == "Kustomization"]
