"""Comparison of two snapshots and a listing, unsorted: ours against `rce_cmp5` and against `sort` + `comm`."""

import subprocess
import sys
from pathlib import Path

import duckdb
import rce
from measure import HERE, Row, measure, show, times_as_fast

PROGRAMS = ("sort", "comm")
INSTALL = "apt-get install coreutils"

PARTS = 8
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
    """2 million files, with `big` 20 million; one in 500 is missing, or an orphan, or new in the second snapshot."""
    files = 20_000_000 if big else 2_000_000
    run = folder / "Bench/run"
    _make(folder, run, files)
    environment = {"DYNAMO_CONSISTENCY_MEMORY_LIMIT": "1536Mi", "PATH": "/usr/bin:/bin", "TMPDIR": str(folder)}
    # The findings are removed before each run: a comparison that is done is not done again.
    ours = measure([sys.executable, HERE / "compare_once.py", run], runs=1 if big else 3, env=environment)
    rows = [Row("dynamo-consistency", *ours, f"{files / ours[0] / 1e6:.2f} M files/s")]
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


def _make(folder: Path, run: Path, files: int) -> None:
    (folder / "lists").mkdir()
    for name in ("inventory", "listing"):
        (run / name).mkdir(parents=True)
    (run / "check.yaml").write_text(CHECK)
    (run / "inventory/datasets.json").write_text('{"protected": [], "deletionRequests": []}')
    (run / "listing/shard-0000.json").write_text('{"listedAt": 2000000000}')
    known = (
        "(i * 7919) % 4000000000 AS size, 1000000000::BIGINT AS time, i % 1009 = 0 AS in_flight, "
        "'/DY/x-v2/MINIAODSIM' AS dataset, 'block' || (i // 1000) AS block, 'AnalysisOps' AS \"group\""
    )
    listed = "'file' AS kind, (i * 7919) % 4000000000 AS size, 1000000000::BIGINT AS mtime, NULL::VARCHAR AS reason"
    # Multiplying by a number without a common divisor puts the files in an order that is nobody's.
    mixed = f"(SELECT (j * 1000003) % {files} AS i FROM range({files}) AS t(j))"
    sides = (("before", "b", 501, known), ("after", "a", 503, known), ("listing", "r", 997, listed))
    with duckdb.connect() as database:
        database.execute("SET preserve_insertion_order = false; SET threads = 2; SET memory_limit = '3GB'")
        for side, letter, without, columns in sides:
            target = run / ("listing/shard-0000" if side == "listing" else f"inventory/{side}")
            source = f"{mixed} WHERE i % {without} <> 0"
            database.execute(
                f"COPY (SELECT {PATH}::BLOB AS path, {columns} FROM {source}) TO '{target}.parquet' (FORMAT parquet)"
            )
            if side != "listing":
                (run / f"inventory/{side}.json").write_text('{"takenAt": 2000000000}')
            for part in range(PARTS):
                database.execute(
                    f"COPY (SELECT path::VARCHAR FROM '{target}.parquet' WHERE hash(path) % {PARTS} = {part}) "
                    f"TO '{folder}/lists/{letter}.{part:05d}' (FORMAT csv, HEADER false)"
                )
    for letter in "bra":
        subprocess.run(f"cat lists/{letter}.0* > lists/{letter}.all", shell=True, cwd=folder, check=True)  # noqa: S602
