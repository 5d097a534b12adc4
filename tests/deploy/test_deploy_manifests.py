"""What `kubectl apply -k` installs: the least rights, locked-up pods, one image, and nothing that dangles."""

import os
import re
from types import SimpleNamespace

import pytest
import yaml
from consistency_operator import names
from consistency_operator.manifests import JobRun, build_job
from consistency_operator.settings import read_settings
from rendered_manifests import REPOSITORY, Manifest

from dynamo_consistency.backend.backends_file import read as read_backends
from dynamo_consistency.checkfile import read_check

pytestmark = pytest.mark.timeout(600)  # kustomize may have to be built

INSTALLATIONS = ["deploy", *(f"deploy/overlays/{name}" for name in ("namespaced", "openshift", "s3", "rucio", "demo"))]
IMAGE = "localhost/dynamo-consistency:dev"
DEMO_IMAGE = "localhost/dynamo-consistency-demo:dev"


@pytest.fixture(params=INSTALLATIONS)
def objects(request, render) -> list[Manifest]:
    return render(request.param)


def of_kind(objects: list[Manifest], *kinds: str) -> list[Manifest]:
    return [manifest for manifest in objects if manifest["kind"] in kinds]


def one(objects: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [manifest for manifest in of_kind(objects, kind) if manifest["metadata"]["name"] == name]
    return found


def pods(objects: list[Manifest]) -> list[Manifest]:
    return [manifest["spec"]["template"]["spec"] for manifest in of_kind(objects, "Deployment", "Job")]


def containers(pod: Manifest) -> list[Manifest]:
    return pod.get("initContainers", []) + pod["containers"]


def operator(objects: list[Manifest]) -> Manifest:
    return one(objects, "Deployment", "consistency-operator")["spec"]["template"]["spec"]


def settings_of(objects: list[Manifest]) -> dict[str, str]:
    entries = operator(objects)["containers"][0]["env"]
    return {entry["name"]: entry.get("value", "from-the-pod") for entry in entries}


class TestRights:
    def test_the_operator_has_these_rights_and_no_others(self, objects):
        (role,) = of_kind(objects, "ClusterRole", "Role")
        rights = {
            f"{verb} {resource}" for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]
        }
        assert rights == {
            "list siteconsistencychecks", "watch siteconsistencychecks", "patch siteconsistencychecks/status",
            "list jobs", "watch jobs", "create jobs", "delete jobs",
            "list pods", "create events", "list events",
        }  # fmt: skip
        assert all(set(rule) == {"apiGroups", "resources", "verbs"} for rule in role["rules"])
        groups = {resource: rule["apiGroups"] for rule in role["rules"] for resource in rule["resources"]}
        assert groups["siteconsistencychecks"] == groups["siteconsistencychecks/status"] == [names.API_GROUP]
        assert groups["jobs"] == ["batch"]
        assert groups["pods"] == groups["events"] == [""]

    def test_nobody_but_the_operator_has_any(self, objects):
        (binding,) = of_kind(objects, "ClusterRoleBinding", "RoleBinding")
        place = one(objects, "Deployment", "consistency-operator")["metadata"]["namespace"]
        account = {"kind": "ServiceAccount", "name": "consistency-operator", "namespace": place}
        assert binding["subjects"] == [account]
        assert operator(objects)["serviceAccountName"] == "consistency-operator"
        (role,) = of_kind(objects, "ClusterRole", "Role")
        assert binding["roleRef"]["kind"] == role["kind"]
        assert binding["roleRef"]["name"] == role["metadata"]["name"]

    def test_workers_get_no_token(self, objects):
        account = one(objects, "ServiceAccount", settings_of(objects)["CONSISTENCY_SERVICE_ACCOUNT"])
        assert account["automountServiceAccountToken"] is False

    def test_one_namespace_or_all_the_rules_are_the_same(self, render):
        (everywhere,) = of_kind(render("deploy"), "ClusterRole")
        (here,) = of_kind(render("deploy/overlays/namespaced"), "Role")
        assert everywhere["rules"] == here["rules"]

    @pytest.mark.parametrize("overlay", ["namespaced", "demo"])
    def test_an_operator_for_one_namespace_needs_nothing_outside_it(self, render, overlay):
        objects = render(f"deploy/overlays/{overlay}")
        assert not of_kind(objects, "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition")
        (place,) = {manifest["metadata"]["namespace"] for manifest in objects if manifest["kind"] != "Namespace"}
        (entry,) = [
            entry for entry in operator(objects)["containers"][0]["env"] if entry["name"] == "CONSISTENCY_NAMESPACES"
        ]
        assert entry["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}
        assert all(namespace["metadata"]["name"] == place for namespace in of_kind(objects, "Namespace"))


class TestPods:
    def test_every_container_is_locked_up(self, objects):
        for pod in pods(objects):
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert pod["securityContext"].get("runAsUser", 10001) == 10001
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            for container in containers(pod):
                assert container["securityContext"] == {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                }, container["name"]

    def test_on_openshift_no_pod_has_a_user_of_its_own(self, render):
        """The namespace's range gives one; workers get none from the operator either."""
        objects = render("deploy/overlays/openshift")
        fixed = {"runAsUser", "runAsGroup", "fsGroup", "supplementalGroups"}
        for pod in pods(objects):
            assert not fixed & pod["securityContext"].keys()
            assert all(not fixed & container["securityContext"].keys() for container in containers(pod))
        settings = read_settings(settings_of(objects))
        assert settings.worker_user is None
        check = read_check(REPOSITORY / "examples/gitops/sites/t2-us-mit.yaml")
        owner = SimpleNamespace(namespace="grid", name="t2", uid="1")
        job = build_job("Listing", owner, JobRun("1", check, 60), settings)
        worker = job["spec"]["template"]["spec"]
        assert not fixed & worker["securityContext"].keys()
        assert worker["securityContext"]["runAsNonRoot"] is True
        assert all("blockOwnerDeletion" not in owner for owner in job["metadata"]["ownerReferences"])

    def test_elsewhere_the_operator_runs_as_the_images_user(self, render):
        for folder in INSTALLATIONS:
            if "openshift" not in folder:
                assert operator(render(folder))["securityContext"]["runAsUser"] == 10001

    def test_only_the_operator_speaks_with_the_api_server(self, objects):
        for pod in pods(objects):
            assert pod.get("serviceAccountName") == "consistency-operator" or not pod["automountServiceAccountToken"]

    def test_the_namespace_lets_no_other_pods_in(self, objects):
        for namespace in of_kind(objects, "Namespace"):
            assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"

    def test_there_is_one_operator_and_it_has_time_to_leave(self, objects):
        deployment = one(objects, "Deployment", "consistency-operator")["spec"]
        assert deployment["replicas"] == 1
        assert deployment["strategy"] == {"type": "Recreate"}
        assert operator(objects)["terminationGracePeriodSeconds"] >= 15

    def test_probes_and_scrapers_find_what_the_operator_serves(self, objects):
        settings = read_settings(settings_of(objects))
        (container,) = operator(objects)["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert ports == {"metrics": settings.metrics_listen[1], "probes": settings.health_listen[1]}
        asked = {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
        for probe, path in asked.items():
            assert container[probe]["httpGet"] == {"path": path, "port": "probes"}
        service = one(objects, "Service", "consistency-operator")["spec"]
        assert service["ports"][0]["targetPort"] == "metrics"
        labels = one(objects, "Deployment", "consistency-operator")["spec"]["template"]["metadata"]["labels"]
        assert service["selector"].items() <= labels.items()

    def test_only_a_loop_that_says_nothing_for_minutes_is_restarted(self, objects):
        (container,) = operator(objects)["containers"]
        for probe, least in (("startupProbe", 600), ("livenessProbe", 180)):
            asked = container[probe]
            assert asked["periodSeconds"] * asked["failureThreshold"] >= least
            assert asked["timeoutSeconds"] >= 20
        assert container["resources"]["requests"]["cpu"] == "250m"
        assert "cpu" not in container["resources"]["limits"]

    def test_the_operator_reads_the_backends_where_they_are_mounted(self, objects):
        settings = read_settings(settings_of(objects))
        pod = operator(objects)
        (volume,) = [volume for volume in pod["volumes"] if "secret" in volume]
        assert volume["secret"]["secretName"] == settings.backends_secret
        (mount,) = [mount for mount in pod["containers"][0]["volumeMounts"] if mount["name"] == volume["name"]]
        assert settings.backends == f"{mount['mountPath']}/backends.yaml"
        assert mount["readOnly"] is True


class TestImages:
    def test_the_image_has_one_name(self, objects):
        images = {container["image"] for pod in pods(objects) for container in containers(pod)}
        assert images <= {IMAGE, DEMO_IMAGE}
        assert settings_of(objects)["CONSISTENCY_IMAGE"] == operator(objects)["containers"][0]["image"] == IMAGE

    def test_the_build_tool_makes_the_images_that_are_deployed(self):
        tool = (REPOSITORY / "tools/image/build").read_text()
        assert set(re.findall(r"image=(localhost/\S+)", tool)) == {IMAGE, DEMO_IMAGE}

    def test_all_images_begin_with_the_same(self):
        files = ["Dockerfile", "deploy/overlays/demo/image/Dockerfile"]
        (base,) = {re.search("^ARG BASE=(.*)$", (REPOSITORY / file).read_text(), re.MULTILINE)[1] for file in files}
        assert base.endswith("/python:3.11-slim-bookworm")

    @pytest.mark.parametrize(
        ("version", "suffix"), [({"newTag": "3.0.0"}, ":3.0.0"), ({"digest": "sha256:0123abcd"}, "@sha256:0123abcd")]
    )
    def test_registry_and_namespace_are_named_in_one_place(self, render, tmp_path, version, suffix):
        """As docs/how-to/install.md says: the workers' image follows the operator's, and all else the namespace."""
        deploy = os.path.relpath(REPOSITORY / "deploy", tmp_path)
        mine = {
            "namespace": "mine",
            "resources": [f"{deploy}/base"],
            "images": [{"name": "localhost/dynamo-consistency", "newName": "registry.example.org/mine", **version}],
            "transformers": [f"{deploy}/worker-image"],
        }
        (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(mine))
        objects = render(tmp_path)
        image = f"registry.example.org/mine{suffix}"
        assert operator(objects)["containers"][0]["image"] == settings_of(objects)["CONSISTENCY_IMAGE"] == image
        assert {one["metadata"].get("namespace", "mine") for one in objects} == {"mine"}
        assert [one["metadata"]["name"] for one in of_kind(objects, "Namespace")] == ["mine"]
        (binding,) = of_kind(objects, "ClusterRoleBinding")
        assert binding["subjects"][0]["namespace"] == "mine"


class TestPlaces:
    def test_the_crd_is_the_generated_one(self, render):
        (crd,) = of_kind(render("deploy"), "CustomResourceDefinition")
        (generated,) = [path for path in (REPOSITORY / "crds").glob("*.yaml") if path.name != "kustomization.yaml"]
        assert crd == yaml.safe_load(generated.read_text())
        assert crd["metadata"]["name"] == f"{names.PLURAL}.{names.API_GROUP}"

    def test_run_directories_have_a_place(self, render):
        for folder in ("deploy", "deploy/overlays/namespaced", "deploy/overlays/demo"):
            objects = render(folder)
            one(objects, "PersistentVolumeClaim", read_settings(settings_of(objects)).store_claim)

    def test_with_rucio_its_examples_are_whole_and_its_catalogue_can_be_reached(self, render):
        folder = REPOSITORY / "deploy/overlays/rucio"
        entry = read_backends(folder / "backends.yaml")["rucio"].options
        assert read_check(folder / "check.yaml").spec.backend == "rucio"
        policy = one(render("deploy/overlays/rucio"), "NetworkPolicy", "consistency-operator")
        open_ports = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
        assert {443, 5432} <= open_ports
        assert ":" not in entry.database.removeprefix("postgresql+psycopg:"), "neither another port nor a password"

    def test_with_an_object_store_there_is_no_volume(self, render):
        objects = render("deploy/overlays/s3")
        assert read_settings(settings_of(objects)).store_url.startswith("s3://")
        assert not of_kind(objects, "PersistentVolumeClaim")

    def test_network_policies_select_the_pods_that_they_are_about(self, objects):
        policies = {policy["metadata"]["name"]: policy["spec"] for policy in of_kind(objects, "NetworkPolicy")}
        selected = policies["consistency-operator"]["podSelector"]["matchLabels"]
        labels = one(objects, "Deployment", "consistency-operator")["spec"]["template"]["metadata"]["labels"]
        assert selected.items() <= labels.items()
        assert set(policies["consistency-operator"]["policyTypes"]) == {"Ingress", "Egress"}
        of_workers = policies["consistency-worker"]
        assert of_workers["podSelector"]["matchLabels"].items() <= names.job_labels("a", "1", "Listing").items()
        assert of_workers["policyTypes"] == ["Ingress"]
        assert "ingress" not in of_workers

    def test_another_namespace_for_checks_needs_only_the_workspace(self, render, tmp_path):
        workspace = os.path.relpath(REPOSITORY / "deploy/workspace", tmp_path)
        (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"namespace": "other", "resources": [workspace]}))
        objects = render(tmp_path)
        settings = read_settings(settings_of(render("deploy")))
        one(objects, "ServiceAccount", settings.service_account)
        one(objects, "PersistentVolumeClaim", settings.store_claim)
        assert {manifest["metadata"]["namespace"] for manifest in objects} == {"other"}
