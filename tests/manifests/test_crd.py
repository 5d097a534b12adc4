"""The CustomResourceDefinition: what the API server checks is what the models say."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from consistency_operator.crd import crd
from consistency_operator.crd.cel_rules import RULES
from consistency_operator.manifests import template_problems

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.yamlfile import Document

HERE = Path(__file__).parent
FILE = HERE.parents[1] / "crds" / "consistency.dynamo.io_siteconsistencychecks.yaml"
EXAMPLES = yaml.safe_load((HERE / "bad-checks.yaml").read_text())
SCHEMA = crd.custom_resource_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def merged(base: dict, overlay: dict) -> dict:
    """`overlay` merged into `base`; a null removes."""
    result = copy.deepcopy(base)
    for key, value in overlay.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key) or {}, value) if isinstance(value, dict) else value
    return result


def parsed(data: dict) -> SiteConsistencyCheck:
    return Document("check", data, {}).parse(SiteConsistencyCheck)


def below(schema: dict, place: str) -> Iterator[tuple[str, dict]]:
    """All schemas in `schema`, each with its place."""
    yield place, schema
    for name, inner in schema.get("properties", {}).items():
        yield from below(inner, f"{place}.{name}")
    for key, suffix in (("items", "[]"), ("additionalProperties", "{}")):
        if key in schema:
            yield from below(schema[key], place + suffix)


POD = ".spec.podTemplate.spec."
SCHEMAS = [(place, schema) for place, schema in below(SCHEMA, "") if place.startswith((".spec", ".status"))]
OURS = [(place, schema) for place, schema in SCHEMAS if not place.startswith(POD)]


def with_defaults(schema: dict, value: object) -> object:
    """What an API server makes of `value`: the defaults of all that is not there."""
    if isinstance(value, list):
        return [with_defaults(schema["items"], item) for item in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    fields = schema["properties"]
    filled = {name: copy.deepcopy(field["default"]) for name, field in fields.items() if "default" in field} | value
    return {name: with_defaults(fields[name], inner) for name, inner in filled.items()}


def without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


def test_the_file_is_what_the_models_say():
    assert FILE.read_text(encoding="utf-8") == crd.rendered(), "run `make crd` and commit the file"


def test_every_field_says_what_it_is():
    # an item of a list of words is described by its list
    silent = [place for place, schema in OURS if not schema.get("description") and not place.endswith(("[]", "{}"))]
    assert len(OURS) > 150
    assert silent == []


def test_every_time_that_a_person_writes_names_its_unit():
    spans = {
        place: schema["description"]
        for place, schema in OURS
        if place.endswith(("Seconds", "days", "Days")) and not place.endswith("Per30Days")  # these are numbers of files
    }
    assert len(spans) > 12
    for place, description in spans.items():
        assert ("In days." if place.endswith("ays") else "In seconds.") in description, place


def test_the_schema_is_structural():
    """Kubernetes takes no references, unions and closed mappings, and a type is due everywhere."""
    foreign = {"$ref", "$defs", "anyOf", "oneOf", "allOf", "const", "title", "propertyNames"}
    for place, schema in SCHEMAS:
        assert not foreign & schema.keys(), place
        typeless = {"x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"}
        assert "type" in schema or typeless & schema.keys(), place
        assert not ("properties" in schema and "additionalProperties" in schema), place
        assert schema.get("type") != "integer" or schema["format"] in ("int32", "int64"), place


def test_every_text_and_list_of_a_check_is_bounded():
    """An API server counts the cost of a rule from the bounds, and refuses a definition without them."""
    open_ended = {".spec.podTemplate.metadata.labels{}", ".spec.podTemplate.metadata.annotations{}"}
    for place, schema in OURS:
        if place.startswith(".spec") and place not in open_ended and "enum" not in schema:
            assert schema.get("type") != "string" or "maxLength" in schema, place
            assert schema.get("type") != "array" or "maxItems" in schema, place


def test_nothing_that_is_observed_can_be_refused_for_its_value():
    """An operator that is newer than the definition must be able to write its status."""
    refusing = {"enum", "maxItems", "maxLength", "maximum", "minimum", "pattern", "x-kubernetes-validations"}
    for place, schema in SCHEMAS:
        if place.startswith(".status"):
            assert not refusing & schema.keys(), place
            assert "required" not in schema or place == ".status.conditions[]", place


def test_the_good_check_is_good():
    assert parsed(EXAMPLES["good"]).spec.site == "T2_X"


@pytest.mark.parametrize("spec", [{}, {"unmerged": {"path": "/store/unmerged", "protectedFrom": {"url": "x"}}}])
def test_what_an_api_server_fills_in_is_what_the_model_means(spec):
    check = merged(EXAMPLES["good"], {"spec": spec})
    filled = with_defaults(SCHEMA["properties"]["spec"], check["spec"])
    assert filled == without_nulls(parsed(check).spec.model_dump(mode="json", by_alias=True))
    assert parsed(check | {"spec": filled}) == parsed(check)


@pytest.mark.parametrize("example", EXAMPLES["bad"], ids=lambda example: str(example["with"]))
def test_what_the_api_server_refuses_the_model_refuses_as_well(example):
    check = merged(EXAMPLES["good"], example["with"])
    if "model" in example:
        with pytest.raises(ConfigurationError) as refused:
            parsed(check)
        assert example["model"] in str(refused.value)
    elif "operator" in example:
        (problem,) = template_problems(parsed(check).spec.pod_template)
        assert example["operator"] in problem
    else:
        assert "podTemplate" in example["with"]["spec"], "of all else the model knows what it may be"


@pytest.mark.parametrize("change", EXAMPLES["good_too"], ids=str)
def test_what_looks_odd_and_is_right_the_model_takes(change):
    assert not template_problems(parsed(merged(EXAMPLES["good"], change)).spec.pod_template)


def test_there_is_a_bad_example_for_every_rule():
    """Each is shown to a real API server by `make e2e`."""
    shown = " ".join(example.get("server", "") for example in EXAMPLES["bad"] + EXAMPLES["edits"])
    messages = {rule.message for rules in RULES.values() for rule in rules}
    assert [message for message in messages if message[:40] not in shown] == []


def test_rules_are_sentences_that_end_like_those_of_an_api_server():
    for place, schema in SCHEMAS:
        for rule in schema.get("x-kubernetes-validations", []):
            assert rule["message"][-1] not in ".\n", place


def test_people_call_it_by_the_names_that_are_written_down():
    definition = crd.custom_resource_definition()["spec"]
    (version,) = definition["versions"]
    assert (definition["group"], version["name"]) == ("consistency.dynamo.io", "v1alpha1")
    assert (definition["names"]["kind"], definition["scope"]) == ("SiteConsistencyCheck", "Namespaced")
    assert "sitecheck" in definition["names"]["shortNames"]
    assert definition["names"]["categories"] == ["consistency"]
    assert version["subresources"] == {"status": {}}


def test_the_status_has_the_fields_that_are_written_down():
    status = SCHEMA["properties"]["status"]["properties"]
    assert {"observedGeneration", "conditions", "nextRunTime", "lastManualTrigger", "run", "history"} <= status.keys()
    of_run = {"id", "trigger", "stage", "jobs", "counts", "gates", "deletions", "transfers", "artifacts"}
    assert of_run <= status["run"]["properties"].keys()


@pytest.mark.parametrize("path", [column[2] for column in crd._COLUMNS], ids=str)
def test_every_column_shows_a_field_that_there_is(path):
    place: dict = SCHEMA
    for name in re.sub(r"\[[^]]*]", "[]", path).lstrip(".").split("."):
        if path.startswith(".metadata"):
            return
        place = place["properties"][name.removesuffix("[]")] if "properties" in place else place["additionalProperties"]
        place = place["items"] if name.endswith("[]") else place
    assert "type" in place
