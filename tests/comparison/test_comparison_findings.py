"""What a finding carries beside its path, what is counted, and that the stages agree on what a path is."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from comparison_model import runs
from comparison_model.cases import LONG_AGO, NOW, Case, Entry, Findings, Settings, Shard, SiteDirectory, SiteFile

from dynamo_consistency.run.comparison import doubtful
from dynamo_consistency.run.comparison.comparison import compare
from dynamo_consistency.run.snapshot import take_snapshot
from dynamo_consistency.run.store.run_directory import RunDirectory

ENTRIES = (
    Entry(b"/store/mc/a", 10, dataset="D"),
    Entry(b"/store/mc/b", 20, dataset="D"),
    Entry(b"/store/data/c", 30, dataset="E"),
    Entry(b"/store/data/\xff", 40),
)
CASE = Case(
    before=ENTRIES,
    after=ENTRIES,
    shards=(
        Shard(
            files=(
                SiteFile(b"/store/mc/b", 21, LONG_AGO + 5),
                SiteFile(b"/store/mc/o", 7, LONG_AGO + 6),
                SiteFile(b"/store/mc/y", 1, NOW),
            )
        ),
        Shard(directories=(SiteDirectory(b"/store/data/e", 8), SiteDirectory(b"/store/data/e/e", 9))),
        Shard(files=(SiteFile(b"/store/data/c", 30),), holes=(b"/store/data/h",)),
    ),
    settings=Settings(roots=(b"/store/mc", b"/store/data")),
)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    run = runs.write_run(CASE, tmp_path)
    compare(run, runs.backend_for(CASE))
    return run


def rows(run: RunDirectory, kind: str) -> dict[bytes, dict[str, Any]]:
    return {row.pop("path"): row for row in runs.findings_of(run)[kind]}


def test_a_missing_file_carries_all_that_the_inventory_says_of_it(run: RunDirectory) -> None:
    common = {"site_size": None, "mtime": None, "mark": None}
    assert rows(run, "missing") == {
        b"/store/mc/a": common
        | {
            "size": 10,
            "dataset": "D",
            "block": "D#1",
            "group": "AnalysisOps",
            "root": "/store/mc",
            "scope": "scope of 11",
        },
        b"/store/data/\xff": common
        | {"size": 40, "dataset": None, "block": None, "group": None, "root": "/store/data", "scope": "scope of 13"},
    }


def test_a_mismatch_carries_both_sizes(run: RunDirectory) -> None:
    assert rows(run, "mismatch") == {
        b"/store/mc/b": {
            **{
                "size": 20,
                "site_size": 21,
                "mtime": LONG_AGO + 5,
                "dataset": "D",
                "block": "D#1",
                "group": "AnalysisOps",
            },
            **{"root": "/store/mc", "mark": None, "scope": "scope of 11"},
        }
    }


def test_an_orphan_carries_what_the_site_says_of_it(run: RunDirectory) -> None:
    [(path, orphan)] = rows(run, "orphan").items()
    assert (path, orphan["size"], orphan["site_size"], orphan["mtime"]) == (b"/store/mc/o", None, 7, LONG_AGO + 6)
    assert (orphan["dataset"], orphan["root"]) == (None, "/store/mc")


def test_an_empty_directory_carries_its_age_and_root(run: RunDirectory) -> None:
    found = rows(run, "empty_directory")
    assert [(path, row["mtime"], row["root"]) for path, row in found.items()] == [
        (b"/store/data/e/e", 9, "/store/data"),
        (b"/store/data/e", 8, "/store/data"),
    ]


def test_all_findings_have_the_same_first_columns(run: RunDirectory) -> None:
    expected = pa.schema(
        [("path", pa.binary())]
        + [(name, pa.int64()) for name in ("size", "site_size", "mtime")]
        + [(name, pa.string()) for name in ("dataset", "block", "group", "root", "mark")]
    )
    for kind in runs.KINDS:
        with run.reading(f"findings/{kind}.parquet") as path:
            schema = pq.read_schema(path)
        assert [(field.name, field.type) for field in list(schema)[:9]] == [(f.name, f.type) for f in expected], kind


def test_the_counts_are_those_of_the_findings_for_the_site_and_for_each_root(tmp_path: Path) -> None:
    counts = compare(runs.write_run(CASE, tmp_path), runs.backend_for(CASE))
    names = ("listedFiles", "listedBytes", "inventoryFiles", "inventoryBytes", "listedDirectories", "holes", "missing")
    names += ("missingBytes", "orphans", "orphanBytes", "mismatches", "mismatchBytes", "emptyDirectories")

    def shown(part: dict[str, Any]) -> list[int]:
        return [part[name] for name in names]

    assert shown(counts["roots"]["/store/mc"]) == [3, 29, 2, 30, 0, 0, 1, 10, 1, 7, 1, 21, 0]
    assert shown(counts["roots"]["/store/data"]) == [1, 30, 2, 70, 2, 1, 1, 40, 0, 0, 0, 0, 2]
    assert shown(counts) == [4, 59, 4, 100, 2, 1, 2, 50, 1, 7, 1, 21, 2]
    assert counts["youngFiles"] == 1


def test_duplicates_are_counted(tmp_path: Path) -> None:
    entry, file = Entry(b"/store/f"), SiteFile(b"/store/f")
    case = Case((entry,), (entry, entry, entry), (Shard(files=(file,)), Shard(files=(file,))))
    assert runs.engine(case, tmp_path).duplicates == (2, 1)


@pytest.mark.parametrize("few", [True, False])
def test_what_all_sides_name_equally_often_is_counted_as_duplicates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, few: bool
) -> None:
    monkeypatch.setattr(doubtful, "_FEW_ROWS", 1000 if few else 0)
    entries, files = (tuple(item(b"/store/f%d" % number) for number in range(100)) for item in (Entry, SiteFile))
    case = Case(entries + entries[:3], entries + entries[:3], (Shard(files=files), Shard(files=files[:3])))
    found = runs.engine(case, tmp_path)
    assert (found, found.duplicates) == (Findings(), (3, 3))


def test_a_comparison_that_is_run_again_gives_the_same(run: RunDirectory) -> None:
    before = runs.findings_of(run)
    first = compare(run, runs.backend_for(CASE))
    run.remove("findings")
    assert compare(run, runs.backend_for(CASE)) == first
    assert runs.findings_of(run) == before


def test_repeated_slashes_in_the_inventory_are_one(tmp_path: Path) -> None:
    """Rule 1 of rules.md, through the stage that writes the snapshots."""
    case = Case(shards=(Shard(files=(SiteFile(b"/store/a/f"), SiteFile(b"/store/b"))),))
    run = runs.write_run(case, tmp_path)
    backend = runs.backend_for(case)
    backend.inventory.list_files = lambda _site: [(f"/store{name}", 1, None) for name in ("///a//f", "/b", "//c")]
    for moment in ("before", "after"):
        run.remove(f"inventory/{moment}.json")
        take_snapshot(run, backend, moment)
    counts = compare(run, backend)
    assert {kind: [row["path"] for row in found] for kind, found in runs.findings_of(run).items()} == {
        "missing": [b"/store/c"],
        "orphan": [],
        "twin": [],
        "mismatch": [],
        "empty_directory": [],
    }
    assert counts["inventoryFiles"] == 3
