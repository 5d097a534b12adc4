"""From the YAML of Rucio's consistency enforcement, and the RSE attributes that overrule it."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from dynamo_consistency.check import MissingPolicy, OrphanPolicy
from dynamo_consistency.convert.conversion import Conversion, Note
from dynamo_consistency.convert.limits import at_least, at_most, days_at_least, without_nothing
from dynamo_consistency.convert.rce_files import merged, rce_files
from dynamo_consistency.convert.rce_keys import explain
from dynamo_consistency.convert.rce_listing import RceListing, rce_listing
from dynamo_consistency.convert.schedule import schedule
from dynamo_consistency.convert.settings import DAY, Settings
from dynamo_consistency.convert.unmerged import scratch_area
from dynamo_consistency.errors import ConfigurationError

ATTRIBUTE = "CE_config."
_MISNAMED = "CE_cfg."

_ATTRIBUTES = {
    "ce_disabled": ("ce_disabled",),
    "ignore_list": ("ignore_list",),
    "server": ("scanner", "server"),
    "server_root": ("scanner", "server_root"),
    "roots": ("scanner", "roots"),
    "nworkers": ("scanner", "nworkers"),
    "timeout": ("scanner", "timeout"),
    "max_dark_fraction": ("dark_action", "max_fraction"),
    "max_missing_fraction": ("missing_action", "max_fraction"),
}
_OFF = ("cedisabled", "disabled", "disable", "suspend", "suspended")
_THEIR_DAYS = Decimal(25)  # RCE's own default for a file without the key


def convert_rce(
    documents: Iterable[Any],
    attributes: Mapping[str, Mapping[str, Any]] | None = None,
    backend: str = "default",
    protected_from: str | None = None,
) -> Conversion:
    """A check for each RSE of `documents` and of `attributes` (RSE → name → value); attributes overrule the documents.

    `documents`: what the files hold, in any of the shapes of `rce_files`. `protected_from`: path or URL of the list of
    directories that are protected in scratch areas; without it these are left out.
    Raises ConfigurationError where nothing is of RCE, or no RSE is named.
    """
    result = Conversion()
    files = rce_files(documents)
    result.notes += files.notes
    configs = [_rses(config, result) for config in files.configs]
    wanted = {rse: _of_attributes(rse, given, result) for rse, given in (attributes or {}).items()}
    named = dict.fromkeys(
        [*(rse for rses in configs for rse in rses), *(rse for rse, given in wanted.items() if given)]
    )
    if not set(named) - {"*"}:
        raise ConfigurationError(
            'it names no RSE, only what holds for all of them ("*"): convert the file that names them together with '
            "this one, or give the RSEs' attributes with --attributes"
        )
    for rse in named:
        if rse != "*":
            settings = _settings(rse, configs, wanted.get(rse, {}), files.intervals, result)
            _convert(rse, settings, backend, protected_from, result)
    return result


def _rses(config: Mapping[str, Any], result: Conversion) -> dict[str, Any]:
    rses = config["rses"]
    if not isinstance(rses, Mapping) or not all(each is None or isinstance(each, Mapping) for each in rses.values()):
        raise ConfigurationError("this is no configuration of RCE: it has no mapping rses with a mapping for each RSE")
    for key in config:
        if key == "database":
            why = "it goes into backends.yaml, as a backend of type rucio, with its password in a file"
            result.notes.append(Note(key, why))
        elif key != "rses":
            result.notes.append(Note(str(key), "unknown key: left out"))
    return {str(rse): values for rse, values in rses.items()}


def _settings(
    rse: str,
    configs: list[dict[str, Any]],
    attributes: dict[str, Any],
    intervals: Mapping[str, Any],
    result: Conversion,
) -> list[Settings]:
    """The settings of an RSE in each file that may say something of it."""
    found = []
    is_named = any(rse in rses for rses in configs)
    for number, rses in enumerate(configs):
        if rse in rses or (number == 0 and not is_named):
            values = merged(rses.get("*") or {}, rses.get(rse) or {})
            days = {"interval": intervals[rse]} if rse in intervals else {}
            found.append(Settings(merged(merged(days, values), attributes), result.notes, rse))
    if not is_named:
        found[0].note("rses", "it is not in the file, so that RCE did not run it; its attributes make the check")
    return found


def _of_attributes(rse: str, given: Mapping[str, Any], result: Conversion) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in given.items():
        start = next((start for start in (ATTRIBUTE, _MISNAMED) if name.startswith(start)), None)
        if start is None:
            continue
        key = name.removeprefix(start)
        if start == _MISNAMED:
            why = f"RCE never read it, only {ATTRIBUTE}…: left out"
            if _is_switch(key):
                values[name], why = value, f"RCE never read it, only {ATTRIBUTE}…; here it holds"
            result.notes.append(Note(name, why, rse))
        elif key in _ATTRIBUTES:
            *way, last = _ATTRIBUTES[key]
            inner = values
            for part in way:
                inner = inner.setdefault(part, {})
            inner[last] = value
        elif _is_switch(key):
            values[key] = value
        else:
            result.notes.append(Note(name, "unknown attribute: left out", rse))
    return values


def _is_switch(key: str) -> bool:
    """Is it `ce_disabled`, in whatever spelling? Who wrote it meant that the site is left alone."""
    return re.sub("[^a-z]", "", key.lower().removeprefix(_MISNAMED.lower())) in _OFF


def _suspended(settings: Settings) -> bool:
    """Was the RSE switched off, by any word that is not clearly false?"""
    keys = dict.fromkeys(key for left in settings.left() for key in (left, left.partition(".")[0]) if _is_switch(key))
    return True in [settings.flag(key, in_doubt=True) for key in keys]


def _convert(rse: str, found: list[Settings], backend: str, protected_from: str | None, result: Conversion) -> None:
    listings = [rce_listing(settings) for settings in found]
    at = next((number for number, listing in enumerate(listings) if listing.roots), 0)
    settings, listing = found[at], listings[at]
    spec = {
        "site": rse,
        "backend": backend,
        "tape": _is_tape(rse, settings) or None,
        **schedule(settings),
        "listing": without_nothing(listing.of_check()),
        "policy": _policy(settings),
        "unmerged": _unmerged(settings, listings, listing, protected_from),
    }
    switched_off = True in [_suspended(each) for each in found]
    in_doubt = any(each.in_doubt for each in found)
    for each, its_listing in zip(found, listings, strict=True):
        if each is not settings:
            _second(each, its_listing)
        explain(each)
    if in_doubt:
        settings.note("suspend", "what is left alone could not be read: the check is suspended until you have said it")
    if not listing.roots:
        settings.note("no check", _why_none(listings))
        return
    spec["suspend"] = switched_off or in_doubt or None
    result.add(rse, without_nothing(spec))


def _is_tape(rse: str, settings: Settings) -> bool:
    """By CMS' names. RCE had no word for it, and a limit as small as 0.0000001 stood for one."""
    is_tape = rse.lower().endswith(("_tape", "_mss"))
    if is_tape:
        settings.note("tape", "its name says that it is on tape: the check only reports")
    return is_tape


