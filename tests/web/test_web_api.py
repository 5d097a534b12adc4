"""`/api/v1/` and its description: every address is described, and every answer is as described."""

from datetime import UTC, datetime, timedelta

import pytest
from jsonschema import Draft202012Validator
from made_runs import Made, action, write_findings

from dynamo_consistency.web import api


@pytest.fixture
def values(store) -> dict[str, str]:
    """For the names in addresses, of a store in which something is there for each."""
    Made(start=datetime.now(UTC) - timedelta(days=2), result="Invalid", reason="no").write(store)
    made = Made(actions={"missing": action("transfer", 1, requested=1)}, schedule="0 3 * * *")
    write_findings(made.write(store), "missing", [{"path": b"/store/a\xff", "size": 1, "mtime": 1.6e9}])
    return {"site": "T2_X", "run_id": made.run_id, "kind": "missing", "name": "missing.csv"}


@pytest.fixture
def document(client) -> dict:
    return client.get("/api/v1/openapi.json").json()


def test_every_address_is_described_and_every_described_one_is_there(view, document):
    there = {route.path for route in api.routes(view)} - {"/api/v1/openapi.json"}
    assert set(document["paths"]) == there


def test_answers_are_as_described(client, document, values):
    for path, operations in document["paths"].items():
        answer = client.get(path.format(**values) + "?path=/store/*")
        assert answer.status_code == 200, path
        content = operations["get"]["responses"]["200"]["content"]
        assert answer.headers["content-type"].partition(";")[0] in content
        if "application/json" in content:
            schema = content["application/json"]["schema"] | {"components": document["components"]}
            Draft202012Validator(schema).validate(answer.json())


def test_descriptions_refuse_what_is_not_as_described(document):
    schema = {"$ref": "#/components/schemas/SitesPage", "components": document["components"]}
    assert list(Draft202012Validator(schema).iter_errors({"rows": "none"}))


def test_every_value_of_a_query_that_is_described_is_taken(client, document, values):
    for path, operations in document["paths"].items():
        for parameter in operations["get"]["parameters"]:
            for value in parameter["schema"].get("enum", []) if parameter["in"] == "query" else []:
                assert client.get(path.format(**values), params={parameter["name"]: value}).status_code == 200


def test_names_are_those_of_the_summary(client, values):
    row = client.get("/api/v1/sites").json()["rows"][0]
    assert row["lastRun"]["runId"] == values["run_id"]
    assert row["lastSuccess"].endswith("Z")


def test_a_head_has_no_content(client, values):
    answer = client.head("/api/v1/sites")
    assert (answer.status_code, answer.content) == (200, b"")
