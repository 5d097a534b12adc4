"""`spec.podTemplate` laid over a pod: as Kubernetes' strategic merge, lists of named things by their names."""

import copy
from collections.abc import Mapping
from typing import Any

Manifest = dict[str, Any]

MERGED_BY = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "imagePullSecrets": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "ports": "containerPort",
    "hostAliases": "ip",
}
APPENDED = ("tolerations", "topologySpreadConstraints", "envFrom")
NOT_MERGED = ("env", "volumes")
"""Items that have one of several sources: one laid over the other would have two."""


def overlaid(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> Manifest:
    """`overlay` laid over `base`; a null removes what is there. Neither is changed."""
    result = copy.deepcopy(dict(base))
    for key, value in overlay.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            below = result.get(key)
            result[key] = overlaid(below if isinstance(below, Mapping) else {}, value)
        elif isinstance(value, list):
            result[key] = _merged_list(key, result.get(key) or [], value)
        else:
            result[key] = value
    return result


def _merged_list(name: str, base: list[Any], overlay: list[Any]) -> list[Any]:
    if name in APPENDED:
        return base + copy.deepcopy(overlay)
    key = MERGED_BY.get(name)
    if key is None or not all(isinstance(item, Mapping) and isinstance(item.get(key), str | int) for item in overlay):
        return copy.deepcopy(overlay)  # also what is no list of named things: the API server will say so
    items = {item.get(key): item for item in base}
    for item in overlay:
        under = {} if name in NOT_MERGED else items.get(item.get(key), {})
        items[item.get(key)] = overlaid(under, item)
    return list(items.values())
