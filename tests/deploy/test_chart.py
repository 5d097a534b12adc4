"""The Helm chart installs what kustomize does, object by object, and refuses values that it does not know."""

import functools
import itertools
import json
import os
import re
from operator import getitem
from typing import Any

import pytest
import yaml
from consistency_operator.settings import read_settings
from helm_program import CHART, KUBERNETES, helm, template
from rendered_chart import charted, operator, parsed, settings_of
from rendered_manifests import REPOSITORY, Manifest

pytestmark = pytest.mark.timeout(600)  # kustomize may have to be built

HELMS_OWN = {
    "helm.sh/chart", "app.kubernetes.io/managed-by", "app.kubernetes.io/instance", "app.kubernetes.io/version",
    "app.kubernetes.io/part-of", "helm.sh/resource-policy",
}  # fmt: skip
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())


def normalised(objects: list[Manifest]) -> dict[tuple[str, str, str], Any]:
    """By kind, namespace and name; without namespaces, and without the labels that say who has installed what."""
    by_name = {}
    for one in json.loads(json.dumps(objects)):
        if one["kind"] == "Namespace":
            continue
        meta = one["metadata"]
        for part in ("labels", "annotations"):
            kept = {key: value for key, value in meta.pop(part, {}).items() if key not in HELMS_OWN}
            if kept:
                meta[part] = kept
        place = meta.pop("namespace", "")
        if one["kind"].startswith("ValidatingAdmissionPolicy"):
            place = ""  # kustomize does not know that they have none
        if one["kind"] == "Deployment":
            pod = one["spec"]["template"]["spec"]
            (container,) = pod["containers"]
            for named in (container.get("env", []), container["volumeMounts"], pod["volumes"]):
                named.sort(key=lambda entry: entry["name"])
        by_name[one["kind"], place, meta["name"]] = one
    return by_name


def kustomized(render, tmp_path, base: str, *also: str, components: tuple[str, ...] = ()) -> list[Manifest]:
    """The objects of a folder of deploy/ with others beside it, in the namespace `consistency`."""

    def relative(names):
        return [os.path.relpath(REPOSITORY / "deploy" / name, tmp_path) for name in names]

    text = {"namespace": "consistency", "resources": relative([base, *also]), "components": relative(components)}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(text))
    return render(tmp_path)


ALIKE = {
    "by default": ([], "base", [], ()),
    "for one namespace": (["--set=namespaced=true"], "overlays/namespaced", [], ()),
    "on OpenShift": (["--set=openshift=true"], "overlays/openshift", [], ()),
    "in one namespace of OpenShift, with pages": (
        ["--set=namespaced=true", "--set=openshift=true,web.enabled=true"],
        "overlays/namespaced",
        ["web"],
        ("openshift",),
    ),
    "with an object store": (["--set=store.url=s3://consistency/runs"], "overlays/s3", [], ()),
    "with the policy for Jobs": (["--set=jobPolicy.enabled=true"], "base", ["job-policy"], ()),
    "with Prometheus": (["--set=monitoring.enabled=true"], "base", ["monitoring"], ()),
    "with pages": (["--set=web.enabled=true"], "base", ["web"], ()),
    "with pages that know the queue": (
        ["--set=web.enabled=true,web.resources=true"],
        "base",
        ["web-with-resources"],
        (),
    ),
    "with messages": (["--set=notify.enabled=true"], "base", [], ("notify",)),
}


@pytest.mark.parametrize("which", ALIKE)
def test_chart_and_kustomize_install_the_same(render, tmp_path, which):
    arguments, base, also, components = ALIKE[which]
    by_kustomize = normalised(kustomized(render, tmp_path, base, *also, components=components))
    by_helm = normalised(charted(*arguments))
    assert by_helm.keys() == by_kustomize.keys()
    for name, one in by_kustomize.items():
        assert by_helm[name] == one, name


def test_a_changed_name_or_number_would_be_seen(render, tmp_path):
    """The comparison above can fail."""
    by_kustomize = normalised(kustomized(render, tmp_path, "base"))
    for change in ("image.tag=3.0.0", "maxConcurrentRuns=3", "store.claim.size=1Gi", "networkPolicy.enabled=false"):
        assert normalised(charted(f"--set={change}")) != by_kustomize


