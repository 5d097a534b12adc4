"""The JSON schema of a check, for editors that complete and check YAML while it is written."""

from collections.abc import Iterator
from typing import Any

from dynamo_consistency.check.spec import SiteConsistencyCheck
from dynamo_consistency.yamlfile import WORDS


def json_schema() -> dict[str, Any]:
    """Of one `SiteConsistencyCheck`, as a file holds it. What takes several fields to judge, only `validate` knows."""
    schema = SiteConsistencyCheck.model_json_schema(by_alias=True)
    for part in _parts(schema):
        part.pop("x-kubernetes-preserve-unknown-fields", None)
        if words := WORDS.get(str(part.get("pattern"))):
            part["patternErrorMessage"] = f"must be {words}"  # in the place of the expression, for editors that know it
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "SiteConsistencyCheck"}
    return head | schema


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    """All mappings in it."""
    if isinstance(schema, dict):
        yield schema
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _parts(part)
