"""Names with line ends, where a listing is lines: the inventory says where they are, and that is a hole."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from listing_runs import rows_of, touch

from dynamo_consistency.backend.contract import INVENTORY_COLUMNS
from dynamo_consistency.run.listing.line_ends import REASON, directories_with_line_ends
from dynamo_consistency.run.listing.progress import Progress
from dynamo_consistency.run.listing.shard import list_shard
from dynamo_consistency.run.store.run_directory import RunDirectory


def claim(run: RunDirectory, *files: bytes) -> None:
    """The inventory of the run has these files."""
    columns = {field.name: [None] * len(files) for field in INVENTORY_COLUMNS}
    columns |= {"path": list(files), "in_flight": [False] * len(files)}
    with run.writing("inventory/before.parquet") as path:
        pq.write_table(pa.table(columns, schema=INVENTORY_COLUMNS), path)


@pytest.mark.parametrize(
    ("file", "directories"),
    [
        (b"/store/a/end\n", {b"/store/a"}),
        (b"/store/a/\nstart", {b"/store/a"}),
        (b"/store/a/mid\ndle", {b"/store/a"}),
        (b"/store/a\n/b/f\n", {b"/store", b"/store/a\n/b"}),
        (b"/\nf", {b"/"}),
        (b"/store/plain", set()),
    ],
)
def test_the_directories_are_those_of_every_name_with_a_line_end(make_run, file, directories):
    run = make_run()
    claim(run, b"/store/other", file)
    assert directories_with_line_ends(run) == directories


def test_without_a_snapshot_there_are_none(make_run):
    assert directories_with_line_ends(make_run()) == frozenset()


def test_a_dump_of_lines_leaves_holes_there_and_one_with_values_does_not(make_run, tmp_path):
    dump = tmp_path / "dump-20260101.tsv"
    dump.write_text("/store/a/end\t5\t1000000000\n/store/b/f\t5\t1000000000\n")
    values = tmp_path / "dump-20260101.parquet"
    table = {"path": [b"/store/a/end\n", b"/store/b/f"], "size": [5, 5], "mtime": [1_000_000_000] * 2}
    pq.write_table(pa.table(table), values)
    for place, format_, holes in ((dump, "tsv", [(b"/store/a", REASON)]), (values, "parquet", [])):
        run = make_run({"dump": {"url": str(place), "format": format_}})
        claim(run, b"/store/a/end\n")
        list_shard(run, None, 0, Progress("test"))
        assert [(path, reason) for path, kind, _, _, reason in rows_of(run) if kind == "hole"] == holes


def test_a_mounted_site_shows_such_names_as_they_are(site, make_run):
    touch(site / "store/a", b"end\n")
    run = make_run({"posix": {"prefix": str(site)}})
    claim(run, b"/store/a/end\n")
    list_shard(run, None, 0, Progress("test"))
    assert {path for path, kind, *_ in rows_of(run) if kind == "file"} == {b"/store/a/end\n"}
