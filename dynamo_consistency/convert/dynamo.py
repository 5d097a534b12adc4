"""From the JSON (or YAML) configuration of dynamo-consistency, in which all sites share one file."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dynamo_consistency.check import Comparison, MissingPolicy, OrphanPolicy
from dynamo_consistency.convert.conversion import Conversion, Note
from dynamo_consistency.convert.limits import at_most, days_at_least, without_nothing
from dynamo_consistency.convert.roots import disjoint, door_source, is_in, is_scratch, normalised, scratch_below
from dynamo_consistency.convert.settings import MOST, Settings, words
from dynamo_consistency.convert.unmerged import unmerged
from dynamo_consistency.errors import ConfigurationError

_BY_SITE = ("AccessMethod", "AdditionalLogDeletions", "PathPrefix", "Redirectors")
_LISTS_OF_SITES = ("Unmerged", "UseLoadBalancer")
_NOT_NEEDED = {
    "CacheLocation": "the store keeps what a run needs (spec.store, or --store)",
    "FreeMem": "memory is asked for and bounded in spec.podTemplate",
    "GFALThreads": "the number of requests in flight follows the door; listing.concurrency is its upper bound",
    "InventoryAge": "each run takes its own snapshots",
    "ListAge": "each run lists the site",
    "LogLocation": "logs go to stderr, and a pod's are its log",
    "MaxThreads": "the number of requests in flight follows the door; listing.concurrency is its upper bound",
    "MinThreads": "the number of requests in flight follows the door",
    "NumThreads": "the number of requests in flight follows the door; listing.concurrency is its upper bound",
    "RedirectorAge": "a redirector is asked for its data servers in each run",
    "SaveCache": "spec.retention says how long inventories and listings are kept",
    "Timeout": "nothing ever read it; listing.directoryTimeoutSeconds is the time for one directory",
    "UseTransferQueue": "the backend writes what this generation of Dynamo reads",
    "VarLocation": "the store keeps what a run needs (spec.store, or --store)",
    "WebDir": "reports are in the run directory",
}
_ELSEWHERE = {
    "DBConfig": "it goes into backends.yaml, as a backend of type dynamo, with its password in a file",
    "Email": "alerts come from the metrics, and a run's result is in the status",
    "GlobalRedirectors": "doors are named site by site, in listing.source or in backends.yaml",
}


def convert_dynamo(
    config: Mapping[str, Any], sites: Sequence[str] = (), backend: str = "default", protected_from: str | None = None
) -> Conversion:
    """A check for each of `sites`, or else for each site that `config` names.

    `protected_from`: path or URL of the list of directories that are protected in the unmerged area; without it the
    area is left out. Raises ConfigurationError where no site is named, and for what is no such configuration.
    """
    result = Conversion()
    if "DirectoryList" not in config and "RootPath" not in config:
        raise ConfigurationError("this is no configuration of dynamo-consistency: no RootPath and no DirectoryList")
    chosen = list(dict.fromkeys(sites)) or _named(config)
    if not chosen:
        raise ConfigurationError("the configuration names no site; say which ones with --site")
    for key in config:
        if key in _NOT_NEEDED:
            result.notes.append(Note(key, f"not needed: {_NOT_NEEDED[key]}"))
        elif key in _ELSEWHERE:
            result.notes.append(Note(key, _ELSEWHERE[key]))
    _no_area(config, result)
    for site in chosen:
        settings = Settings(_of_site(config, site), result.notes, site)
        spec = _spec(site, settings, backend, protected_from)
        for key in settings.left():
            settings.note(key, "unknown key: left out")
        if "roots" in spec.get("listing", {}):
            result.add(site, spec)
        else:
            settings.note("no check", "no directory of DirectoryList is left that an inventory knows")
    return result


def _no_area(config: Mapping[str, Any], result: Conversion) -> None:
    """A note where scratch areas are set up, and no site is named whose area is cleaned."""
    if not config.get("Unmerged") and any(config.get(key) for key in ("ListDeletable", "UnmergedLogsAge")):
        why = "it names no site: no scratch area was cleaned, so that its other settings are not needed"
        result.notes.append(Note("Unmerged", why))


def _named(config: Mapping[str, Any]) -> list[str]:
    """The sites that the configuration has something special for."""
    names: list[Any] = []
    for key in _BY_SITE + _LISTS_OF_SITES:
        value = config.get(key)
        if isinstance(value, str):
            value = words(value)
        if isinstance(value, Mapping | list):
            names += value
    deletable = config.get("ListDeletable")
    alternate = deletable.get("AlternateRoot") if isinstance(deletable, Mapping) else None
    names += alternate if isinstance(alternate, Mapping) else ()
    return sorted({name for name in names if isinstance(name, str)})


def _of_site(config: Mapping[str, Any], site: str) -> dict[str, Any]:
    """The settings as one site sees them: of what is given site by site, its own."""
    values = {key: value for key, value in config.items() if key not in _NOT_NEEDED and key not in _ELSEWHERE}
    for key in _BY_SITE:
        if isinstance(values.get(key), Mapping):
            values[key] = values[key].get(site)
    for key in _LISTS_OF_SITES:
        if isinstance(names := values.get(key), str):
            names = words(names)
        if isinstance(names, list):
            values[key] = site in names
    deletable = values.get("ListDeletable")
    if isinstance(deletable, Mapping) and isinstance(deletable.get("AlternateRoot"), Mapping):
        values["ListDeletable"] = {**deletable, "AlternateRoot": deletable["AlternateRoot"].get(site)}
    return values


def _spec(site: str, settings: Settings, backend: str, protected_from: str | None) -> dict[str, Any]:
    root = "/" + (settings.text("RootPath") or "/store").strip("/")
    given = [f"{root}/{name}" for name in settings.texts("DirectoryList")]
    areas = [path for path in given if is_scratch(path)]
    roots = disjoint(settings, "DirectoryList", [path for path in given if path not in areas])
    scratch = unmerged(settings, root, normalised(areas[0]) if areas else None, protected_from)
    for area in areas:
        settings.note("DirectoryList", f"{area} is a scratch area, which no inventory knows: it is no root")
    listing = {
        "source": _source(settings),
        "roots": [{"path": path} for path in roots],
        "exclude": _areas_below(settings, root, roots, scratch),
        "retries": _retries(settings),
    }
    age = days_at_least(settings, "IgnoreAge", Comparison().ignore_age_seconds, "comparison.ignoreAgeSeconds")
    comparison = {"ignoreAgeSeconds": age, "ignore": _patterns(settings)}
    missing = at_most(settings, "MaxMissing", MissingPolicy().max_count, "policy.missing.maxCount")
    orphans = at_most(settings, "MaxOrphan", OrphanPolicy().max_count, "policy.orphans.maxCount")
    if settings.flag("DeleteOrphans") is False:
        settings.note("DeleteOrphans", "not needed: each mode is Report until you write Enforce")
    policy = {"missing": without_nothing({"maxCount": missing}), "orphans": without_nothing({"maxCount": orphans})}
    spec: dict[str, Any] = {
        "site": site,
        "backend": backend,
        "listing": without_nothing(listing),
        "comparison": without_nothing(comparison),
        "policy": without_nothing(policy),
        "unmerged": scratch,
    }
    if settings.in_doubt:
        settings.note("suspend", "what is left alone could not be read: the check is suspended until you have said it")
        spec["suspend"] = True
    return without_nothing(spec)


def _areas_below(settings: Settings, root: str, roots: list[str], scratch: dict[str, Any] | None) -> list[str]:
    """Scratch areas within roots, which are excluded there."""
    cleaned = [scratch["path"], *scratch.get("logs", {}).get("additional", [])] if scratch else []
    exclude = [area for area in dict.fromkeys(map(normalised, cleaned)) if is_in(area, roots) and area not in roots]
    return exclude + scratch_below(settings, root, roots, exclude)


def _retries(settings: Settings) -> int | None:
    number = settings.number("Retries")
    return None if number is None or not 0 <= number <= MOST else int(number)


def _source(settings: Settings) -> dict[str, Any] | None:
    """`listing.source` of the check; None where the backend must name it, with a note that says why."""
    method, door = settings.text("AccessMethod"), settings.text("Redirectors")
    prefix = settings.text("PathPrefix")
    if settings.flag("UseLoadBalancer"):
        settings.note(
            "UseLoadBalancer", "not needed: a redirector is recognised as one, and its data servers are asked"
        )
    if method == "SRM":
        settings.note("AccessMethod", "SRM: the door is not in the file; give listing.source.gfal, with its url")
    elif method == "RAL-Reader":
        why = "RAL-Reader: the dump is not named in the file; give listing.source.dump, with its url and format ral"
        settings.note("AccessMethod", why)
    elif method not in (None, "directx"):
        settings.note("AccessMethod", f"{method!r} is unknown: left out")
    if method in (None, "directx") and door is not None:
        return door_source(settings, "Redirectors", door, prefix or "")
    if door is not None:
        settings.note("Redirectors", f"{door} is not asked where the method is {method}")
    if prefix is not None:
        settings.note("PathPrefix", f"{prefix} is before the paths of a door that is not named: give listing.source")
    return None


_NOT_IN_PATTERNS = r"[?\[{\\^$|%,!\s]"


def _patterns(settings: Settings) -> list[str]:
    """Texts that were looked for anywhere in a path, as patterns of whole components that match at least as much."""
    patterns = []
    for text in settings.texts("IgnoreDirectories", protects=True):
        bare = re.sub(_NOT_IN_PATTERNS, "*", text.strip("/"))
        if not bare.strip("*/"):
            settings.note("IgnoreDirectories", f"{text!r} is in every path, and cannot be said as a pattern: left out")
            settings.in_doubt = True
            continue
        start, end = ("/" if text.startswith("/") else "*"), ("" if text.endswith("/") else "*")
        patterns.append(f"{start}{bare}{end}")
    return patterns
