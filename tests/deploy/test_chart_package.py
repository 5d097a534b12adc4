"""The Helm chart as it is packaged and published, and what Artifact Hub shows of it."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml
from go_tools import go_tool
from helm_program import CHART, KUBERNETES, helm, template
from rendered_chart import charted, operator, parsed, settings_of
from rendered_manifests import REPOSITORY

from dynamo_consistency.checkfile import read_check


class TestMetadata:
    CHART_FILE = yaml.safe_load((CHART / "Chart.yaml").read_text())

    def test_the_chart_is_described_as_the_project_is(self):
        project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
        assert self.CHART_FILE["description"] == project["description"]

    def test_artifact_hub_is_told_of_the_kind_and_an_example_that_is_valid(self, tmp_path):
        told = self.CHART_FILE["annotations"]
        (crd,) = [one for one in charted() if one["kind"] == "CustomResourceDefinition"]
        (kind,) = yaml.safe_load(told["artifacthub.io/crds"])
        assert (kind["kind"], kind["name"]) == (crd["spec"]["names"]["kind"], crd["metadata"]["name"])
        assert kind["version"] in [version["name"] for version in crd["spec"]["versions"]]
        (tmp_path / "check.yaml").write_text(yaml.safe_dump(yaml.safe_load(told["artifacthub.io/crdsExamples"])[0]))
        assert read_check(tmp_path / "check.yaml").spec.site == "T2_DE_RWTH"

    def test_what_is_packaged_is_whole_without_the_repository(self, tmp_path):
        """Files that the chart shares with kustomize are links here, and files in the package."""
        helm("package", str(CHART), "--destination", str(tmp_path))
        (package,) = tmp_path.glob("dynamo-consistency-*.tgz")
        shown = helm("show", "crds", str(package))
        assert yaml.safe_load(shown)["metadata"]["name"] == "siteconsistencychecks.consistency.dynamo.io"
        chosen = "--set=monitoring.enabled=true,jobPolicy.enabled=true"
        place = (f"--kube-version={KUBERNETES}", "--namespace=consistency")
        assert helm("template", "consistency", str(package), *place, chosen) == template(chosen)

    def test_the_published_chart_installs_the_published_image(self, tmp_path):
        image, helms = "ghcr.io/team/dynamo-consistency:4.5.6", Path(go_tool("helm")).parent
        package = ["make", "--silent", "chart", f"IMAGE={image}", f"PYTHON={sys.executable}", f"DIST={tmp_path}"]
        path = f"{helms}{os.pathsep}{os.environ['PATH']}"
        subprocess.run(package, cwd=REPOSITORY, env=os.environ | {"PATH": path}, check=True, stdout=subprocess.DEVNULL)
        (packaged,) = map(str, tmp_path.glob("dynamo-consistency-*.tgz"))
        objects = parsed(helm("template", "consistency", packaged, f"--kube-version={KUBERNETES}"))
        assert operator(objects)["containers"][0]["image"] == settings_of(objects)["CONSISTENCY_IMAGE"] == image
        (shown,) = yaml.safe_load(
            yaml.safe_load(helm("show", "chart", packaged))["annotations"]["artifacthub.io/images"]
        )
        assert shown["image"] == image
