"""YAML on a page is judged by what reads it: the models of checks and backends, the definition, kustomize, promtool."""

import copy
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from consistency_operator.crd import crd
from fences import REPOSITORY, Fence
from helm_program import CHART, template
from jsonschema import Draft202012Validator
from kubernetes_objects import unknown_fields
from rendered_manifests import rendered
from required_programs import require_programs

from dynamo_consistency.backend import backends_file
from dynamo_consistency.backend.file.options import InventorySource
from dynamo_consistency.check import DumpSource
from dynamo_consistency.checkfile import read_check
from dynamo_consistency.yamlfile import Document, documents_in

Mapping = dict[str, Any]
SCHEMA = crd.custom_resource_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
OF_A_SPEC: Mapping = SCHEMA["properties"]["spec"]["properties"]
OF_A_LISTING: Mapping = OF_A_SPEC["listing"]["properties"]
WHOLE: Mapping = {
    "apiVersion": "consistency.dynamo.io/v1alpha1",
    "kind": "SiteConsistencyCheck",
    "metadata": {"name": "t2-x"},
    "spec": {"site": "T2_X", "listing": {"roots": [{"path": "/store/mc"}]}},
}
VALUES: Mapping = yaml.safe_load((CHART / "values.yaml").read_text())
REMOTE = re.compile(r"https://git\.example\.org/dynamo-consistency//(deploy/[\w/-]+)\?ref=v[\d.]+")


class Unplaced(Exception):  # noqa: N818 (a sentence to whoever writes the page)
    """No reader is known for a block of YAML."""


def judge(fence: Fence, folder: Path) -> None:
    """Every document in the block is read by its reader, in `folder`. Raises what the reader does, or Unplaced."""
    for number, document in enumerate(documents_in(fence.text, str(fence))):  # refuses a key that is there twice
        file, data = folder / f"{number}.yaml", document.data
        file.write_text(yaml.safe_dump(data), encoding="utf-8")
        keys = set(data)
        reader = next((reader for is_it, reader in READERS if is_it(keys, data)), None)
        if reader is None:
            raise Unplaced(
                f"{fence}: nothing is known that reads YAML with the keys {sorted(keys)}: add a reader to "
                "tests/docs/yaml_on_pages.py, or write it as a file that a command on the page reads"
            )
        reader(file, data)


def merged(base: Any, overlay: Any) -> Any:
    if not isinstance(base, dict) or not isinstance(overlay, dict):
        return copy.deepcopy(overlay)
    return {key: copy.deepcopy(value) for key, value in base.items()} | {
        key: merged(base.get(key), value) for key, value in overlay.items()
    }


def is_valid(check: Mapping, file: Path) -> None:
    """A whole check: the command takes it, and so does an API server that has our definition."""
    file.write_text(yaml.safe_dump(check))
    read_check(file)
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(check)] == []
    assert list(beyond(SCHEMA, check)) == []


def beyond(schema: Mapping, value: Any, place: str = "") -> list[str]:
    """Places in `value` that the definition does not have."""
    if isinstance(value, list):
        return [found for item in value for found in beyond(schema.get("items", {}), item, f"{place}[]")]
    if not isinstance(value, dict) or schema.get("x-kubernetes-preserve-unknown-fields"):
        return []
    named, others = schema.get("properties", {}), schema.get("additionalProperties")
    if place == ".metadata" or (others is None and not named and place):
        return []
    found = []
    for key, inner in value.items():
        below = named.get(key, others)
        found += [f"{place}.{key}"] if below is None else beyond(below, inner, f"{place}.{key}")
    return found


def _check(file: Path, data: Mapping) -> None:
    is_valid(data if "spec" in data else merged(WHOLE, data), file)


def _part_of_check(file: Path, data: Mapping) -> None:
    is_valid(merged(WHOLE, data if "spec" in data else {"spec": data}), file)


def _part_of_listing(file: Path, data: Mapping) -> None:
    is_valid(merged(WHOLE, {"spec": {"listing": data}}), file)


def _backends(file: Path, data: Mapping) -> None:
    backends_file.read(file)
    backends_file.read_notify(file)


def _dump(file: Path, data: Mapping) -> None:
    Document(str(file), data.get("dump", data), {}).parse(DumpSource)


def _inventory(file: Path, data: Mapping) -> None:
    Document(str(file), data["inventory"], {}).parse(InventorySource)


def _kustomization(file: Path, data: Mapping) -> None:
    """It builds with the folders of this version; what is laid over something is laid over what the page is about."""
    text = REMOTE.sub(lambda remote: os.path.relpath(REPOSITORY / remote[1], file.parent), file.read_text())
    data = yaml.safe_load(text)
    assert "git.example.org" not in text, "a folder of the repository is named as …//deploy/FOLDER?ref=v1.2.3"
    if "resources" not in data:
        data["resources"] = [os.path.relpath(REPOSITORY / "deploy" / base, file.parent) for base in ("base", "web")]
    (file.parent / "kustomization.yaml").write_text(yaml.safe_dump(data))
    rendered.__wrapped__(file.parent)


def _scraping(file: Path, data: Mapping) -> None:
    require_programs("promtool", install="apt-get install prometheus")
    done = subprocess.run(["promtool", "check", "config", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _object(file: Path, data: Mapping) -> None:
    assert unknown_fields(data) == []


def _values(file: Path, data: Mapping) -> None:
    template("--values", str(file))


READERS: list[tuple[Callable[[set[str], Mapping], bool], Callable[[Path, Mapping], None]]] = [
    (lambda keys, data: data.get("kind") == "SiteConsistencyCheck", _check),
    (lambda keys, data: keys <= {"backends", "notify"}, _backends),
    (lambda keys, data: data.get("kind") == "Kustomization", _kustomization),
    (lambda keys, data: {"apiVersion", "kind"} <= keys, _object),
    (lambda keys, data: keys == {"spec"} or keys <= OF_A_SPEC.keys(), _part_of_check),
    (lambda keys, data: keys <= OF_A_LISTING.keys(), _part_of_listing),
    (lambda keys, data: keys in ({"dump"}, {"url"}), _dump),
    (lambda keys, data: keys == {"inventory"}, _inventory),
    (lambda keys, data: keys <= {"namespace", "resources", "components", "patches"}, _kustomization),
    (lambda keys, data: keys == {"scrape_configs"}, _scraping),
    (lambda keys, data: keys <= VALUES.keys(), _values),
]
