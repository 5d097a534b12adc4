"""What the operator's pages say of names, settings, files and rights is so."""

import re
from pathlib import Path

import pytest
from consistency_operator import names
from consistency_operator.resource import reasons
from consistency_operator.settings import OperatorSettings
from rendered_manifests import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = [
    DOCS / name
    for name in (
        "tutorials/first-site.md",
        "how-to/install.md",
        "how-to/operations.md",
        "how-to/monitoring.md",
        "how-to/approve.md",
        "how-to/gitops.md",
        "explanation/security.md",
    )
]


def name_of(page: Path) -> str:
    return page.stem


@pytest.fixture(params=PAGES, ids=name_of)
def text(request) -> str:
    return request.param.read_text()


def test_reasons_are_called_what_they_are_called():
    rows = (DOCS / "how-to/operations.md").read_text().partition("## When a check is not well")[2].partition("\n## ")[0]
    reported = {
        name
        for row in rows.splitlines()
        for name in re.findall(r"`([A-Z]\w+)`", row.partition("| ")[2].partition(" |")[0])
    }
    assert len(reported) > 10
    of_conditions = (reasons.Ready, reasons.Overlapping, reasons.Running, reasons.Succeeded, reasons.Consistent)
    assert reported <= {reason for reasons_of_one in of_conditions for reason in reasons_of_one}


def test_settings_are_called_what_they_are_called(text):
    known = {f"CONSISTENCY_{name.upper()}" for name in OperatorSettings.model_fields}
    assert set(re.findall(r"(?<!DYNAMO_)\bCONSISTENCY_[A-Z_]+", text)) <= known


def test_defaults_are_the_defaults():
    rows = re.findall(
        r"^\| `CONSISTENCY_(\w+)` \| `?([^|`]*)`? \|", (DOCS / "how-to/install.md").read_text(), re.MULTILINE
    )
    assert len(rows) > 5
    for name, reported in rows:
        default = OperatorSettings.model_fields[name.lower()].default
        assert reported.strip() == {None: "", (): "all"}.get(default, str(default)), name


def test_annotations_and_labels_are_called_what_they_are_called(text):
    reported = set(re.findall(rf"{re.escape(names.API_GROUP)}/(\w+)", text))
    ours = {
        names.ANNOTATION_APPROVE,
        names.ANNOTATION_REQUESTED_AT,
        names.LABEL_CHECK,
        names.LABEL_RUN,
        names.LABEL_STAGE,
    }
    assert reported <= {name.partition("/")[2] for name in ours} | {names.VERSION}


def test_files_that_are_named_are_there(text):
    named = set(re.findall(r"(?<![\w/.-])(?:deploy|examples|tools|crds)/[\w/.-]*[\w/]", text))
    assert [path for path in named if not (REPOSITORY / path).exists()] == []


def test_folders_of_the_repository_are_there_in_remote_kustomizations(text):
    for path in re.findall(r"//(deploy/[\w/-]+)\?ref=", text):
        assert (REPOSITORY / path / "kustomization.yaml").is_file()
