"""From the YAML of Rucio's consistency enforcement, and the RSE attributes that overrule it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dynamo_consistency.check import MissingPolicy, OrphanPolicy
from dynamo_consistency.convert.conversion import Conversion, Note
from dynamo_consistency.convert.limits import at_least, at_most, days_at_least, without_nothing
from dynamo_consistency.convert.roots import disjoint, door_source, excluded
from dynamo_consistency.convert.settings import DAY, Settings
from dynamo_consistency.errors import ConfigurationError

ATTRIBUTE = "CE_config."

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
_NOT_NEEDED = {
    "npartitions": "the comparison divides its work by itself",
    "scanner.nworkers": "the number of requests in flight follows the door; listing.concurrency is its upper bound",
    "scanner.recursion": "each directory is asked for by itself",
    "scanner.timeout": "it bounds a whole tree; listing.directoryTimeoutSeconds bounds one directory",
    "scanner.include_sizes": "sizes are always compared",
    "scanner.is_redirector": "a redirector is recognised as one, and its data servers are asked",
    "missing_action.max_age_last_run": "only the run that found a file acts on it, at once",
    "dark_action.max_age_last_run": "only the run that found a file acts on it, at once",
    "dark_action.confirmation_window": "the last runs count, however long ago they were",
}
_NEVER_READ = {
    "partitions": "RCE never read it; its key was npartitions, and nothing needs it here",
    "include_sizes": "RCE never read it here; sizes are always compared",
    "dbdump.ignore": "RCE never read it; name what takes no part in listing.exclude",
}
_THEIR_DAYS = Decimal(25)  # RCE's own default for a file without the key


def convert_rce(
    config: Mapping[str, Any], attributes: Mapping[str, Mapping[str, Any]] | None = None, backend: str = "default"
) -> Conversion:
    """A check for each RSE of `config` and of `attributes` (RSE → name → value); attributes overrule the file.

    Raises ConfigurationError where the file is none of RCE's.
    """
    result = Conversion()
    rses = config.get("rses")
    if not isinstance(rses, Mapping) or not all(each is None or isinstance(each, Mapping) for each in rses.values()):
        raise ConfigurationError("this is no configuration of RCE: it has no mapping rses with a mapping for each RSE")
    rses = {str(rse): values for rse, values in rses.items()}
    _others(config, result)
    wanted = {rse: _of_attributes(rse, given, result) for rse, given in (attributes or {}).items()}
    for rse in dict.fromkeys([*rses, *(rse for rse, given in wanted.items() if given)]):
        if rse != "*":
            values = _merged(rses.get("*") or {}, rses.get(rse) or {})
            settings = Settings(_merged(values, wanted.get(rse, {})), result.notes, rse)
            if rse not in rses:
                settings.note(
                    "rses", "it is not in the file, so that RCE did not run it; its attributes make the check"
                )
            _convert(rse, settings, backend, result)
    return result


def _others(config: Mapping[str, Any], result: Conversion) -> None:
    for key in config:
        if key == "database":
            why = "it goes into backends.yaml, as a backend of type rucio, with its password in a file"
            result.notes.append(Note(key, why))
        elif key != "rses":
            result.notes.append(Note(str(key), "unknown key: left out"))


def _of_attributes(rse: str, given: Mapping[str, Any], result: Conversion) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in given.items():
        place = _ATTRIBUTES.get(name.removeprefix(ATTRIBUTE)) if name.startswith(ATTRIBUTE) else None
        if place is not None:
            *way, key = place
            inner = values
            for part in way:
                inner = inner.setdefault(part, {})
            inner[key] = value
        elif name.startswith(ATTRIBUTE):
            result.notes.append(Note(name, "unknown attribute: left out", rse))
    return values


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(under)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(under.get(key), Mapping)
        result[key] = _merged(under[key], value) if both else value
    return result


def _convert(rse: str, settings: Settings, backend: str, result: Conversion) -> None:
    suspend = settings.flag("ce_disabled")
    listing = _listing(settings)
    policy = _policy(settings)
    _explain(settings)
    if not listing["roots"]:
        settings.note("no check", "it has no roots: nothing of it was compared")
        return
    spec = {"site": rse, "backend": backend, "suspend": suspend or None, "listing": without_nothing(listing)}
    result.add(rse, without_nothing(spec | {"policy": policy}))


def _listing(settings: Settings) -> dict[str, Any]:
    roots = disjoint(settings, "scanner.roots", _root_paths(settings))
    roots, exclude = excluded(settings, "ignore_list", settings.texts("ignore_list"), roots)
    _path_root(settings, roots)
    return {"source": _source(settings), "roots": [{"path": root} for root in roots], "exclude": exclude}


def _root_paths(settings: Settings) -> list[str]:
    """The paths of the roots: a list of mappings in the file, a text in an attribute."""
    value = settings.take("scanner.roots")
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    if not isinstance(value, list):
        value = [] if value is None else [value]
    found = []
    for each in value:
        root = {"path": each} if isinstance(each, str) else each
        if not isinstance(root, Mapping) or not isinstance(root.get("path"), str):
            settings.note("scanner.roots", f"{each!r} is no root: left out")
            continue
        found.append(root["path"])
        for key in set(root) - {"path"}:
            why = f"RCE never read it (for {root['path']}); name what takes no part in listing.exclude"
            settings.note(f"scanner.roots.{key}", why)
    return found


def _source(settings: Settings) -> dict[str, Any] | None:
    """`listing.source` of the check; None where the backend must name it, with a note that says why."""
    server, server_root = settings.text("scanner.server"), settings.text("scanner.server_root") or "/"
    removed, added = settings.text("scanner.remove_prefix") or "", settings.text("scanner.add_prefix") or ""
    if server is None:
        settings.note(
            "scanner.server", "there is none: the backend says what lists the site (RAL: see listing.source.dump)"
        )
        return None
    if added.strip("/"):
        settings.note("scanner.add_prefix", "LFNs that begin otherwise than paths cannot be said: give listing.source")
        return None
    return door_source(settings, "scanner.server", server, f"{server_root}/{removed}")


def _path_root(settings: Settings, roots: list[str]) -> None:
    path = (settings.text("dbdump.path_root") or "/").rstrip("/") + "/"
    outside = [root for root in roots if not (root + "/").startswith(path)]
    if outside:
        why = f"{', '.join(outside)} lie outside {path.rstrip('/')}; here a root takes part as a whole, on both sides"
        settings.note("dbdump.path_root", why)


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


def _explain(settings: Settings) -> None:
    for key in settings.left():
        if key in _NOT_NEEDED:
            settings.note(key, f"not needed: {_NOT_NEEDED[key]}")
        else:
            settings.note(key, _NEVER_READ.get(key, "unknown key: RCE did not read it either, and it is left out"))
