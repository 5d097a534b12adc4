"""What a forge reads: workflows that run what everybody runs, forms, renovate's rules, and the notes of a release."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from go_tools import go_tool
from wheel_building import REPOSITORY

FORGE = REPOSITORY / ".github"
WORKFLOWS = sorted((FORGE / "workflows").glob("*.yaml"))
RENOVATE = json.loads((REPOSITORY / "renovate.json").read_text())
FORMS = sorted((FORGE / "ISSUE_TEMPLATE").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z0-9-]+):.*## ", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))


def made(text: str) -> set[str]:
    """The targets of make that a script asks for."""
    return set(re.findall(r"\bmake ((?!-)[a-z0-9-]+)", text))


def jobs(file: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(file.read_text())["jobs"])


def steps(file: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(file).values() for step in job["steps"]]


def test_there_is_a_workflow_for_all_that_people_expect():
    assert {file.stem for file in WORKFLOWS} == {"test", "lint", "e2e", "release", "image", "docs"}


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
class TestAWorkflow:
    def test_makes_what_there_is_to_make(self, file):
        asked = set().union(*(made(step.get("run", "")) for step in steps(file)))
        assert asked
        assert asked <= TARGETS

    def test_names_the_version_of_each_action(self, file):
        used = [step["uses"] for step in steps(file) if "uses" in step]
        assert used
        assert [action for action in used if not re.fullmatch(r"[\w./-]+@(v\d+|[0-9a-f]{40})", action)] == []

    def test_may_write_only_where_a_job_says_so(self, file):
        assert yaml.safe_load(file.read_text())["permissions"] == {"contents": "read"}

    def test_may_ask_git_in_a_container(self, file):
        """The clone belongs to somebody else there, and git would answer nothing."""
        for job in jobs(file).values():
            asked = [step.get("run", "") for step in job["steps"]]
            assert "container" not in job or any("safe.directory" in text for text in asked)

    def test_ends_by_itself(self, file):
        assert all(job["timeout-minutes"] <= 180 for job in jobs(file).values())


def test_the_workflows_run_all_that_ci_runs():
    ours = made((REPOSITORY / ".ci/run").read_text())
    theirs = set().union(*(made(file.read_text()) for file in WORKFLOWS))
    assert ours == {"mysqlclient", "lint", "test-all", "e2e"}
    assert ours <= theirs


def test_a_forge_would_run_the_workflows():
    """Expressions, contexts, runners and inputs of actions, which YAML alone does not show."""
    done = subprocess.run(
        [go_tool("actionlint"), "-color=false", "-shellcheck=", "-pyflakes=", *WORKFLOWS],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_a_release_needs_no_password():
    (release,) = jobs(FORGE / "workflows/release.yaml").values()
    assert release["permissions"]["id-token"] == "write"
    assert "secrets." not in (FORGE / "workflows/release.yaml").read_text()


@pytest.mark.parametrize("file", [file for file in FORMS if file.stem != "config"], ids=lambda file: file.stem)
def test_a_form_has_what_a_forge_asks_of_it(file):
    form = yaml.safe_load(file.read_text())
    assert {"name", "description", "body"} <= set(form)
    names = [part["id"] for part in form["body"]]
    assert len(names) == len(set(names))
    assert all(
        part["type"] in {"textarea", "input", "dropdown"} and part["attributes"]["label"] for part in form["body"]
    )


def test_renovate_looks_after_every_kind_of_pin():
    kinds = {"pep621", "pip-compile", "gomod", "github-actions", "dockerfile", "custom.regex"}
    assert set(RENOVATE["enabledManagers"]) == kinds


@pytest.mark.parametrize(("file", "programs"), [(".ci/prepare", 4), ("tools/image/sign", 2)])
def test_renovate_finds_the_programs_that_go_makes(file, programs):
    (rule,) = RENOVATE["customManagers"]
    assert any(re.search(pattern.strip("/"), file) for pattern in rule["managerFilePatterns"])
    text = (REPOSITORY / file).read_text()
    patterns = [pattern.replace("(?<", "(?P<") for pattern in rule["matchStrings"]]
    found = [match.groupdict() for pattern in patterns for match in re.finditer(pattern, text)]
    assert len(found) == programs == len(re.findall(r"/cmd/", text))
    assert all(re.fullmatch(r"v\d[\d.]+", one["currentValue"]) for one in found)


def release_notes(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--silent", "release-notes", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)


def test_the_notes_of_a_release_are_its_part_of_the_changelog_a_line_for_each_point():
    changelog = (REPOSITORY / "CHANGELOG.md").read_text()
    newest = re.findall(r"^## (\S+).*\n\n### ", changelog, re.MULTILINE)[0]  # after a release nothing is unreleased
    said = release_notes(f"VERSION={newest}").stdout
    assert said.startswith("### ")
    assert [line for line in said.splitlines() if line.startswith(" ")] == []
    assert "\n## " not in said


def test_the_notes_of_a_candidate_are_what_is_unreleased():
    assert release_notes("VERSION=v3.0.0rc1").stdout == release_notes().stdout


def test_a_version_that_the_changelog_does_not_know_has_no_notes():
    ran = release_notes("VERSION=v0.0.1")
    assert ran.returncode != 0
    assert "the changelog has no section '## 0.0.1'" in ran.stderr
