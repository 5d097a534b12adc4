"""The part of RCE's settings that says what is listed, and how."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dynamo_consistency import paths
from dynamo_consistency.convert.rce_paths import RootPaths, one_prefix, rce_mapping
from dynamo_consistency.convert.roots import disjoint, door_source, excluded, is_in, is_scratch, scratch_below
from dynamo_consistency.convert.settings import Settings, words
from dynamo_consistency.path_rules import PathRule, PathRules


@dataclass
class RceListing:
    """Roots that an inventory knows, scratch areas, what is excluded below the roots, and all that RCE ignored."""

    source: dict[str, Any] | None
    roots: list[str]
    exclude: list[str]
    areas: list[RootPaths]
    ignored: list[str]
    prefix: str | None

    def of_check(self) -> dict[str, Any]:
        """`listing` of the check."""
        return {"source": self.source, "roots": [{"path": root} for root in self.roots], "exclude": self.exclude}

    def reaches(self, area: RootPaths) -> bool:
        """Is the area where the source would look for it?"""
        return self.source is None or area.prefix == self.prefix or _places(self.source, area)


def rce_listing(settings: Settings) -> RceListing:
    """What `scanner`, `ignore_list` and `dbdump` say."""
    given = _roots(settings)
    ignored = settings.texts("ignore_list", protects=True)
    areas = [root for root in given if is_scratch(root.lfn)]
    known = [root for root in given if root not in areas]
    elsewhere = [path for path in ignored if not is_in(path, [area.lfn for area in areas])]
    roots = disjoint(settings, "scanner.roots", [root.lfn for root in known])
    roots, exclude = excluded(settings, "ignore_list", elsewhere, roots)
    exclude += scratch_below(settings, "/store", roots, exclude)
    _path_root(settings, roots)
    source = _source(settings, known, areas)
    return RceListing(source, roots, exclude, areas, ignored, one_prefix(known or areas))


def _roots(settings: Settings) -> list[RootPaths]:
    mapping, found = rce_mapping(settings), []
    for path in _root_paths(settings):
        root = mapping.root(path)
        if isinstance(root, str):
            settings.note("scanner.roots", f"{root}: left out")
        else:
            found.append(root)
    return found


def _root_paths(settings: Settings) -> Iterator[str]:
    """The paths of the roots: a list of mappings in the file, a text in an attribute."""
    value = settings.take("scanner.roots")
    if isinstance(value, str):
        value = words(value)
    if not isinstance(value, list):
        value = [] if value is None else [value]
    for each in value:
        root = {"path": each} if isinstance(each, str) else each
        if not isinstance(root, Mapping) or not isinstance(root.get("path"), str):
            settings.note("scanner.roots", f"{each!r} is no root: left out")
            continue
        yield root["path"]
        for key in set(root) - {"path"}:
            why = f"RCE never read it (for {root['path']}); name what takes no part in listing.exclude"
            settings.note(f"scanner.roots.{key}", why)


def _source(settings: Settings, roots: list[RootPaths], areas: list[RootPaths]) -> dict[str, Any] | None:
    """`listing.source` of the check; None where the backend must name it, with a note that says why."""
    server, every = settings.text("scanner.server"), [*areas, *roots]
    prefix = one_prefix(every)
    if server is None:
        settings.note(
            "scanner.server", "there is none: the backend says what lists the site (RAL: see listing.source.dump)"
        )
        return None
    if not every or prefix is not None:
        return door_source(settings, "scanner.server", server, prefix or "")
    rules = _rules(every)
    if rules is None:
        shown = ", ".join(f"{root.lfn} is {root.at_site}" for root in every[:2])
        settings.note("scanner.add_prefix", f"no rules say where the LFNs are ({shown}): give listing.source")
        return None
    return door_source(settings, "scanner.server", server, "", rules)


def _rules(roots: list[RootPaths]) -> list[dict[str, str]] | None:
    """A rule for each root; None where they would be ambiguous."""
    try:
        rules = PathRules(PathRule(paths.to_bytes(root.lfn), paths.to_bytes(root.at_site)) for root in roots)
    except ValueError:
        return None
    return rules.as_patterns()


def _places(source: dict[str, Any], area: RootPaths) -> bool:
    """Do the rules of a source say where the area is?"""
    return any(
        area.lfn == rule["lfn"].removesuffix("/(.*)") for each in source.values() for rule in each.get("rules", [])
    )


def _path_root(settings: Settings, roots: list[str]) -> None:
    path = (settings.text("dbdump.path_root") or "/").rstrip("/") + "/"
    outside = [root for root in roots if not (root + "/").startswith(path)]
    if outside:
        why = f"{', '.join(outside)} lie outside {path.rstrip('/')}; here a root takes part as a whole, on both sides"
        settings.note("dbdump.path_root", why)
