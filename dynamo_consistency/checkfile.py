"""Check files: reading `SiteConsistencyCheck` resources from YAML, and writing the resolved one of a run."""

import json
from collections.abc import Iterator
from pathlib import Path

import yaml

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.yaml_values import Location
from dynamo_consistency.yamlfile import Document, read_documents, shown_name

CHECK_SETTING = "DYNAMO_CONSISTENCY_CHECK"
"""The environment variable that holds a worker's check, as JSON."""


def read_checks(path: str | Path) -> list[SiteConsistencyCheck]:
    """All checks of a file, also of a List as kubectl prints it.

    Raises ConfigurationError with one line for every problem of every document: file, line, field, what is wrong and
    what would be right.
    """
    resources = [(document, at) for document in read_documents(path) for at in _resources(document)]
    if not resources:
        raise ConfigurationError(f"{shown_name(path)}:1: is empty; a SiteConsistencyCheck is expected")
    checks, problems = [], []
    for document, at in resources:
        try:
            checks.append(document.parse(SiteConsistencyCheck, at))
        except ConfigurationError as error:
            problems.append(str(error))
    if problems:
        raise ConfigurationError("\n".join(problems))
    return checks


def _resources(document: Document) -> Iterator[Location]:
    """Where the resources of a document are in it."""
    items = document.data.get("items") if isinstance(document.data, dict) else None
    if isinstance(items, list) and document.data.get("kind") == "List":
        yield from (("items", number) for number in range(len(items)))
    else:
        yield ()


def is_kustomization(path: str | Path) -> bool:
    """Is it a file that names checks for kustomize? Raises ConfigurationError when it is not YAML."""
    return any(
        isinstance(each.data, dict) and each.data.get("kind") == "Kustomization" for each in read_documents(path)
    )


def read_check(path: str | Path) -> SiteConsistencyCheck:
    """The one check of a file. Raises ConfigurationError, also when the file holds several."""
    checks = read_checks(path)
    if len(checks) > 1:
        raise ConfigurationError(f"{path}: holds {len(checks)} checks; a run takes a file with one")
    return checks[0]


def check_of_json(text: str, name: str) -> SiteConsistencyCheck:
    """The check that a setting called `name` holds as JSON. Raises ConfigurationError, with that name and the field."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{name}: is not valid JSON: {error}") from None
    return Document(name, data, {}).parse(SiteConsistencyCheck)


def dump_check(check: SiteConsistencyCheck) -> str:
    """`check` as YAML, with all defaults written out: what `check.yaml` of a run directory holds.

    A null is written: `maxFraction: null` lifts a limit, and differs from a check without that key. Everything beyond
    ASCII is escaped: written as it is, some characters (a next-line, U+0085) would come back as others.
    """
    data = check.model_dump(mode="json", by_alias=True)
    return str(yaml.safe_dump(data, sort_keys=False))
