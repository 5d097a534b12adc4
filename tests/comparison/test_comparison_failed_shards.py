"""Shards that a check lets fail: what only they would have listed is unknown, and everything else as it was."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from comparison_model import runs
from comparison_model.cases import NOW, Case, Entry, Settings

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.checkfile import dump_check
from dynamo_consistency.errors import InvalidRunError
from dynamo_consistency.listers.shards import Share
from dynamo_consistency.run.comparison.comparison import compare
from dynamo_consistency.run.gates import gather
from dynamo_consistency.run.listing.progress import Progress
from dynamo_consistency.run.listing.shard import list_shard
from dynamo_consistency.run.records.summary import summarise
from dynamo_consistency.run.report.lists import write_lists
from dynamo_consistency.run.report.storage import write_storage
from dynamo_consistency.run.report.tables import open_tables
from dynamo_consistency.run.store.run_directory import CHECK, RunDirectory

ROOT = b"/store/mc"
SHARDS = 3
OLD = 1_000_000_000
DEPTH = 2
BOTH = [f"{ROOT.decode()}/{name}" for name in ("top", "era0/near", *(f"era{n % 3}/set{n}/f" for n in range(12)))]
MISSING = [f"{ROOT.decode()}/{name}" for name in ("gone", "era1/gone", *(f"era{n % 3}/set{n}/lost" for n in range(12)))]
NEVER_MADE = [f"{ROOT.decode()}/era9/set{n}/lost" for n in range(6)]
ORPHANS = [f"{ROOT.decode()}/{name}" for name in ("dark", "era2/dark", *(f"era{n % 3}/set{n}/x/d" for n in range(12)))]
EMPTY = [f"{ROOT.decode()}/{name}" for name in ("void", *(f"era{n % 3}/set{n}/void" for n in range(12)))]
SHARE = Share(0, SHARDS, DEPTH)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site on disk: files of three levels, all of them old."""
    for name in BOTH + ORPHANS:
        file = tmp_path / "site" / name[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    for name in EMPTY:
        (tmp_path / "site" / name[1:]).mkdir()
    for path in [tmp_path / "site", *(tmp_path / "site").rglob("*")]:
        os.utime(path, (OLD, OLD))
    return tmp_path / "site"


def by_walking(site: Path) -> dict[str, Any]:
    return {"posix": {"prefix": str(site)}}


def by_dump(site: Path) -> dict[str, Any]:
    dump = site.parent / "dump.tsv"
    dump.write_text("".join(f"{name}\t1\t{OLD}\n" for name in BOTH + ORPHANS))
    return {"dump": {"url": str(dump), "columns": {"path": 1, "size": 2, "mtime": 3}, "date": "2026-11-01"}}


def run_of(folder: Path, source: dict[str, Any], failed: set[int], allowed: int) -> RunDirectory:
    """A run that is listed but for its failed shards, ready to be compared."""
    check = SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": "t2-xx-test"},
            "spec": {
                "site": runs.SITE,
                "listing": {
                    "source": source,
                    "roots": [{"path": ROOT.decode()}],
                    "shards": SHARDS,
                    "splitDepth": DEPTH,
                    "maxFailedShards": allowed,
                },
                "comparison": {"ignoreAgeSeconds": 0},
            },
        }
    )
    run = RunDirectory(str(folder / runs.SITE / f"without {sorted(failed)}"))
    run.write_text(CHECK, dump_check(check))
    entries = tuple(Entry(name.encode()) for name in BOTH + MISSING + NEVER_MADE)
    for moment in ("before", "after"):
        runs.write_snapshot(run, moment, Case(entries, entries, settings=Settings(roots=(ROOT,))), NOW)
    run.write_json("inventory/datasets.json", {"protected": [], "deletionRequests": []})
    for shard in set(range(SHARDS)) - failed:
        list_shard(run, None, shard, Progress("listing"))
    return run


def findings(run: RunDirectory) -> dict[str, set[bytes]]:
    compare(run, runs.backend_for(Case()))
    return {kind: {row["path"] for row in rows} for kind, rows in runs.findings_of(run).items()}


