"""The shapes in which RCE's configuration is found: its own file, a ConfigMap, a rendered chart, the chart's values."""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dynamo_consistency.convert.conversion import Note
from dynamo_consistency.convert.roots import CMS_ROOTS, DEFAULT_TOP
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.yamlfile import documents_in

_CRON_LINE = re.compile(r"DeterministicDelay\s+(?:.*\s)?-d\s*([0-9]+)d\s.*?/site\.sh\s+(\S+)")
_JOB = re.compile(r"/site\.sh\s+(\S+)\s*$")
_JOB_DAYS = {"R R R * * *": 1, "R R R * * R": 7, "R R R R1-7,R15-21 * *": 14, "R R R R * *": 31}
_OF_A_SITE = {
    "server": ("scanner", "server"),
    "server_root": ("scanner", "server_root"),
    "timeout": ("scanner", "timeout"),
    "maxdarkfraction": ("dark_action", "max_fraction"),
    "maxmissfraction": ("missing_action", "max_fraction"),
}


@dataclass
class RceFiles:
    """What was found: configurations of RCE, the days between the runs of an RSE, and what was left out."""

    configs: list[Mapping[str, Any]] = field(default_factory=list)
    intervals: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


def rce_files(documents: Iterable[Any]) -> RceFiles:
    """What is in the documents of all files together; later values of the chart overrule earlier ones.

    Raises ConfigurationError where nothing is of RCE.
    """
    found, values = RceFiles(), dict[str, Any]()
    for document in documents:
        for part in _parts(document):
            if isinstance(part.get("consistency"), Mapping):
                values = merged(values, part["consistency"])
            elif "rses" in part:
                found.configs.append(part)
            else:
                found.intervals |= _intervals(part)
    if values:
        found.configs.append(_of_values(values, found))
    if not found.configs:
        raise ConfigurationError(
            "this is no configuration of RCE: it has no mapping rses with a mapping for each RSE, nor is it a "
            "ConfigMap with one, or the chart's values with consistency.sites"
        )
    return found


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`under` with what `over` says otherwise, at any depth; null says nothing."""
    result = dict(under)
    for key, value in over.items():
        if value is None and key in under:
            continue
        both = isinstance(value, Mapping) and isinstance(under.get(key), Mapping)
        result[key] = merged(under[key], value) if both else value
    return result


def _parts(document: Any) -> Iterator[Mapping[str, Any]]:
    """The mappings that may tell something, from within resources of Kubernetes."""
    if not isinstance(document, Mapping):
        return
    kind = document.get("kind")
    if kind in ("ConfigMap", "Secret"):
        data = [(name, _decoded(text) if kind == "Secret" else text) for name, text in _items(document, "data")]
        for name, text in [*data, *_items(document, "stringData")]:
            yield from _texts(f"{kind} {_items_name(document)}, {name}", text)
    elif isinstance(kind, str) and kind.endswith("List") and isinstance(document.get("items"), list):
        for each in document["items"]:
            yield from _parts(each)
    elif kind == "HelmRelease" and isinstance(document.get("spec"), Mapping):
        yield from _parts(document["spec"].get("values"))
    elif kind is None or "rses" in document:
        yield document


def _items(document: Mapping[str, Any], key: str) -> list[tuple[Any, Any]]:
    return list(document[key].items()) if isinstance(document.get(key), Mapping) else []


def _items_of(job: Any, key: str) -> str:
    return str(job.get(key)) if isinstance(job, Mapping) else ""


def _decoded(text: Any) -> str | None:
    try:
        return base64.b64decode(str(text), validate=True).decode()
    except ValueError:
        return None


def _items_name(document: Mapping[str, Any]) -> str:
    return str(dict(_items(document, "metadata")).get("name", "without a name"))


def _texts(place: str, text: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(text, str):
        return
    if days := {rse: int(number) for number, rse in _CRON_LINE.findall(text)}:
        yield {"intervals": days}
    try:
        documents = documents_in(text, place)
    except ConfigurationError:
        if "rses:" in text or "consistency:" in text:
            raise
    else:
        for document in documents:
            yield from _parts(document.data)


def _intervals(part: Mapping[str, Any]) -> dict[str, Any]:
    """Days between runs, by RSE, from lines of a crontab or from jobs as Jobber has them."""
    found = dict(_items(part, "intervals"))
    for _, job in _items(part, "jobs"):
        command, time = _items_of(job, "cmd"), " ".join(_items_of(job, "time").split())
        of_month = re.fullmatch(r"R R R \*/([0-9]+) \* \*", time)
        days = int(of_month[1]) if of_month else _JOB_DAYS.get(time)
        if (site := _JOB.search(command)) and days:
            found[site[1]] = days
    return found


def _of_values(values: Mapping[str, Any], found: RceFiles) -> Mapping[str, Any]:
    """A configuration such as the chart writes from its values."""
    sites = values.get("sites") or {}
    if not isinstance(sites, Mapping):
        raise ConfigurationError("consistency.sites must be a mapping of RSEs to their values")
    why = "roots and prefixes are the chart's, as CMS had it: compare, or convert what helm template writes"
    found.notes.append(Note("consistency", why))
    for key in set(values) - {"sites", "ignore", "defaultRoot"}:
        why = (
            "RCE never read it; name what takes no part in listing.exclude"
            if key == "filter"
            else "unknown key: left out"
        )
        found.notes.append(Note(f"consistency.{key}", why))
    return {"rses": {"*": _defaults(values)} | {str(rse): _of_a_site(of_it, values) for rse, of_it in sites.items()}}


def _defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    if values.get("defaultRoot"):
        paths = {"server_root": values["defaultRoot"], "remove_prefix": "/", "add_prefix": "/store/"}
        roots = list(CMS_ROOTS)
    else:
        paths, roots = (
            {"server_root": "/", "remove_prefix": "/", "add_prefix": "/"},
            [f"{DEFAULT_TOP}/{name}" for name in CMS_ROOTS],
        )
    return {
        "ignore_list": values.get("ignore") or [],
        "scanner": paths | {"roots": [{"path": root} for root in roots]},
        "missing_action": {"max_fraction": "0.01"},
        "dark_action": {"max_fraction": "0.01", "min_runs": 3, "min_age_first_run": 25},
    }


def _of_a_site(site: Any, values: Mapping[str, Any]) -> Any:
    if not isinstance(site, Mapping):
        return site
    result: dict[str, Any] = {}
    for key, value in site.items():
        block, name = _OF_A_SITE.get(key, (None, key))
        said = {"ignore_list": _both(values.get("ignore"), value)} if key == "ignore" else {name: value}
        result = merged(result, {block: said} if block else said)
    return result


def _both(common: Any, own: Any) -> Any:
    lists = isinstance(own, list) and isinstance(common or [], list)
    return [*(common or []), *own] if lists else own
