"""The pages on the status, on events and on operations have every reason that the operator can give, and no other."""

import re
from enum import StrEnum
from pathlib import Path
from typing import get_args

import pytest
from consistency_operator.resource import reasons
from consistency_operator.resource.reasons import WARNINGS, EventReason
from consistency_operator.resource.status import CheckStatus, Obstacle, Stage, Unreadiness

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference" / "status.md").read_text(encoding="utf-8")
EVENTS = (DOCS / "reference" / "events.md").read_text(encoding="utf-8")
OPERATIONS = (DOCS / "how-to" / "operations.md").read_text(encoding="utf-8")
SECTIONS: dict[str, type[StrEnum]] = {
    "### Ready": reasons.Ready,
    "### Stalled": reasons.Stalled,
    "### Running": reasons.Running,
    "### Succeeded": reasons.Succeeded,
    "### Overlapping": reasons.Overlapping,
    "### Consistent": reasons.Consistent,
}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    return cells(re.split(r"^##+ .*\n", PAGE.split(f"{heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0])


def cells(section: str) -> list[list[str]]:
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines]


@pytest.mark.parametrize("heading", SECTIONS)
def test_the_page_has_each_reason_once_and_no_other(heading: str) -> None:
    assert [row[0].strip("`") for row in rows(heading)] == list(SECTIONS[heading])


def test_the_page_has_each_stage_in_its_order() -> None:
    assert [row[0].strip("`") for row in rows("## Stages of a run")] == list(get_args(Stage))


def test_the_page_on_events_has_each_once_with_its_type() -> None:
    types = [(event, "Warning" if event in WARNINGS else "Normal") for event in EventReason]
    assert [(row[0].strip("`"), row[1]) for row in cells(EVENTS)] == types


def test_operators_find_a_line_for_each_reason_of_a_condition() -> None:
    section = OPERATIONS.split("## When a check is not well\n", 1)[1].split("\n## ", 1)[0]
    lines = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    named = [reason for line in lines for reason in re.findall(r"`(\w+)`", line)]
    conditions = (
        reasons.Ready,
        reasons.Stalled,
        reasons.Running,
        reasons.Succeeded,
        reasons.Consistent,
        reasons.Overlapping,
    )
    assert sorted(named) == sorted({str(reason) for condition in conditions for reason in condition})


def test_whatever_a_run_waits_for_is_a_reason_of_running() -> None:
    assert set(get_args(Obstacle)) <= set(reasons.Running)
    assert set(get_args(Unreadiness)) <= set(reasons.Succeeded)


def test_every_stage_is_a_reason_of_running() -> None:
    assert set(get_args(Stage)) <= set(reasons.Running)


def test_every_field_of_the_status_is_described() -> None:
    def undescribed(model: object, at: str = "status") -> list[str]:
        fields = getattr(model, "model_fields", {})
        here = [f"{at}.{name}" for name, field in fields.items() if not (field.description or "").endswith(".")]
        below = [
            missing
            for name, field in fields.items()
            for inner in (field.annotation, *get_args(field.annotation))
            for missing in undescribed(inner, f"{at}.{name}")
        ]
        return here + below

    assert undescribed(CheckStatus) == []