class TestValues:
    def test_helm_lint_finds_nothing(self):
        assert "0 chart(s) failed" in helm("lint", "--strict", str(CHART), "--kube-version", KUBERNETES)

    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            ("image.tags=3.0.0", "tags"), ("imagee=x", "imagee"), ("openshift=maybe", "openshift"),
            ("maxConcurrentRuns=0", "maxConcurrentRuns"), ("workerUser=0", "workerUser"), ("store.url=bucket", "url"),
            ("podSecurityContext.runAsNonRoot=false", "runAsNonRoot"), ("image.digest=latest", "digest"),
            ("podSecurityContext.runAsNonRoot=null", "runAsNonRoot"), ("podSecurityContext=null", "podSecurityContext"),
            ("image=null", "image"), ("image.tag=null", "tag"), ("store.claim=null", "claim"), ("web=null", "web"),
            ("image.repository=example.org/mine:3.0.0", "repository"),
            ("image.repository=https://example.org/mine", "repository"),
            ("imagePullSecrets[0]=mine", "imagePullSecrets"), ("imagePullSecrets[0].nam=mine", "nam"),
            ("tolerations[0].efect=NoExecute", "efect"), ("tolerations[0].effect=Never", "effect"),
            ("affinity.node.x=y", "node"), ("resources.limit.memory=1Gi", "limit"),
            ("networkPolicy.egress[0].port[0].port=1094", "port"), ("web.envFrom[0].secret.name=mine", "secret"),
        ],
    )  # fmt: skip
    def test_a_wrong_value_is_refused_and_named(self, wrong, told):
        said = template(f"--set={wrong}", exit_code=1)
        assert "values don't meet the specifications of the schema" in said
        assert told in said

    def test_what_kubernetes_knows_of_pods_is_let_through(self, tmp_path):
        values = tmp_path / "values.yaml"
        values.write_text(
            yaml.safe_dump(
                {
                    "imagePullSecrets": [{"name": "mine"}],
                    "tolerations": [
                        {"key": "grid", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}
                    ],
                    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}},
                    "resources": {"limits": {"memory": "1Gi", "cpu": 2}, "requests": {"cpu": "100m"}},
                    "networkPolicy": {
                        "egress": [{"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "ports": [{"port": 1094}]}]
                    },
                    "web": {
                        "enabled": True,
                        "hostNames": ["pages.example.org"],
                        "envFrom": [{"secretRef": {"name": "mine"}}],
                    },
                }
            )
        )
        text = template(f"--values={values}")
        assert all(word in text for word in ("tolerationSeconds: 60", "192.0.2.0/24", "cpu: 100m", "- name: mine"))

    def test_every_value_is_in_the_schema_and_every_property_has_a_default(self):
        schema = json.loads((CHART / "values.schema.json").read_text())
        assert schema["properties"].keys() - {"global"} == DEFAULTS.keys()
        for name, part in schema["properties"].items():
            if part.get("additionalProperties") is False and name not in ("affinity", "resources"):  # Kubernetes' own
                assert part["properties"].keys() == DEFAULTS[name].keys(), name

    def test_every_value_says_what_it_is_for(self):
        lines = (CHART / "values.yaml").read_text().splitlines()
        before = {line.partition(":")[0]: above for above, line in itertools.pairwise(lines)}
        assert [name for name in DEFAULTS if not before[name].startswith("# ")] == []

    def test_the_charts_own_page_names_values_that_there_are(self):
        named = re.findall(r"^\| (`.*?) \|", (CHART / "README.md").read_text(), re.MULTILINE)
        assert len(named) > 4
        for path in re.findall(r"`([\w.]+)`", " ".join(named)):
            functools.reduce(getitem, path.split("."), DEFAULTS)

    def test_operator_and_workers_have_one_image(self):
        digest = f"sha256:{'0a' * 32}"
        for chosen, image in (
            ("tag=3.0.0", "example.org/mine:3.0.0"),
            (f"digest={digest}", f"example.org/mine@{digest}"),
        ):
            objects = charted("--set=image.repository=example.org/mine", f"--set=image.{chosen}")
            assert operator(objects)["containers"][0]["image"] == settings_of(objects)["CONSISTENCY_IMAGE"] == image

    def test_the_operator_understands_every_setting(self):
        chosen = [
            "maxConcurrentRuns=7", "workerUser=4711", "backends.secretName=mine", "store.claim.name=runs",
            "image.pullPolicy=Always", "notify.enabled=true",
        ]  # fmt: skip
        settings = read_settings(settings_of(charted(*(f"--set={one}" for one in chosen))))
        assert (settings.max_concurrent_runs, settings.worker_user, settings.image_pull_policy) == (7, 4711, "Always")
        assert (settings.backends_secret, settings.store_claim) == ("mine", "runs")

    @pytest.mark.parametrize(
        "name", ["example.org/mine", "example.org:5000/team/mine", "localhost/a-b_c.d", "[::1]:5000/mine", "mine"]
    )
    def test_an_image_may_be_anywhere(self, name):
        assert settings_of(charted(f"--set=image.repository={name}"))["CONSISTENCY_IMAGE"] == f"{name}:dev"

    @pytest.mark.parametrize("name", ["123", "1e3", "true", "null"])
    def test_a_name_stays_a_text_whatever_it_looks_like(self, name):
        places = ("backends.secretName", "store.claim.name", "notify.secretName", "priorityClassName")
        chosen = ["--set=notify.enabled=true", *(f"--set-string={place}={name}" for place in places)]
        objects = charted(*chosen)
        settings, pod = settings_of(objects), operator(objects)
        assert (settings["CONSISTENCY_BACKENDS_SECRET"], settings["CONSISTENCY_STORE_CLAIM"]) == (name, name)
        assert pod["priorityClassName"] == name
        assert {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume} == {name}
        assert ("PersistentVolumeClaim", name) in [(one["kind"], one["metadata"]["name"]) for one in objects]
        assert f'claimName: "{name}"' in template("--set=web.enabled=true", *chosen)

    def test_a_claim_may_ask_for_no_storage_class(self):
        for chosen, written in (("null", None), ("", ""), ("fast", "fast")):
            kind = "--set" if chosen == "null" else "--set-string"
            objects = charted(f"{kind}=store.claim.storageClassName={chosen}")
            (claim,) = [one for one in objects if one["kind"] == "PersistentVolumeClaim"]
            assert claim["spec"].get("storageClassName") == written

    def test_a_secret_that_the_policy_for_jobs_would_refuse_is_refused_at_once(self):
        assert "consistency-" in template("--set=jobPolicy.enabled=true,backends.secretName=mine", exit_code=1)
        template("--set=jobPolicy.enabled=true,backends.secretName=consistency-mine")

    def test_run_directories_outlive_the_release_unless_told_otherwise(self):
        def claim(*arguments: str) -> Manifest:
            (found,) = [one for one in charted(*arguments) if one["kind"] == "PersistentVolumeClaim"]
            return found

        assert claim()["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
        assert "annotations" not in claim("--set=store.claim.keep=false")["metadata"]

    def test_labels_of_monitors_and_pods_are_added_and_nothing_is_lost(self):
        objects = charted("--set=monitoring.enabled=true,monitoring.labels.release=prom", "--set=podLabels.team=grid")
        for kind in ("ServiceMonitor", "PrometheusRule"):
            (one,) = [one for one in objects if one["kind"] == kind]
            assert one["metadata"]["labels"]["release"] == "prom"
        (deployment,) = [one for one in objects if one["kind"] == "Deployment"]
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert labels == deployment["spec"]["selector"]["matchLabels"] | {"team": "grid"}
        text = template(r"--set=podLabels.app\.kubernetes\.io/component=mine")
        assert "component: mine" not in text  # nor twice

    def test_pages_of_runs_in_a_bucket_want_no_claim_and_a_way_out(self):
        objects = charted(
            "--set=web.enabled=true,store.url=s3://consistency/runs", "--set=web.hostNames={pages.example.org}"
        )
        named = {(one["kind"], one["metadata"]["name"]): one for one in objects}
        pod = named["Deployment", "consistency-web"]["spec"]["template"]["spec"]
        assert [volume["name"] for volume in pod["volumes"]] == ["tmp"]
        arguments = pod["containers"][0]["args"]
        assert {"--store=s3://consistency/runs", "--host-name=pages.example.org"} <= set(arguments)
        ways = named["NetworkPolicy", "consistency-web"]["spec"]["egress"]
        assert {53, 443} <= {port["port"] for rule in ways for port in rule["ports"]}


class TestOpenShift:
    FIXED = frozenset({"runAsUser", "runAsGroup", "fsGroup", "supplementalGroups"})

    def pods(self, *arguments: str) -> list[Manifest]:
        objects = parsed(template("--set=web.enabled=true", *arguments))
        (test,) = [one["spec"] for one in objects if one["kind"] == "Pod"]
        pods = [one["spec"]["template"]["spec"] for one in objects if one["kind"] == "Deployment"]
        assert len(pods) == 2
        return [*pods, test]

    @pytest.mark.parametrize(
        "how",
        [["openshift=true"], ["openshift=true", "podSecurityContext.fsGroup=5"],
         ["podSecurityContext.runAsUser=null", "podSecurityContext.runAsGroup=null", "workerUser=null"]],
    )  # fmt: skip
    def test_no_pod_has_a_user_or_group_of_its_own(self, how):
        arguments = [f"--set={one}" for one in how]
        for pod in self.pods(*arguments):
            assert not self.FIXED & pod["securityContext"].keys()
            assert pod["securityContext"]["runAsNonRoot"] is True
        assert read_settings(settings_of(charted(*arguments))).worker_user is None

    def test_elsewhere_all_pods_run_as_the_images_user(self):
        for pod in self.pods():
            assert pod["securityContext"]["runAsUser"] == 10001
