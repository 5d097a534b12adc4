"""From a site's storage.json, in which CMS keeps doors and rules from LFN to PFN, to checks."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from dynamo_consistency import paths
from dynamo_consistency.convert.conversion import Conversion
from dynamo_consistency.convert.limits import without_nothing
from dynamo_consistency.convert.pfn_rules import NoRuleError, PfnRule, rules_for
from dynamo_consistency.convert.rce_paths import RootPaths, one_prefix
from dynamo_consistency.convert.roots import CMS_ROOTS, DEFAULT_TOP, SCRATCH, door_source, is_scratch
from dynamo_consistency.convert.settings import Settings
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.listers.xrootd.url import XRootDDoor
from dynamo_consistency.path_rules import PathRules

ROOTS = tuple(f"{DEFAULT_TOP}/{name}" for name in CMS_ROOTS)
"""What is checked; the file does not say it."""

_UNMERGED = f"{DEFAULT_TOP}/{SCRATCH}"
_KINDS = ({"root", "roots", "xroot", "xroots"}, {"davs", "dav", "https", "http"})
"""Schemes that are listed, the better ones first."""
_OF_ALL_SITES = ("cms-xrd-global.cern.ch", "xrootd-cms.infn.it", "cmsxrootd.fnal.gov", "cms-xrd-transit.cern.ch")


class Wanted(NamedTuple):
    """What a person asks for.

    `rses`: empty for all of the file; `roots`: LFNs, empty for those that CMS checks; `protocol`: the name of the one
    to take; `protected_from`: path or URL of the list of what is protected in /store/unmerged, which is cleaned then.
    """

    rses: Sequence[str] = ()
    roots: Sequence[str] = ()
    protocol: str | None = None
    backend: str = "default"
    protected_from: str | None = None

    @property
    def known_roots(self) -> list[str]:
        """The roots without scratch areas, which no inventory knows."""
        return [root for root in self.roots or ROOTS if not is_scratch(root)]

    @property
    def trees(self) -> list[bytes]:
        """All that is listed."""
        areas = [_UNMERGED] if self.protected_from else []
        return [paths.normalise(paths.to_bytes(tree)) for tree in [*self.known_roots, *areas]]


class _Doors(NamedTuple):
    """One protocol of a volume: how it is listed, its door, and its rules."""

    kind: int
    internal: bool
    door: str
    rules: PathRules


def convert_storage_json(volumes: Any, wanted: Wanted) -> Conversion:
    """A check for each volume of the file that has an RSE.

    Raises ConfigurationError where the file is no storage.json, or has none of the RSEs.
    """
    if not isinstance(volumes, list) or not all(isinstance(volume, Mapping) for volume in volumes):
        raise ConfigurationError("this is no storage.json: it is not a list of volumes")
    result = Conversion()
    of_all = Settings({}, result.notes)
    named = [volume for volume in volumes if volume.get("rse")]
    chosen = [volume for volume in named if not wanted.rses or volume["rse"] in wanted.rses]
    if not chosen:
        raise ConfigurationError(
            "no volume of the file has such an RSE" if named else "no volume of the file has an RSE"
        )
    for volume in volumes if not wanted.rses else ():
        if not volume.get("rse"):
            of_all.note("no check", f"the volume {volume.get('volume')!r} has no RSE")
    for volume in chosen:
        _convert(volume, wanted, Settings({}, result.notes, str(volume["rse"])), result)
    if not wanted.roots:
        of_all.note("roots", "the file does not say what is checked: CMS' usual roots; or --root")
    if len(wanted.known_roots) < len(wanted.roots):
        of_all.note("roots", "a scratch area is no root, because no inventory knows its files: see --protected-from")
    return result


def _convert(volume: Mapping[str, Any], wanted: Wanted, settings: Settings, result: Conversion) -> None:
    trees, rse = wanted.trees, str(volume["rse"])
    found = [doors for each in _protocols(volume, wanted.protocol) if (doors := _doors(volume, each, trees, settings))]
    best = min(found, key=lambda doors: (doors.internal, doors.kind), default=None)
    if rse in result.documents:
        settings.note(
            "no check", f"{rse} has several volumes: give listing.source of the volume {volume.get('volume')!r}"
        )
        return
    if best is None:
        settings.note("no check", "no protocol leads to its roots by a door that can be listed: give listing.source")
        return
    is_tape = volume.get("type") != "DISK"
    if is_tape:
        settings.note("type", f"{volume.get('type')!r} is no disk: its check only reports")
    if best.internal:
        settings.note("access", f"{best.door} is a door for the site itself, and there is no other")
    area = {"path": _UNMERGED, "mode": "Report", "protectedFrom": {"url": wanted.protected_from}}
    roots = [{"path": root} for root in wanted.known_roots]
    spec = {
        "site": rse,
        "backend": wanted.backend,
        "tape": is_tape or None,
        "listing": {"source": _source(best, trees, settings), "roots": roots},
        "unmerged": area if wanted.protected_from else None,
    }
    result.add(rse, without_nothing(spec))


def _protocols(volume: Mapping[str, Any], wanted: str | None) -> Iterable[Mapping[str, Any]]:
    protocols = volume.get("protocols")
    for each in protocols if isinstance(protocols, list) else []:
        if isinstance(each, Mapping) and each.get("access") != "virtual" and wanted in (None, each.get("protocol")):
            yield each


def _doors(
    volume: Mapping[str, Any], protocol: Mapping[str, Any], trees: list[bytes], settings: Settings
) -> _Doors | None:
    """A protocol as a door with rules; None, with a note, where it cannot be one for all of the trees."""
    name = str(protocol.get("protocol"))
    try:
        rules = rules_for(volume, protocol, trees)
        needed = {_door(rule.door) for rule in rules}
        if len(needed) != 1:
            raise NoRuleError("nothing leads to its roots" if not needed else "its roots are behind several doors")
        (door,) = needed
        kind = next((number for number, schemes in enumerate(_KINDS) if urlsplit(door).scheme in schemes), None)
        if kind is None:
            raise NoRuleError(f"{urlsplit(door).scheme or 'a path'} is not listed by itself")
        if urlsplit(door).hostname in _OF_ALL_SITES:
            raise NoRuleError(f"{door} leads to all sites")
        return _Doors(kind, str(protocol.get("access")).startswith("site"), door, _rules(rules, trees))
    except (NoRuleError, ConfigurationError, ValueError) as error:
        settings.note(f"protocols.{name}", f"not taken: {error}")
        return None


def _door(door: str) -> str:
    """A door with its port, so that one that is written in two ways is one."""
    xrootd = urlsplit(door).scheme in _KINDS[0]
    return str(XRootDDoor.parse(door)) if xrootd else door


def _rules(rules: list[PfnRule], trees: list[bytes]) -> PathRules:
    """The rules to be followed. Raises ValueError, as `PathRules` does."""
    taken = PathRules(rule.tree for rule in rules)
    if problem := next((problem for tree in trees if (problem := taken.problem(tree))), None):
        raise ValueError(problem)
    return taken


def _source(doors: _Doors, trees: list[bytes], settings: Settings) -> dict[str, Any] | None:
    places = (RootPaths(paths.to_text(doors.rules.path(tree) or b""), paths.to_text(tree)) for tree in trees)
    prefix = one_prefix(places)
    rules = doors.rules.as_patterns() if prefix is None else None
    return door_source(settings, "protocols", doors.door, prefix or "", rules)
