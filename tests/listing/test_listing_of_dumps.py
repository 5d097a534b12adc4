"""A dump as the listing of a site: what one of its lines does not tell is a hole, not a missing file."""

import gzip
import json

import pyarrow.parquet as pq

from dynamo_consistency.check import SiteConsistencyCheck
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
