"""The written cases of scratch areas (`tests/data/comparison-cases.yaml`, kind unmerged)."""

from pathlib import Path
from typing import Any

import pytest
import yaml

CASES = [
    case
    for case in yaml.safe_load((Path(__file__).parents[1] / "data" / "comparison-cases.yaml").read_text())
    if case["kind"] == "unmerged"
]
TIMES = {"OLD": 1_000_000_000}


def test_the_cases_are_there():
    assert [case["id"] for case in CASES] == ["UNM-01", "UNM-02", "UNM-04"]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_what_goes_is_what_the_case_says(case: dict[str, Any], area, with_parents):
    area.protect(*case["protected"])
    area.ignore = ["/RAW"]
    area.files = [(path, TIMES[mtime]) for path, mtime in case["files"]]
    named = {path: TIMES[mtime] for path, mtime in case["dirs"]}
    above = dict.fromkeys(with_parents([path for path, _ in area.files] + list(named)), TIMES["OLD"])
    area.directories = list((above | named).items())
    expected = case["expect"]
    assert sorted(area.found()) == sorted(expected["deleted"])
    assert [area.told["files"] + area.told["logs"], area.told["logs"]] == expected["returns"]
