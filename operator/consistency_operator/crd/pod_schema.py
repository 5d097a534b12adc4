"""The schema of a pod's spec, from the models of Kubernetes' own Python client: each field with its type, and no other.

So a field with a typo is refused when a check is written, and not dropped when its Job is made. Every field may be
null: in `spec.podTemplate` that removes what the operator has put there.
"""

import re
from typing import Any

from kubernetes import client

from consistency_operator.crd.openapi_schema import Schema

_NOT_IN_A_TEMPLATE = ("ephemeralContainers",)
_QUANTITIES = ("limits", "requests", "capacity", "sizeLimit", "divisor")
_NAMED = ("containers", "initContainers", "volumes")
_MOST_ITEMS = 64

_QUANTITY: Schema = {
    "x-kubernetes-preserve-unknown-fields": True,  # a number as well, such as 0.5
    "pattern": r"^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$",
    "maxLength": 64,
}
_NAME: Schema = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63}
_PLAIN: dict[str, Schema] = {
    "str": {"type": "string"},
    "datetime": {"type": "string"},
    "int": {"type": "integer", "format": "int64"},
    "bool": {"type": "boolean"},
    "object": {"x-kubernetes-int-or-string": True},
}


def pod_spec_schema() -> Schema:
    """The schema of `spec` of a pod template."""
    schema = _of("V1PodSpec")
    for name in _NOT_IN_A_TEMPLATE:
        del schema["properties"][name]
    for name in _NAMED:
        named = schema["properties"][name]
        named["maxItems"] = _MOST_ITEMS
        named["items"]["properties"]["name"] = _NAME | {"nullable": True}
    return schema


def _of(kind: str) -> Schema:
    """The schema of a type as the client's models name it: `str`, `list[V1Container]`, `dict(str, str)`, …"""
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if listed := re.fullmatch(r"[lL]ist\[(.*)\]", kind):
        return {"type": "array", "items": _of(listed[1])}
    if mapped := re.fullmatch(r"[dD]ict[\[(]str, (.*)[\])]", kind):
        return {"type": "object", "additionalProperties": _of(mapped[1])}
    model = getattr(client, kind)
    fields = {model.attribute_map[name]: type_ for name, type_ in model.openapi_types.items()}
    return {"type": "object", "properties": {name: _field(name, type_) for name, type_ in fields.items()}}


def _field(name: str, kind: str) -> Schema:
    quantity: dict[str, Any] = {"nullable": True, **_QUANTITY}
    if name in _QUANTITIES and kind == "str":
        return quantity
    schema = _of(kind)
    if name in _QUANTITIES and "additionalProperties" in schema:
        schema["additionalProperties"] = quantity
    return {**schema, "nullable": True}
