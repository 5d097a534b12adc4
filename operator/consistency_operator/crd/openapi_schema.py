"""Structural OpenAPI schemas, as a CustomResourceDefinition wants them, from typed models.

What pydantic says in JSON Schema, without references, unions and the rest that Kubernetes does not take; defaults at
every level, so that a person may leave out as much as they like; a description with its unit for every field.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel

Schema = dict[str, Any]

_INT32 = 2**31 - 1
_KEPT = (
    "description",
    "enum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "required",
    "type",
)


def spec_schema(model: type[BaseModel]) -> Schema:
    """The schema of what a person writes."""
    return _explained(_structural(model.model_json_schema(by_alias=True), _classes(model)))


def status_schema(model: type[BaseModel]) -> Schema:
    """The schema of what is observed: nothing that was seen may be refused, by an older schema least of all.

    So there are no required fields, no closed lists of words and no bounds; the words in use are described.
    """
    return _open(_structural(model.model_json_schema(by_alias=True), _classes(model)))


def _classes(model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """The models below `model`, by the names that pydantic gives them."""
    found = {model.__name__: model}
    for field in model.model_fields.values():
        for inner in _models_in(field.annotation):
            found |= _classes(inner)
    return found


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _structural(document: Schema, classes: Mapping[str, type[BaseModel]]) -> Schema:
    definitions = document.get("$defs", {})

    def resolved(schema: Schema) -> Schema:
        """`schema` as the thing itself, not as a reference or a union with null; keys beside those win."""
        beside = {key: value for key, value in schema.items() if key not in ("$ref", "anyOf")}
        if "$ref" in schema:
            return resolved(definitions[schema["$ref"].rsplit("/", 1)[-1]]) | beside
        options = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
        if len(options) == 1:
            nullable = {"nullable": True} if beside.get("default") is not None else {}
            return resolved(options[0]) | beside | nullable
        return {"x-kubernetes-int-or-string": True} | beside if options else schema

    def converted(schema: Schema) -> Schema:
        """`schema` with only what Kubernetes takes, and the same for all that it contains."""
        schema = resolved(schema)
        model = classes.get(schema.get("title", ""))
        result = {key: schema[key] for key in _KEPT if key in schema}
        result |= {key: value for key, value in schema.items() if key == "nullable" or key.startswith("x-")}
        result |= _default(schema)
        if schema.get("type") == "integer":
            result["format"] = "int32" if schema.get("maximum", 2**63) <= _INT32 else "int64"
        if "items" in schema:
            result["items"] = converted(schema["items"])
        if "properties" in schema:
            fields = {name: converted(inner) for name, inner in schema["properties"].items()}
            result["properties"] = _described(fields, model)
        elif isinstance(schema.get("additionalProperties"), dict):
            result["additionalProperties"] = converted(schema["additionalProperties"])
        elif schema.get("type") == "object":
            result["x-kubernetes-preserve-unknown-fields"] = True
        if "description" in result:
            result["description"] = " ".join(result["description"].split())
        return result

    return converted(document)


def _default(schema: Schema) -> Schema:
    """Of a mapping an empty one: the defaults of its fields are theirs. Null is no default: it is not there."""
    if schema.get("default") is None:
        return {}
    return {"default": {} if schema.get("type") == "object" else schema["default"]}


def _described(fields: dict[str, Schema], model: type[BaseModel] | None) -> dict[str, Schema]:
    """A field that a model makes more precise has the description that it has in the models before."""
    for base in model.__mro__ if model else ():
        for field in getattr(base, "model_fields", {}).values():
            if field.alias in fields and field.description:
                fields[field.alias].setdefault("description", field.description)
    return fields


def _open(schema: Schema) -> Schema:
    """The same without anything that could be a reason to refuse a value of the right type."""
    kept: Schema = {key: schema[key] for key in ("description", "format", "type") if key in schema}
    if "enum" in schema:
        kept["description"] = f"{schema.get('description', '')} One of {', '.join(schema['enum'])}.".strip()
    if "items" in schema:
        kept["items"] = _open(schema["items"])
    if "properties" in schema:
        kept["properties"] = {name: _open(inner) for name, inner in schema["properties"].items()}
    if "additionalProperties" in schema:
        kept["additionalProperties"] = _open(schema["additionalProperties"])
    return kept


def _explained(schema: Schema, name: str = "") -> Schema:
    """The same with unit and default in each description: `kubectl explain` shows neither by itself."""
    sentences = [schema["description"]] if "description" in schema else []
    unit = re.search(r"(?<!30)(seconds|days)$", name.lower())
    if unit and schema.get("type") == "integer":
        sentences.append(f"In {unit[1]}.")
    if "description" in schema and schema.get("default") not in (None, {}, [], ""):
        sentences.append(f"Default: {json.dumps(schema['default'])}.")
    if sentences:
        schema["description"] = " ".join(sentences)
    for inner_name, inner in schema.get("properties", {}).items():
        _explained(inner, inner_name)
    if "items" in schema:
        _explained(schema["items"])
    return schema
