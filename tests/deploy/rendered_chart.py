"""The chart's objects, and what the operator's pod among them is told."""

import yaml
from helm_program import template
from rendered_manifests import Manifest


def parsed(text: str) -> list[Manifest]:
    return [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one]


def charted(*arguments: str) -> list[Manifest]:
    """The objects of the chart as somebody installs them, but for its test."""
    crds = [] if "--set=namespaced=true" in arguments else ["--include-crds"]
    objects = parsed(template(*crds, *arguments))
    return [one for one in objects if "helm.sh/hook" not in one["metadata"].get("annotations", {})]


def operator(objects: list[Manifest]) -> Manifest:
    (found,) = [one for one in objects if one["kind"] == "Deployment"]
    return found["spec"]["template"]["spec"]


def settings_of(objects: list[Manifest]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in operator(objects)["containers"][0]["env"] if "value" in entry}
