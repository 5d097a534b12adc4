"""Objects of Kubernetes itself, against the types of its own Python client."""

import re
from collections.abc import Iterator
from typing import Any

from kubernetes import client


def unknown_fields(manifest: dict[str, Any]) -> list[str]:
    """Fields of an object, by their place, that its kind does not have."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    model = getattr(client, f"{version.capitalize()}{manifest['kind']}", None)
    return [f"{group}/{version} {manifest['kind']}"] if model is None else list(_beyond(model, manifest, ""))


def _beyond(model: Any, value: Any, place: str) -> Iterator[str]:
    """As the client describes its models: attribute → name in JSON, and attribute → type, such as `list[V1Port]`."""
    types = {name: model.openapi_types[attribute] for attribute, name in model.attribute_map.items()}
    for key, inner in value.items():
        if key not in types:
            yield f"{place}.{key}"
            continue
        of_items = re.fullmatch(r"list\[(\w+)\]", types[key])
        below = getattr(client, of_items[1] if of_items else types[key], None)
        if hasattr(below, "openapi_types"):
            for item in inner if of_items else [inner]:
                yield from _beyond(below, item, f"{place}.{key}")
