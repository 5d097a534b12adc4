"""`tests/data/comparison-cases.yaml`, each case as a `Case` with the findings that it must have."""

import re
from pathlib import Path
from typing import Any

import yaml

from comparison_model.cases import (
    DAY,
    LONG_AGO,
    NOW,
    Case,
    Entry,
    Findings,
    Settings,
    Shard,
    SiteDirectory,
    SiteFile,
    cms,
    no_convention,
)

FILE = Path(__file__).parents[2] / "data" / "comparison-cases.yaml"

HEALTHY = b"/healthy/f"
"""A file that both sides have, below a root of its own: a case about something else is then no invalid run."""


def load(*kinds: str) -> list[dict[str, Any]]:
    """The cases of some kinds, as they stand in the file."""
    return [case for case in yaml.safe_load(FILE.read_text()) if case["kind"] in kinds]


def mtime(text: int | str | None) -> int | None:
    if text is None or isinstance(text, int):
        return text
    if text == "OLD":
        return LONG_AGO
    match = re.fullmatch(r"now([+-]\d+)?", text)
    assert match, f"{text!r} is no time"
    return NOW + int(match[1] or 0)


def site(raw: dict[str, Any], *more: SiteFile) -> Shard:
    """The listing of a case, by one lister."""

    def row(path: str, *columns: Any) -> tuple[Any, ...]:
        return (path.encode(), *columns)

    files = [row(*file) for file in raw["files"]]
    return Shard(
        files=(*(SiteFile(path, size, mtime(time[0]) if time else LONG_AGO) for path, size, *time in files), *more),
        directories=tuple(SiteDirectory(path, mtime(time)) for path, time in (row(*item) for item in raw["dirs"])),
        holes=tuple(hole.encode() for hole in raw["holes"]),
    )


def compare_case(raw: dict[str, Any]) -> tuple[Case, Findings | None]:
    """A case of kind compare and its findings, None where the run is invalid. The roots are /store/mc and the like."""
    entries = tuple(Entry(path.encode(), size, in_flight="now" in state) for path, size, *state in raw["inventory"])
    shard = site(raw["site"])
    paths = [entry.path for entry in entries] + [file.path for file in shard.files]
    roots = tuple(sorted({b"/".join(path.split(b"/")[:3]) for path in paths}))
    settings = Settings(roots=roots, ignore_age=raw.get("ignore_age_days", 1) * DAY)
    expect = raw["expect"]
    if "fails" in expect:
        return Case(entries, entries, (shard,), settings), None
    kinds = {kind: frozenset(path.encode() for path in expect[kind]) for kind in ("missing", "orphan", "mismatch")}
    return Case(entries, entries, (shard,), settings), Findings(**kinds)


def empty_case(raw: dict[str, Any]) -> tuple[Case, tuple[bytes, ...]]:
    """A case of kind empty and its empty directories. The inventory knows the healthy file alone."""
    entries = (Entry(HEALTHY),)
    settings = Settings(roots=(b"/healthy", raw["root"].encode()), ignore=encoded(raw.get("ignore", [])))
    return Case(entries, entries, (site(raw, SiteFile(HEALTHY)),), settings), encoded(raw["expect"]["empty"])


def inventory_filter_case(raw: dict[str, Any]) -> tuple[Case, frozenset[bytes]]:
    """An inventory whose files are all absent from the site, and which of them are therefore missing."""
    entries = tuple(Entry(path) for path in (HEALTHY, *encoded(raw["files"])))
    settings = Settings(roots=(b"/healthy", b"/store/mc", b"/store/data", b"/store/hidata"))
    return Case(entries, entries, (Shard(files=(SiteFile(HEALTHY),)),), settings), frozenset(encoded(raw["expect"]))


def unknown_file_case(raw: dict[str, Any]) -> Case:
    """A site with a file that the inventory does not know: is it an orphan? (Kinds dataset_filter, pattern_filter.)"""
    return Case(
        before=(Entry(HEALTHY),),
        after=(Entry(HEALTHY),),
        shards=(Shard(files=(SiteFile(HEALTHY), SiteFile(raw["file"].encode()))),),
        settings=Settings(roots=(b"/",), ignore=encoded(raw.get("patterns", []))),
        protected=frozenset(raw.get("datasets", [])),
        convention=cms if raw["kind"] == "dataset_filter" else no_convention,
    )


def encoded(texts: list[str]) -> tuple[bytes, ...]:
    return tuple(text.encode() for text in texts)
