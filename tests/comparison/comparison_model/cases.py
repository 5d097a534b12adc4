"""One comparison as data: two snapshots, the listing in shards, the settings. Both readings of the rules take it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

NOW = 1_800_000_000
LONG_AGO = 1_000_000_000
DAY = 86_400
LISTING_TOOK = 1


@dataclass(frozen=True)
class Entry:
    """A row of a snapshot of the inventory."""

    path: bytes
    size: int | None = 1
    time: int | None = None
    in_flight: bool = False
    dataset: str | None = None


@dataclass(frozen=True)
class SiteFile:
    """A file that was listed. `identity`: what the storage calls it, the same under each of its names."""

    path: bytes
    size: int | None = 1
    mtime: int | None = LONG_AGO
    identity: int | None = None


@dataclass(frozen=True)
class SiteDirectory:
    """A directory that was listed wholly. `identity`: what the storage calls it, the same under each of its names."""

    path: bytes
    mtime: int | None = 0
    identity: int | None = None


@dataclass(frozen=True)
class Shard:
    """What one lister saw. `holes` could not be listed; `seen` directories are for another shard to list."""

    listed_at: int = NOW
    files: tuple[SiteFile, ...] = ()
    directories: tuple[SiteDirectory, ...] = ()
    holes: tuple[bytes, ...] = ()
    seen: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Settings:
    """The part of a check that the comparison obeys."""

    roots: tuple[bytes, ...] = (b"/store",)
    exclude: tuple[bytes, ...] = ()
    ignore: tuple[bytes, ...] = ()
    ignore_age: int = DAY


def no_convention(_name: str) -> str | None:
    """A naming convention in which every file belongs to one nameless dataset, that nobody protects."""
    return ""


def first_directory(name: str) -> str | None:
    """A convention of our own: the dataset of `/store/<area>/<dataset>/…`; a file directly in the area has none."""
    components = name.split("/")
    return components[3] if len(components) > 4 else None


def cms(name: str) -> str | None:
    """The convention of CMS, as rules.md has it (rule 6)."""
    empty, *components = name.split("/")
    if empty or len(components) < 6 or "" in components[:6] or components[0] != "store":
        return None
    _store, _area, era, primary, tier, version = components[:6]
    number = version.rpartition("v")[2]
    if "v" not in version or not number or number.strip("0123456789"):
        return None
    return f"/{primary}/{era}-{version}/{tier}"


class Written(Enum):
    """How the files of the run directory were written."""

    NOW = "by this version"
    FORMERLY = "by one that knew no keys"
    MIXED = "the first snapshot and the first shard by one that knew no keys"
    COLLIDING = "with few different keys"


@dataclass(frozen=True)
class Case:
    before: tuple[Entry, ...] = ()
    after: tuple[Entry, ...] = ()
    shards: tuple[Shard, ...] = (Shard(),)
    settings: Settings = field(default_factory=Settings)
    protected: frozenset[str] = frozenset()
    deletion_requests: frozenset[str] = frozenset()
    taken_at: int = NOW
    earlier: tuple[Shard, ...] = ()
    """The listings of complete runs before this one, each by one shard; a listing takes LISTING_TOOK seconds."""
    convention: Callable[[str], str | None] = no_convention
    written: Written = Written.NOW


@dataclass(frozen=True)
class Findings:
    """Paths by kind; the empty directories in the order in which they are reported.

    `renamed`, `in_empty`: those among the missing and the orphans that are marked so; `other_name`: of the mismatches,
    those that are marked so. `duplicates`: how many rows there
    are too many in the inventory and at the site (rule 10); findings are equal whatever these are.
    """

    missing: frozenset[bytes] = frozenset()
    orphan: frozenset[bytes] = frozenset()
    mismatch: frozenset[bytes] = frozenset()
    empty: tuple[bytes, ...] = ()
    twin: frozenset[bytes] = frozenset()
    renamed: frozenset[bytes] = frozenset()
    in_empty: frozenset[bytes] = frozenset()
    other_name: frozenset[bytes] = frozenset()
    duplicates: tuple[int, int] = field(default=(0, 0), compare=False)
