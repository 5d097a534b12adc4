"""The version stands in several files, and `make version` writes it into all of them."""

import re
import runpy
import shutil
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from wheel_building import REPOSITORY

tool = SimpleNamespace(**runpy.run_path(str(REPOSITORY / "tools/release/version.py")))
VERSION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of what names versions."""
    for name in ("docs", "examples", "deploy"):
        shutil.copytree(REPOSITORY / name, tmp_path / name, symlinks=True)
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    return tmp_path


def contents(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def releases(root: Path) -> set[str]:
    return set().union(*tool.named(root).values())


def changelog(root: Path) -> list[str]:
    return re.findall(r"^## (\S+)", (root / "CHANGELOG.md").read_text(), re.MULTILINE)


class TestHere:
    def test_all_files_have_the_version_of_the_project(self):
        for name, places in tool.files(VERSION).items():
            text = (REPOSITORY / name).read_text()
            for pattern, expected in places.items():
                assert re.findall(pattern, text, re.MULTILINE) == [expected], name

    def test_pages_and_examples_install_one_release_and_upgrade_to_the_next(self):
        installed, newer = sorted(releases(REPOSITORY), key=lambda text: [int(part) for part in text.split(".")])
        assert newer == tool.after(installed)
        assert installed in {re.split(r"\.?(?:dev|rc)", VERSION)[0], *changelog(REPOSITORY)}

    def test_a_release_has_a_section_in_the_changelog(self):
        assert changelog(REPOSITORY)[0] == "Unreleased"
        assert tool.semantic(VERSION) != VERSION or VERSION in changelog(REPOSITORY)

    def test_no_other_file_that_is_deployed_or_read_names_the_version(self):
        """Else it would stay behind: the tool does not know it."""
        known = {REPOSITORY / name for name in tool.files(VERSION)}
        places = ("deploy", "docs", "examples", "crds", "share", ".github", "dynamo_consistency", "operator")
        files = {file for place in places for file in (REPOSITORY / place).rglob("*.*") if file.is_file()}
        text = {file: file.read_text(errors="ignore") for file in files - known if file.suffix not in (".pyc", ".png")}
        assert [file for file, said in text.items() if VERSION in tool.NAMED.sub("", said)] == []


class TestANewVersion:
    def test_a_release_is_written_everywhere(self, clone):
        tool.write(clone, "4.5.6")
        assert releases(clone) == {"4.5.6", "4.6.0"}
        assert changelog(clone)[:2] == ["Unreleased", "4.5.6"]
        chart = yaml.safe_load((clone / "deploy/chart/Chart.yaml").read_text())
        assert (chart["version"], chart["appVersion"]) == ("4.5.6", "4.5.6")
        assert chart["annotations"]["artifacthub.io/prerelease"] == "false"
        manifest = (clone / "deploy/plugin/consistency.yaml").read_text()
        assert manifest.count("v4.5.6") == 2
        assert tomllib.loads((clone / "pyproject.toml").read_text())["project"]["version"] == "4.5.6"

    def test_pages_keep_the_release_while_the_next_one_is_made(self, clone):
        tool.write(clone, "4.5.6")
        tool.write(clone, "4.6.0.dev0")
        assert releases(clone) == {"4.5.6", "4.6.0"}
        assert yaml.safe_load((clone / "deploy/chart/Chart.yaml").read_text())["version"] == "4.6.0-dev.0"
        tool.write(clone, "4.6.0")
        assert releases(clone) == {"4.6.0", "4.7.0"}
        assert changelog(clone)[:3] == ["Unreleased", "4.6.0", "4.5.6"]

    def test_a_candidate_is_no_release_yet(self, clone):
        tool.write(clone, "4.5.6rc1")
        assert releases(clone) == releases(REPOSITORY)
        assert changelog(clone) == changelog(REPOSITORY)
        chart = yaml.safe_load((clone / "deploy/chart/Chart.yaml").read_text())
        assert (chart["version"], chart["appVersion"]) == ("4.5.6-rc.1", "4.5.6rc1")
        assert chart["annotations"]["artifacthub.io/prerelease"] == "true"

    def test_the_same_version_again_changes_nothing(self, clone):
        tool.write(clone, "4.5.6")
        before = contents(clone)
        tool.write(clone, "4.5.6")
        assert contents(clone) == before

    @pytest.mark.parametrize("wrong", ["3.0", "3.0.0-dev.0", "three", ""])
    def test_what_is_no_version_is_refused(self, clone, wrong):
        before = contents(clone)
        with pytest.raises(ValueError, match="is not a version such as"):
            tool.write(clone, wrong)
        assert contents(clone) == before
