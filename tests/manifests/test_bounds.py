"""Numbers that a check may have, at their bounds: no sum of them is more than a manifest can hold."""

from typing import Any

import pytest
from consistency_operator.manifests import JobRun, build_job
from consistency_operator.names import JOB_STAGES
from consistency_operator.settings import read_settings
from hypothesis import given
from hypothesis import strategies as st
from manifests_examples import Owner, check_with
from pydantic import BaseModel

from dynamo_consistency.check import Spec

SETTINGS = read_settings({"CONSISTENCY_IMAGE": "example.org/dynamo-consistency:3.0.0"})
INT32 = 2**31 - 1
SPEC = Spec.model_json_schema(by_alias=True)


def numbers_of(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """Any whole numbers that the bounds of the fields of `model` allow; they, and none, are what is at stake."""
    fields = {}
    schema = SPEC["$defs"].get(model.__name__, SPEC)["properties"]
    for name, field in schema.items():
        for option in field.get("anyOf", [field]):
            if option.get("type") == "integer":
                least, most = option["minimum"], option["maximum"]
                fields[name] = st.sampled_from([least, most]) | st.integers(least, most)
    return st.fixed_dictionaries({}, optional=fields)


listings = numbers_of(Spec.model_fields["listing"].annotation).map(lambda one: {"roots": [{"path": "/a"}], **one})
specs = st.builds(lambda numbers, listing: numbers | {"listing": listing}, numbers_of(Spec), listings)


def integers(value: Any, at: str = "") -> list[tuple[str, int]]:
    """All whole numbers in a manifest, each with its place."""
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in integers(inner, f"{at}.{key}")]
    if isinstance(value, list):
        return [found for inner in value for found in integers(inner, f"{at}[]")]
    return [(at, value)] if isinstance(value, int) and not isinstance(value, bool) else []


@given(spec=specs, left=st.integers(-INT32, INT32))
def test_no_sum_of_numbers_that_a_check_may_have_is_too_large_for_a_job(spec: dict[str, Any], left: int) -> None:
    run = JobRun("1", check_with(**spec), left)
    for stage in JOB_STAGES:
        found = integers(build_job(stage, Owner(), run, SETTINGS))
        assert len(found) > 5
        for place, number in found:
            assert 0 <= number <= INT32, place


@pytest.mark.parametrize("definition", [SPEC, *SPEC["$defs"].values()], ids=lambda definition: definition["title"])
def test_every_whole_number_of_a_check_has_bounds(definition: dict[str, Any]) -> None:
    for name, field in definition.get("properties", {}).items():
        for option in field.get("anyOf", [field]):
            if option.get("type") == "integer" and definition["title"] != "Columns":
                assert 0 <= option["minimum"] <= option["maximum"] <= INT32, name
