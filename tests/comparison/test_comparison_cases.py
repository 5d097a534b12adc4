"""Every case of `comparison-cases.yaml`, against the reference and against the engine.

The cases of kind unmerged are not here: a scratch area has no inventory and is not the comparison's.
"""

from collections.abc import Callable
from typing import Any

import pytest
from comparison_model import casefile
from comparison_model.cases import Case, Findings

from dynamo_consistency.backend.dataset_filter import DatasetFilter
from dynamo_consistency.check import Comparison
from dynamo_consistency.paths import PatternFilter, to_bytes

Reading = Callable[[Case], Findings | None]


def cases(*kinds: str) -> Any:
    return pytest.mark.parametrize("raw", casefile.load(*kinds), ids=lambda raw: raw["id"])


def test_every_case_belongs_to_a_kind_that_is_tested_here() -> None:
    ours = ("compare", "empty", "dataset_filter", "pattern_filter", "inventory_filter")
    ids = [raw["id"] for raw in casefile.load(*ours, "unmerged")]
    assert len(ids) == len(set(ids)) == casefile.FILE.read_text().count("\n- id: ")


@cases("compare")
def test_the_findings_are_those_of_the_case(raw: dict[str, Any], reading: Reading) -> None:
    case, expected = casefile.compare_case(raw)
    found = reading(case)
    if expected is None:
        assert found is None, "the run must be invalid"
    else:
        assert found is not None, "the run must be complete"
        assert (found.missing, found.orphan, found.mismatch) == (expected.missing, expected.orphan, expected.mismatch)


@cases("empty")
def test_the_empty_directories_are_those_of_the_case_in_its_order(raw: dict[str, Any], reading: Reading) -> None:
    case, expected = casefile.empty_case(raw)
    found = reading(case)
    assert found is not None, "the run must be complete"
    assert found.empty == expected


@cases("inventory_filter")
def test_what_takes_part_and_is_absent_is_missing(raw: dict[str, Any], reading: Reading) -> None:
    case, expected = casefile.inventory_filter_case(raw)
    found = reading(case)
    assert found is not None, "the run must be complete"
    assert found.missing == expected


@pytest.mark.parametrize(
    "raw",
    [raw for raw in casefile.load("dataset_filter", "pattern_filter") if isinstance(raw["expect"], bool)],
    ids=lambda raw: raw["id"],
)
def test_a_file_that_a_filter_holds_back_is_no_orphan_and_any_other_is(raw: dict[str, Any], reading: Reading) -> None:
    found = reading(casefile.unknown_file_case(raw))
    assert found is not None, "the run must be complete"
    assert found.orphan == (frozenset() if raw["expect"] else {raw["file"].encode()})


@cases("dataset_filter")
def test_the_dataset_filter_alone_answers_like_the_case(raw: dict[str, Any]) -> None:
    assert DatasetFilter(set(raw["datasets"])).protected(raw["file"]) is raw["expect"]


@cases("pattern_filter")
def test_the_pattern_filter_alone_answers_like_the_case(raw: dict[str, Any]) -> None:
    if isinstance(raw["expect"], bool):
        assert PatternFilter(raw["patterns"]).ignored(to_bytes(raw["file"])) is raw["expect"]
    else:
        with pytest.raises(ValueError, match="names no path component"):
            Comparison(ignore=raw["patterns"])
