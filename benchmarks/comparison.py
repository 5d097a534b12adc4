"""Comparison of two snapshots and a listing, unsorted: ours against `rce_cmp5` and against `sort` + `comm`."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pyarrow as pa
import rce
from measure import HERE, Row, measure, show, times_as_fast

from dynamo_consistency.run.listing.parquet import ListingFile
from dynamo_consistency.run.snapshot import take_snapshot
from dynamo_consistency.run.store.run_directory import RunDirectory

PROGRAMS = ("sort", "comm")
INSTALL = "apt-get install coreutils"

PARTS = 8
BATCH_ROWS = 50_000
LISTED_AT = 2_000_000_000
CHECK = """\
apiVersion: consistency.dynamo.io/v1alpha1
kind: SiteConsistencyCheck
metadata: {name: bench}
spec:
  site: Bench
  listing: {roots: [{path: /store/mc}], shards: 1}
"""
PATH = """('/store/mc/Summer20MiniAODv2/DYJetsToLL_M-50_TuneCP5_13TeV-amcatnloFXFX-pythia8_' || (i % 977)
    || '/MINIAODSIM/106X_realistic_v16_L1v1-v2/' || lpad((i // 1000 % 1000)::VARCHAR, 5, '0') || '/'
    || upper(left(md5(i::VARCHAR), 32)) || '.root')"""


def bench(folder: Path, big: bool) -> None:
    """2 million files, with `big` 20 million; one in 500 is in one snapshot alone, or missing, or an orphan."""
    files = 20_000_000 if big else 2_000_000
    ours = _ours(folder, files, memory="1Gi", lists=True, runs=1 if big else 3)
    rows = [Row("dynamo-consistency, held to 1 GiB", *ours, f"{files / ours[0] / 1e6:.2f} M files/s")]
    programs = rce.folder()
    if programs is not None:
        lists = [folder / f"lists/{name}" for name in ("b", "b", "r", "a", "a", "dark", "miss")]
        theirs = measure([programs / "rce_cmp5", "-s", folder / "stats.json", *lists], runs=1)
        rows.append(Row("rce_cmp5, from ready partitions", *theirs, "", times_as_fast(ours[0], theirs[0], "rce_cmp5")))
    script = " && ".join(
        [f"LC_ALL=C sort -S 400M lists/{name}.all > {name}.sorted" for name in "bra"]
        + ["LC_ALL=C comm -12 b.sorted a.sorted | LC_ALL=C comm -23 - r.sorted > missing"]
        + ["LC_ALL=C sort -m b.sorted a.sorted | LC_ALL=C comm -13 - r.sorted > dark"]
    )
    theirs = measure(["bash", "-c", script], runs=1, cwd=folder)
    rows.append(Row("sort + comm", *theirs, "", times_as_fast(ours[0], theirs[0], "sort + comm")))
    show(f"Comparison of {files // 1_000_000} million files", rows)


def bench_huge(folder: Path) -> None:
    """A hundred million files, without peers: their lists would need 50 GB. The run directory needs 11."""
    files = 100_000_000
    ours = _ours(folder, files, memory="3Gi", lists=False, runs=1)
    rate = f"{files / ours[0] / 1e6:.2f} M files/s"
    show("Comparison of 100 million files", [Row("dynamo-consistency, held to 3 GiB", *ours, rate)])


def _ours(folder: Path, files: int, *, memory: str, lists: bool, runs: int) -> tuple[float, float]:
    """(seconds, peak in MiB). The findings are removed before each run: what is compared is not compared again."""
    run = folder / "Bench/run"
    _make(folder, run, files, lists=lists)
    environment = {"DYNAMO_CONSISTENCY_MEMORY_LIMIT": memory, "PATH": "/usr/bin:/bin", "TMPDIR": str(folder)}
    return measure([sys.executable, HERE / "compare_once.py", run], runs=runs, env=environment)


def _make(folder: Path, run: Path, files: int, *, lists: bool) -> None:
    """The run directory, written as the stages do, and with `lists` the same as text."""
    directory = RunDirectory(str(run))
    directory.write_text("check.yaml", CHECK)
    directory.write_json("inventory/datasets.json", {"protected": [], "deletionRequests": []})
    directory.write_json("listing/shard-0000.json", {"listedAt": LISTED_AT})
    known = (
        "(i * 7919) % 4000000000 AS size, 1000000000::BIGINT AS time, i % 1009 = 0 AS in_flight, "
        "'/DY/x-v2/MINIAODSIM' AS dataset, 'block' || (i // 1000) AS block, 'AnalysisOps' AS \"group\""
    )
    listed = "(i * 7919) % 4000000000 AS size, 1000000000::BIGINT AS mtime"
    # Multiplying by a number without a common divisor puts the files in an order that is nobody's.
    mixed = f"(SELECT (j * 1000003) % {files} AS i FROM range({files}) AS t(j))"
    sides = (("before", "b", 501, known), ("after", "a", 503, known), ("listing", "r", 997, listed))
    (folder / "lists").mkdir()
    with duckdb.connect() as database:
        database.execute("SET preserve_insertion_order = false; SET threads = 2; SET memory_limit = '3GB'")
        for side, letter, without, columns in sides:
            rows = f"SELECT {PATH}::BLOB AS path, {columns} FROM {mixed} WHERE i % {without} <> 0"
            _write(directory, side, database.sql(rows).to_arrow_reader(BATCH_ROWS))
            if lists:
                _write_lists(database, directory, side, f"{folder}/lists/{letter}")


def _write(run: RunDirectory, side: str, batches: Iterator[pa.RecordBatch]) -> None:
    if side != "listing":
        none = dict.fromkeys(("protected_datasets", "list_files"), list)
        inventory = SimpleNamespace(stream=lambda _site: batches, **none)
        take_snapshot(run, SimpleNamespace(inventory=inventory, __name__="bench"), side)
        return
    root = b"/store/mc"
    with run.writing("listing/shard-0000.parquet") as path, ListingFile(path, [root], LISTED_AT) as file:
        for batch in batches:
            file.columns(root, *batch.columns)


def _write_lists(database: duckdb.DuckDBPyConnection, run: RunDirectory, side: str, target: str) -> None:
    name = "listing/shard-0000.parquet" if side == "listing" else f"inventory/{side}.parquet"
    with run.reading(name) as file:
        for part in range(PARTS):
            database.execute(
                f"COPY (SELECT path::VARCHAR FROM '{file}' WHERE hash(path) % {PARTS} = {part}) "
                f"TO '{target}.{part:05d}' (FORMAT csv, HEADER false)"
            )
    subprocess.run(f"cat {target}.0* > {target}.all", shell=True, check=True)  # noqa: S602