def _second(settings: Settings, listing: RceListing) -> None:
    """Of a second file that has the RSE only the scratch area is taken."""
    if listing.roots:
        settings.note("rses", "it is in two files with roots: the first one counts")
    _policy(settings)
    settings.take("interval")


def _why_none(listings: list[RceListing]) -> str:
    if any(listing.areas for listing in listings):
        return (
            "its only roots are scratch areas, which no inventory knows: convert its other roots together with this "
            "file, and they become the part unmerged of that check"
        )
    return "it has no roots: nothing of it was compared"


def _unmerged(
    settings: Settings, listings: list[RceListing], main: RceListing, protected_from: str | None
) -> dict[str, Any] | None:
    found: dict[str, dict[str, Any]] = {}
    for listing in listings:
        for area in listing.areas:
            if main.roots and not main.reaches(area):
                settings.note("unmerged", f"{area.lfn} has another prefix than the roots: left out")
            elif said := scratch_area(settings, area.lfn, listing.ignored, protected_from):
                found.setdefault(area.lfn, said)
    first, *others = found or [""]
    if others:
        settings.note("unmerged", f"a check has one scratch area, {first}: left out are {', '.join(others)}")
    return found.get(first)


def _policy(settings: Settings) -> dict[str, Any]:
    missing, orphans = MissingPolicy(), OrphanPolicy()
    confirm = {
        "confirmRuns": at_least(settings, "dark_action.min_runs", orphans.confirm_runs, "confirmRuns"),
        "confirmSpanSeconds": days_at_least(
            settings, "dark_action.min_age_first_run", orphans.confirm_span_seconds, "confirmSpanSeconds"
        )
        if settings.has("dark_action.min_age_first_run")
        else int(_THEIR_DAYS * DAY),
    }
    missing_fraction = _fraction(settings, "missing_action.max_fraction", missing.max_fraction, "policy.missing")
    orphan_fraction = _fraction(settings, "dark_action.max_fraction", orphans.max_fraction, "policy.orphans")
    return without_nothing(
        {
            "missing": without_nothing({"maxFraction": missing_fraction}),
            "orphans": without_nothing({"maxFraction": orphan_fraction, **confirm}),
            "emptyDirectories": without_nothing(dict(confirm)),
        }
    )


def _fraction(settings: Settings, key: str, default: Decimal | None, ours: str) -> Any:
    return at_most(settings, key, default or Decimal(1), f"{ours}.maxFraction")
