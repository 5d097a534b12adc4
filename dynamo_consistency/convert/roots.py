"""Roots and what is excluded below them, as a check wants them."""

from collections.abc import Iterable
from typing import Any

from dynamo_consistency import paths
from dynamo_consistency.convert.limits import without_nothing
from dynamo_consistency.convert.settings import Settings
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.listers.webdav.url import WebDavDoor
from dynamo_consistency.listers.xrootd.url import XRootDDoor

DEFAULT_TOP = "/store"
CMS_ROOTS = ("express", "mc", "data", "generator", "results", "hidata", "himc", "relval")
"""What CMS' consistency checks look at, in `DEFAULT_TOP`."""
SCRATCH = "unmerged"
"""What CMS calls a scratch area, in lower case; it is in `DEFAULT_TOP`."""


def disjoint(settings: Settings, key: str, wanted: Iterable[str]) -> list[str]:
    """The paths of `wanted`, normalised, without those that lie in another."""
    normal = list(dict.fromkeys(normalised(path) for path in wanted))
    kept = [path for path in normal if not any(_below(path, other) for other in normal)]
    for path in normal:
        if path not in kept:
            settings.note(key, f"{path} lies in another root: listed with that")
    return kept


def excluded(settings: Settings, key: str, ignored: Iterable[str], roots: list[str]) -> tuple[list[str], list[str]]:
    """(roots that stay, directories to exclude): what is ignored takes no part, on both sides."""
    normal = list(dict.fromkeys(normalised(path) for path in ignored))
    stay = [root for root in roots if not is_in(root, normal)]
    exclude = [path for path in normal if any(_below(path, root) for root in stay)]
    gone = [root for root in roots if root not in stay]
    if gone:
        settings.note(key, f"the roots {', '.join(gone)} are ignored as a whole: left out")
    idle = [path for path in normal if path not in exclude and not any(is_in(root, [path]) for root in gone)]
    if idle:
        settings.note(key, f"not needed: {', '.join(idle)} lie in none of the roots")
    return stay, exclude


def is_scratch(path: str) -> bool:
    """Is `path`, an LFN, a scratch area or in one? No inventory knows its files."""
    return SCRATCH in normalised(path).lower().split("/")


def scratch_below(settings: Settings, top: str, roots: Iterable[str], exclude: Iterable[str]) -> list[str]:
    """The scratch areas of `top` and of CMS that lie below one of the roots and are not excluded yet; noted."""
    areas = dict.fromkeys(f"{each.rstrip('/')}/{SCRATCH}" for each in (top, DEFAULT_TOP))
    found = [area for area in areas if any(_below(area, root) for root in roots) and not is_in(area, exclude)]
    for area in found:
        settings.note("roots", f"no inventory knows the scratch area {area}: excluded")
    return found


def is_in(path: str, directories: Iterable[str]) -> bool:
    """Is `path` one of the directories, or below one?"""
    return paths.is_in(paths.to_bytes(normalised(path)), [paths.to_bytes(each) for each in directories])


def normalised(path: str) -> str:
    """`path` as an absolute one, without slashes that say nothing."""
    return paths.to_text(paths.normalise(paths.to_bytes("/" + path)))


def _below(path: str, directory: str) -> bool:
    return paths.is_below(paths.to_bytes(path), paths.to_bytes(directory))


def door_source(
    settings: Settings, key: str, door: str, prefix: str, rules: list[dict[str, str]] | None = None
) -> dict[str, Any] | None:
    """`listing.source` for a door, XRootD's where it does not say otherwise; None, and a note, where it is none."""
    web = door.startswith(("davs://", "dav://", "https://", "http://"))
    try:
        name = door if web or "://" in door else f"root://{door}"
        (WebDavDoor if web else XRootDDoor).parse(name)
    except ConfigurationError as error:
        settings.note(key, f"{error}: left out")
        return None
    components = "/".join(part for part in prefix.split("/") if part)
    said = without_nothing({"servers": [name], "prefix": f"/{components}" if components else None, "rules": rules})
    return {"webdav" if web else "xrootd": said}
