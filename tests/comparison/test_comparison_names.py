"""Names: what has two, what leads nowhere, what matches nothing; and numbers that are too large to be added."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from comparison_model import runs
from comparison_model.cases import Case, Entry, Settings, Shard, SiteDirectory, SiteFile

from dynamo_consistency.run.comparison.comparison import compare
from dynamo_consistency.run.records.notes import gathered
from dynamo_consistency.run.records.summary import summarise
from dynamo_consistency.run.report.tables import open_tables
from dynamo_consistency.run.snapshot import take_snapshot
from dynamo_consistency.run.store.run_directory import RunDirectory

ROOT = b"/store/mc"
OK = Entry(b"/store/mc/ok")
AT_SITE = SiteFile(b"/store/mc/ok")
LARGEST = 2**63 - 1


def site(*files: SiteFile, directories: tuple[SiteDirectory, ...] = (), **settings: Any) -> Case:
    """A site that has `ok`, which the inventory knows, and the files."""
    shard = Shard(files=(AT_SITE, *files), directories=directories)
    return Case((OK,), (OK,), (shard,), Settings(**{"roots": (ROOT,)} | settings))


def compared(case: Case, folder: Path) -> tuple[RunDirectory, dict[str, Any]]:
    run = runs.write_run(case, folder)
    return run, compare(run, runs.backend_for(case))


def with_inventory(run: RunDirectory, *names: str | bytes) -> dict[str, Any]:
    """The comparison of `run` with snapshots of an inventory that calls its files so."""
    backend = runs.backend_for(Case())
    backend.inventory.list_files = lambda _site: [(name, 1, None) for name in names]
    for moment in ("before", "after"):
        run.remove(f"inventory/{moment}.json")
        take_snapshot(run, backend, moment)
    return compare(run, backend)


# --- an excluded directory


@pytest.mark.parametrize(
    ("excluded", "at_site"), [("HC", "hc"), ("caf\u00e9", "cafe\u0301"), ("x/CAF\u00c9", "x/cafe\u0301")]
)
def test_what_is_spelt_in_another_way_than_an_excluded_directory_is_left_alone(
    tmp_path: Path, excluded, at_site
) -> None:
    directory = f"/store/mc/{at_site}".encode()
    files = (SiteFile(directory + b"/f"), SiteFile(directory + b"2/orphan"))
    empty = (SiteDirectory(directory, 1), SiteDirectory(directory + b"/empty", 0))
    case = site(*files, directories=empty, exclude=(b"/store/mc/" + excluded.encode(),))
    run, counts = compared(case, tmp_path)
    assert (counts["orphans"], counts["emptyDirectories"], counts["ignoredFiles"]) == (1, 0, 1)
    assert [row["path"] for row in runs.findings_of(run)["orphan"]] == [directory + b"2/orphan"]


# --- one directory, two names


ALIASES = (
    SiteDirectory(b"/store/mc/a", 0, 7),
    SiteDirectory(b"/store/mc/b", 0, 7),
    SiteDirectory(b"/store/mc/a/x", 0, 8),
)


def test_a_directory_with_two_names_is_told_among_the_holes_with_its_other_name(tmp_path: Path) -> None:
    run, counts = compared(site(directories=(*ALIASES, SiteDirectory(b"/store/mc/b/x", 0, 8))), tmp_path)
    holes = {hole["path"]: hole["reason"] for hole in summarise(run, run.check(), "Complete", counts=counts)["holes"]}
    assert holes.keys() == {"/store/mc/a", "/store/mc/b"}
    assert "/store/mc/b" in holes["/store/mc/a"]
    assert "/store/mc/a" in holes["/store/mc/b"]
    assert (counts["holes"], counts["roots"]["/store/mc"]["holes"]) == (2, 2)
    with open_tables(run) as tables:
        assert [row[0] for row in tables.rows("SELECT path FROM hole ORDER BY path")] == [
            b"/store/mc/a",
            b"/store/mc/b",
        ]


def test_a_directory_that_the_unmerged_area_has_under_another_name_is_a_hole(tmp_path: Path) -> None:
    run = runs.write_run(site(SiteFile(b"/store/mc/a/dark"), directories=ALIASES[:1]), tmp_path)
    row = {
        "path": [b"/store/unmerged/a"],
        "kind": ["directory"],
        "size": [1],
        "mtime": [0],
        "reason": [None],
        "identity": [7],
    }
    with run.writing("listing/unmerged.parquet") as path:
        pq.write_table(pa.table(row, schema=runs.LISTING_COLUMNS), path)
    counts = compare(run, runs.backend_for(Case()))
    assert (counts["holes"], counts["orphans"], counts["orphansInHoles"]) == (1, 0, 1)
    assert counts["aliases"][0]["path"] == "/store/mc/a"


def test_another_name_of_an_excluded_directory_is_a_hole(tmp_path: Path) -> None:
    case = site(SiteFile(b"/store/mc/a/dark"), directories=ALIASES[:1], exclude=(b"/store/mc/HC",))
    run = runs.write_run(case, tmp_path)
    with run.reading("listing/shard-0000.parquet") as path:
        listed = pq.read_table(path)
    excluded = {"path": b"/store/mc/HC", "kind": "excluded", "identity": 7}
    row = pa.Table.from_pylist([{name: excluded.get(name) for name in listed.schema.names}], schema=listed.schema)
    with run.writing("listing/shard-0000.parquet") as path:
        pq.write_table(pa.concat_tables([listed, row]), path)
    counts = compare(run, runs.backend_for(case))
    assert (counts["holes"], counts["orphans"]) == (1, 0)


def test_a_listing_of_a_former_version_has_no_identities_and_is_read(tmp_path: Path) -> None:
    run = runs.write_run(site(SiteFile(b"/store/mc/a/dark"), directories=ALIASES), tmp_path)
    with run.reading("listing/shard-0000.parquet") as path:
        table = pq.read_table(path).drop_columns(["identity"])
    with run.writing("listing/shard-0000.parquet") as path:
        pq.write_table(table, path)
    counts = compare(run, runs.backend_for(Case()))
    assert (counts["holes"], counts["orphans"]) == (0, 1)


def test_twins_and_other_spellings_are_counted_and_twins_are_no_orphans(tmp_path: Path) -> None:
    files = (SiteFile(b"/store/mc/again/ok", 1), SiteFile(b"/store/mc/dark", 5), SiteFile(b"/store/mc/GONE", 2))
    case = site(*files)
    known = (OK, Entry(b"/store/mc/gone", 2))
    run, counts = compared(Case(known, known, case.shards, case.settings), tmp_path)
    assert (counts["twins"], counts["twinBytes"]) == (1, 1)
    assert (counts["orphans"], counts["orphanBytes"], counts["renamed"]) == (2, 7, 2)
    assert counts["roots"]["/store/mc"]["twins"] == 1
    found = runs.findings_of(run)
    assert [row["path"] for row in found["twin"]] == [b"/store/mc/again/ok"]
    marks = {row["path"]: row["mark"] for kind in ("missing", "orphan") for row in found[kind]}
    assert marks == {b"/store/mc/gone": "renamed", b"/store/mc/GONE": "renamed", b"/store/mc/dark": None}


# --- directories that answered "empty", and the root /


@pytest.mark.parametrize("root", [b"/", b"/store"])
def test_a_directory_directly_below_a_root_that_is_listed_empty_is_named(root: bytes, tmp_path: Path) -> None:
    top = root.rstrip(b"/")
    known = (Entry(top + b"/a/f"), Entry(top + b"/b/d/g"), Entry(top + b"/b/h"))
    directories = tuple(SiteDirectory(path) for path in (root, top + b"/a", top + b"/b", top + b"/c"))
    shard = Shard(files=(SiteFile(top + b"/a/f"),), directories=directories)
    run, counts = compared(Case(known, known, (shard,), Settings(roots=(root,))), tmp_path)
    assert counts["emptyTopDirectories"] == [(top + b"/b").decode()]
    assert (counts["missing"], counts["missingInEmptyDirectories"], counts["emptyDirectories"]) == (2, 2, 1)
    found = runs.findings_of(run)
    assert [(row["path"], row["root"]) for row in found["empty_directory"]] == [(top + b"/c", root.decode())]
    assert {row["mark"] for row in found["missing"]} == {"empty-directory"}


def test_the_root_of_all_is_never_an_empty_directory(tmp_path: Path) -> None:
    entry = Entry(b"/f", in_flight=True)
    shard = Shard(directories=(SiteDirectory(b"/"), SiteDirectory(b"/a"), SiteDirectory(b"/a/b")))
    run, _counts = compared(Case((entry,), (entry,), (shard,), Settings(roots=(b"/",))), tmp_path)
    assert [row["path"] for row in runs.findings_of(run)["empty_directory"]] == [b"/a/b", b"/a"]


# --- names that lead nowhere


@pytest.mark.parametrize(
    "name",
    [
        *("store/mc/dark", "./store/mc/dark", "root://door//store/mc/dark", "", " /store/mc/dark"),
        *("/store/mc/./dark", "/store/mc/x/../dark", "/store/mc/dark/.", "/store/mc/dark/..", "/../store/mc/dark"),
        *(f"/store/mc/dark{end}" for end in (" ", "\n", "\r\n", "\t", "\v", "\f", "\0")),
        *("/store/mc/ dark", "/store/mc /dark", "/store/mc/dark /"),
    ],
)
def test_an_entry_that_leads_nowhere_is_counted_and_is_not_missing(name: str, tmp_path: Path) -> None:
    run = runs.write_run(site(SiteFile(b"/store/mc/dark")), tmp_path)
    counts = with_inventory(run, "/store/mc/ok", name)
    assert (counts["unplacedFiles"], counts["missing"], counts["orphans"]) == (1, 0, 1)


@pytest.mark.parametrize(
    "name", ["/store/mc/.d/f", "/store/mc/d./f", "/store/mc/...", "/store/mc/a b", "//store//mc/d/", b"/store/mc/\xa0"]
)
def test_an_entry_of_an_odd_name_is_missing_like_others(name: str | bytes, tmp_path: Path) -> None:
    run = runs.write_run(site(), tmp_path)
    counts = with_inventory(run, "/store/mc/ok", name)
    assert (counts["unplacedFiles"], counts["missing"]) == (0, 1)


# --- what matches nothing


def test_what_is_excluded_or_ignored_and_is_not_there_is_noted(tmp_path: Path) -> None:
    excluded = (b"/store/mc/HC", b"/store/mc/D1", b"/store/mc/claimed")
    case = site(SiteFile(b"/store/mc/RAW/f"), exclude=excluded, ignore=(b"/RAW", b"/d2x"))
    known = (OK, Entry(b"/store/mc/claimed/f"))
    run = runs.write_run(Case(known, known, case.shards, case.settings), tmp_path)
    run.write_json("listing/shard-0000.json", run.read_json("listing/shard-0000.json") | {"excluded": ["/store/mc/HC"]})
    compare(run, runs.backend_for(case))
    first, second = gathered(run)
    assert "/store/mc/D1 " in first
    assert "/d2x " in second


def test_nothing_is_noted_of_a_listing_that_does_not_tell_what_it_left_out(tmp_path: Path) -> None:
    run, _counts = compared(site(exclude=(b"/store/mc/D1",)), tmp_path)
    assert gathered(run) == []


# --- numbers


def test_sums_that_are_too_large_are_the_largest_number(tmp_path: Path) -> None:
    known = (OK, *(Entry(b"/store/%s/m%d" % (root, number), LARGEST) for root in (b"mc", b"data") for number in (1, 2)))
    files = tuple(
        SiteFile(b"/store/%s/d%d" % (root, number), LARGEST) for root in (b"mc", b"data") for number in (1, 2)
    )
    case = Case(known, known, (Shard(files=(AT_SITE, *files)),), Settings(roots=(ROOT, b"/store/data")))
    _run, counts = compared(case, tmp_path)
    names = ("listedBytes", "inventoryBytes", "missingBytes", "orphanBytes")
    assert [counts[name] for name in names] == [LARGEST] * 4
    assert [counts["roots"]["/store/data"][name] for name in names] == [LARGEST] * 4


def test_directories_of_a_dump_do_not_count_as_files(tmp_path: Path) -> None:
    _run, counts = compared(site(SiteFile(b"/store/mc/d", 4096), SiteFile(b"/store/mc/d/dark", 3)), tmp_path)
    assert (counts["listedFiles"], counts["listedBytes"], counts["orphans"]) == (2, 4, 1)
