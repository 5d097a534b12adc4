"""The description of `/api/v1/` for programs, in OpenAPI 3.1; the schemas come from the models."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, NamedTuple, get_args

from pydantic.json_schema import models_json_schema

from dynamo_consistency.kinds import FINDING_KINDS
from dynamo_consistency.web.answers.findings import SORTS
from dynamo_consistency.web.lists import MEDIA_TYPES
from dynamo_consistency.web.models import STATES, Answer, FilePage, FindingsPage, RunPage, SitePage, SitesPage
from dynamo_consistency.web.models.site import Measure

Schema = dict[str, Any]


class _Operation(NamedTuple):
    """query: name → (schema, meaning)"""

    summary: str
    model: type[Answer] | None
    query: Mapping[str, tuple[Schema, str]]


_TEXT: Schema = {"type": "string"}
_OPERATIONS = {
    "/sites": _Operation(
        "All checks of all sites, those that need a person first.",
        SitesPage,
        {
            "text": (_TEXT, "Part of the name of a site or check."),
            "state": ({"enum": list(STATES)}, "What they need a person for."),
        },
    ),
    "/sites/{site}": _Operation(
        "A check of a site over time.",
        SitePage,
        {
            "check": (_TEXT, "Which check; by default that of the last run."),
            "measure": ({"enum": list(get_args(Measure)), "default": "files"}, "What the series count."),
        },
    ),
    "/sites/{site}/runs/{run_id}": _Operation("A run.", RunPage, {}),
    "/sites/{site}/runs/{run_id}/findings/{kind}": _Operation(
        "The first 200 findings of a kind.",
        FindingsPage,
        {
            "sort": ({"enum": list(SORTS)}, "Order; by default that of the findings."),
            "descending": ({"type": "boolean"}, "The other way around."),
            "text": (_TEXT, "What the path has in it."),
        },
    ),
    "/sites/{site}/runs/{run_id}/lists/{name}": _Operation("All findings of a kind as a file.", None, {}),
    "/sites/{site}/file": _Operation(
        "What the runs of a site found of a path.",
        FilePage,
        {"path": (_TEXT, "An LFN, percent-encoded bytes; or a beginning of some, which ends in `*` or `/`.")},
    ),
}
_IN_PATH: dict[str, tuple[Schema, str]] = {
    "site": (_TEXT, "Name of the site."),
    "run_id": (_TEXT, "Id of the run."),
    "kind": ({"enum": [kind.name for kind in FINDING_KINDS]}, "Kind of finding."),
    "name": (
        {"enum": [f"{kind.word}.{ending}" for kind in FINDING_KINDS for ending in MEDIA_TYPES]},
        "Kind and format.",
    ),
}
_ERRORS = {
    "400": "The query means nothing.",
    "404": "The store has nothing of that name.",
    "503": "The store cannot be read now, or too much is asked for at once.",
}


def document(prefix: str) -> str:
    """As JSON."""
    models = [operation.model for operation in _OPERATIONS.values() if operation.model]
    _, schemas = models_json_schema(
        [(model, "serialization") for model in models], ref_template="#/components/schemas/{model}"
    )
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "Dynamo consistency: what the runs found", "version": version("dynamo-consistency")},
            "paths": {prefix + path: {"get": _get(path, operation)} for path, operation in _OPERATIONS.items()},
            "components": {"schemas": schemas["$defs"] | {"Error": _problem()}},
        }
    )


def _get(path: str, operation: _Operation) -> Schema:
    in_path = {name: described for name, described in _IN_PATH.items() if f"{{{name}}}" in path}
    parameters = [_parameter(name, "path", *described) for name, described in in_path.items()]
    parameters += [_parameter(name, "query", *described) for name, described in operation.query.items()]
    errors = {status: {"description": said, "content": _json("Error")} for status, said in _ERRORS.items()}
    return {
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {"200": {"description": operation.summary, "content": _content(operation)}} | errors,
    }


def _parameter(name: str, where: str, schema: Schema, meaning: str) -> Schema:
    return {"name": name, "in": where, "required": where == "path", "schema": schema, "description": meaning}


def _content(operation: _Operation) -> Schema:
    if operation.model is None:
        return {media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA_TYPES.values()}
    return _json(operation.model.__name__)


def _json(schema: str) -> Schema:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _problem() -> Schema:
    return {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
