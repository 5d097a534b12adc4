"""The CustomResourceDefinition, from the models of spec and status: `python -m consistency_operator.crd.crd`."""

import sys

import yaml

from consistency_operator import names
from consistency_operator.crd.cel_rules import add_rules
from consistency_operator.crd.openapi_schema import Schema, spec_schema, status_schema
from consistency_operator.crd.pod_schema import pod_spec_schema
from consistency_operator.resource.status import CheckStatus
from dynamo_consistency.check import SiteConsistencyCheck, Spec

HEAD = "# Generated from the models of the check and of its status by `make crd`; do not edit.\n"

_LAST_COMPLETE = '.status.history[?(@.result=="Complete")].counts'
_COLUMNS = (
    # name, type, JSON path, priority (1: only with -o wide), description
    ("Site", "string", ".spec.site", 0, "The site."),
    ("Schedule", "string", ".spec.schedule", 1, "When it is checked."),
    ("Suspended", "boolean", ".spec.suspend", 0, "No new run starts."),
    ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', 0, "False: the spec is not valid."),
    (
        "Run",
        "string",
        '.status.conditions[?(@.type=="Running")].reason',
        0,
        "What the run that is going on does, or what it waits for.",
    ),
    ("Message", "string", ".status.run.message", 1, "More about that."),
    ("Result", "string", '.status.conditions[?(@.type=="Succeeded")].reason', 0, "How the last run ended."),
    ("Missing", "integer", f"{_LAST_COMPLETE}.missing", 0, "Missing files, by the last complete run."),
    ("Orphans", "integer", f"{_LAST_COMPLETE}.orphans", 0, "Orphans, by the last complete run."),
    ("Mismatches", "integer", f"{_LAST_COMPLETE}.mismatches", 1, "Files of another size, by the last complete run."),
    (
        "Holes",
        "integer",
        f"{_LAST_COMPLETE}.holes",
        1,
        "Directories that could not be listed, by the last complete run.",
    ),
    ("Last success", "date", ".status.lastSuccessfulRunTime", 0, "Age of the last complete run."),
    ("Next", "string", ".status.nextRunTime", 0, "When the next run is due."),
    (
        "Why",
        "string",
        '.status.conditions[?(@.type=="Ready")].reason',
        1,
        "Whether the schedule is armed, and why not.",
    ),
    ("Age", "date", ".metadata.creationTimestamp", 0, "Age of the check."),
)


def custom_resource_definition() -> Schema:
    """The CustomResourceDefinition, as the API server takes it."""
    kind = names.KIND
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{names.PLURAL}.{names.API_GROUP}",
            "labels": {"app.kubernetes.io/name": "dynamo-consistency"},
        },
        "spec": {
            "group": names.API_GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": names.PLURAL,
                "singular": kind.lower(),
                "shortNames": ["sitecheck", "sitechecks"],
                "categories": ["consistency"],
            },
            "versions": [_version()],
        },
    }


def _version() -> Schema:
    return {
        "name": names.VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(*column) for column in _COLUMNS],
        "schema": {"openAPIV3Schema": _schema()},
    }


def _column(name: str, kind: str, path: str, priority: int, description: str) -> Schema:
    """A priority of 0 is not kept by the API server: Argo CD would see a difference and apply it again for ever."""
    shown = {"priority": priority} if priority else {}
    return {"name": name, "type": kind, "jsonPath": path} | shown | {"description": description}


def _schema() -> Schema:
    spec, status = spec_schema(Spec), status_schema(CheckStatus)
    template = spec["properties"]["podTemplate"]["properties"]
    template["spec"] = {key: template["spec"][key] for key in ("description", "default")} | pod_spec_schema()
    _as_map(spec["properties"]["listing"]["properties"]["roots"], "path")
    _as_map(status["properties"]["conditions"], "type", "status")
    # Without any status a new check would count as settled before it is looked at (kstatus, which Flux waits on).
    status["default"] = {"observedGeneration": -1}
    schema = {
        "description": " ".join((SiteConsistencyCheck.__doc__ or "").split()),
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": f"{names.API_VERSION}."},
            "kind": {"type": "string", "description": f"{names.KIND}."},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": status,
        },
    }
    add_rules(schema)
    return schema


def _as_map(schema: Schema, key: str, *required: str) -> None:
    """A list whose items are distinguished by `key`: no two are equal, and each can have an owner of its own."""
    schema["x-kubernetes-list-type"] = "map"
    schema["x-kubernetes-list-map-keys"] = [key]
    schema["items"]["required"] = [key, *required]


def main() -> None:
    """Print the CustomResourceDefinition."""
    sys.stdout.write(rendered())


def rendered() -> str:
    """The CustomResourceDefinition as YAML, as it is in `crds/`."""
    text: str = yaml.safe_dump(custom_resource_definition(), sort_keys=False, width=120, allow_unicode=True)
    return HEAD + text


if __name__ == "__main__":
    main()