def of_others(found: set[bytes], failed: set[int]) -> set[bytes]:
    """Without what only the failed shards would have listed."""
    return {path for path in found if SHARE.owner_of(path, ROOT) not in failed}


@pytest.mark.parametrize("failed", [{0}, {1}, {2}, {0, 2}])
@pytest.mark.parametrize("source", [by_walking, by_dump])
def test_without_some_shards_the_findings_of_the_others_stay(
    site: Path, tmp_path: Path, source: Callable[[Path], dict[str, Any]], failed: set[int]
) -> None:
    whole = findings(run_of(tmp_path, source(site), set(), allowed=2))
    some = findings(run_of(tmp_path, source(site), failed, allowed=2))
    assert some["missing"] == of_others(whole["missing"], failed)
    assert some["orphan"] == of_others(whole["orphan"], failed)
    assert of_others(whole["missing"], failed) not in (set(), whole["missing"])


@pytest.mark.parametrize("failed", [{0}, {1}, {2}])
def test_a_directory_is_only_empty_where_a_shard_that_did_not_fail_has_listed_it(
    site: Path, tmp_path: Path, failed: set[int]
) -> None:
    whole = findings(run_of(tmp_path, by_walking(site), set(), allowed=1))["empty_directory"]
    assert whole == {name.encode() for name in EMPTY}
    some = findings(run_of(tmp_path, by_walking(site), failed, allowed=1))["empty_directory"]
    assert some == {path for path in whole if SHARE.owner_of(path + b"/file", ROOT) not in failed}


@pytest.mark.parametrize(("failed", "allowed"), [({1}, 0), ({0, 1}, 1), ({0, 1, 2}, 3)])
def test_more_failures_than_allowed_or_nothing_but_failures_make_the_run_invalid(
    site: Path, tmp_path: Path, failed: set[int], allowed: int
) -> None:
    run = run_of(tmp_path, by_walking(site), failed, allowed)
    with pytest.raises(InvalidRunError, match="of the listing is"):
        findings(run)
    assert run.names("findings") == []


def test_the_summary_names_the_shard_that_has_failed(site: Path, tmp_path: Path) -> None:
    run = run_of(tmp_path, by_walking(site), {1}, allowed=1)
    counts = compare(run, runs.backend_for(Case()))
    summary = summarise(run, run.check(), "Complete", counts=counts)
    assert summary["listing"]["notes"][0] == "shard 1 has failed: what only it would have listed is a hole"


def test_a_site_with_a_failed_shard_is_not_without_holes_even_where_nobody_saw_any(site: Path, tmp_path: Path) -> None:
    run = run_of(tmp_path, by_dump(site), {1}, allowed=1)
    assert compare(run, runs.backend_for(Case()))["holes"] == 1


def test_holes_are_reported_without_the_failed_shard_but_not_how_much_is_where(site: Path, tmp_path: Path) -> None:
    run = run_of(tmp_path, by_walking(site), {1}, allowed=1)
    counts = compare(run, runs.backend_for(Case()))
    with open_tables(run) as tables:
        artifacts = write_lists(run, tables) | write_storage(run, tables)
    assert "storage" not in artifacts
    with run.reading("reports/unlisted.txt") as file:
        lines = file.read_text().splitlines()
    assert len(lines) == counts["holes"] - 1 > 0


def test_files_that_a_failed_shard_would_have_listed_do_not_count_as_seen(site: Path, tmp_path: Path) -> None:
    """Orphans elsewhere would else make up for them, and the listing would look healthy."""
    run = run_of(tmp_path, by_walking(site), {1}, allowed=1)
    compare(run, runs.backend_for(Case()))
    [_, root] = gather(run.store, run).scopes
    unseen = [name for name in BOTH + MISSING + NEVER_MADE if SHARE.owner_of(name.encode(), ROOT) == 1]
    assert root.in_holes == len(unseen) > 0
    assert root.found <= len([name for name in BOTH if SHARE.owner_of(name.encode(), ROOT) != 1])
