"""A dump as the listing of a site: what one of its lines does not tell is a hole, not a missing file."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import ListingError
from dynamo_consistency.run.listing.progress import Progress
from dynamo_consistency.run.listing.shard import list_shard
from dynamo_consistency.run.store.run_directory import RunStore


def listed(folder, content):
    dump = folder / "dump_20260101.tsv.gz"
    dump.write_bytes(gzip.compress(content))
    source = {"dump": {"url": str(dump), "maxBadLineFraction": "0.5"}}
    check = SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": "by-dump"},
            "spec": {"site": "S", "listing": {"source": source, "roots": [{"path": "/store/mc"}], "shards": 1}},
        }
    )
    run = RunStore(str(folder / "store")).create(check)
    facts = list_shard(run, None, 0, Progress("dump"))
    with run.reading("listing/shard-0000.parquet") as file:
        return facts, pq.read_table(file).to_pylist()


def test_files_of_a_dump_are_files_of_the_listing_as_of_the_dumps_date(tmp_path):
    facts, rows = listed(tmp_path, b"/store/mc/a/f\t5\t1600000000\n/store/data/g\t6\t1600000000\n")
    assert [(row["path"], row["kind"], row["size"]) for row in rows] == [(b"/store/mc/a/f", "file", 5)]
    assert facts["listedAt"] == 1767225600
    assert json.dumps(facts), "it is written as JSON"


def test_a_line_whose_path_cannot_be_read_makes_its_directory_a_hole(tmp_path):
    facts, rows = listed(
        tmp_path, b"/store/mc/a/f\t5\t1600000000\n/store/mc/b/half\tbroken\t\t\n/store/mc/c/g\t7\t1600000000\n"
    )
    holes = [row["path"] for row in rows if row["kind"] == "hole"]
    files = [row["path"] for row in rows if row["kind"] == "file"]
    assert set(files) >= {b"/store/mc/a/f", b"/store/mc/c/g"}
    assert b"/store/mc/b" in holes or b"/store/mc/b/half" in files, "it must not look as if it were not there"
    assert facts["counts"]["holes"] == len(holes)


@pytest.mark.parametrize("unreadable", ["/store", "/store/mc"])
def test_a_root_in_or_below_what_could_not_be_read_is_a_hole(tmp_path, unreadable):
    _, rows = listed(tmp_path, f"/store/mc/a/f\t5\t1600000000\nfind: '{unreadable}': Permission denied\n".encode())
    assert [row["path"] for row in rows if row["kind"] == "hole"] == [b"/store/mc"]


def test_a_line_about_the_directory_that_a_root_is_in_says_nothing_of_the_root(tmp_path):
    _, rows = listed(tmp_path, b"/store/mc/a/f\t5\t1600000000\n/store/odd\t5\t1\t1\n")
    assert [row["path"] for row in rows if row["kind"] == "hole"] == []


def test_a_dump_of_which_nothing_is_below_the_roots_is_not_believed(tmp_path):
    with pytest.raises(ListingError, match=r"no path of the dump .* is below a root, such as /store/mc; the first is"):
        listed(tmp_path, b"/cms/store/mc/a\t1\t1600000000\n")


def test_all_shards_read_the_same_dump_although_a_newer_one_comes_meanwhile(tmp_path, make_run):
    old, new = ((datetime.now(UTC) - timedelta(days=days)).strftime("dump_%Y%m%d") for days in (3, 1))
    names = [f"/store/mc/{number}/f" for number in range(20)]
    (tmp_path / old).write_text("".join(f"{name}\t1\t1600000000\n" for name in names))
    run = make_run({"dump": {"url": f"{tmp_path}/dump_*"}}, roots=["/store/mc"], shards=2, splitDepth=1)
    first = list_shard(run, None, 0, Progress("dump"))
    (tmp_path / new).write_text("/store/mc/other/f\t1\t1600000000\n")
    second = list_shard(run, None, 1, Progress("dump"))
    assert first["listedAt"] == second["listedAt"]
    assert first["counts"]["files"] + second["counts"]["files"] == len(names)


def test_a_dump_that_is_replaced_between_two_shards_is_not_believed(tmp_path, make_run):
    dump = tmp_path / "dump_20260101"
    dump.write_text("".join(f"/store/mc/{number}/f\t1\t1600000000\n" for number in range(20)))
    run = make_run({"dump": {"url": str(dump)}}, roots=["/store/mc"], shards=2, splitDepth=1)
    list_shard(run, None, 0, Progress("dump"))
    dump.write_text("/store/mc/other/f\t1\t1600000000\n")
    with pytest.raises(ListingError, match="was replaced while the site's shards were read from it"):
        list_shard(run, None, 1, Progress("dump"))
