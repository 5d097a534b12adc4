"""A whole run from two dumps of one site, by CPU: `dynamo-consistency run` against `sort` + `comm` of the two."""

import json
import sys
import time
from pathlib import Path

import duckdb
from comparison import PATH
from measure import Row, cpu_of, show, times_as_fast

from dynamo_consistency.backend.file.version import SETTLED_SECONDS

PROGRAMS = ("sort", "comm")
INSTALL = "apt-get install coreutils"
RUNS = 3


def bench(folder: Path, big: bool) -> None:
    """2 million lines each, with `big` 20 million; one in 1000 is missing, one in 500 unknown to the inventory."""
    files = 20_000_000 if big else 2_000_000
    make(folder, files)
    time.sleep(SETTLED_SECONDS + 1)  # dumps of people are hours old, and one that has settled is read once
    ours, theirs = [], []
    for number in range(RUNS):  # in turn, because other load on the machine comes and goes
        ours.append(cpu_of(_run(folder, number)))
        theirs.append(cpu_of(["bash", "-c", SCRIPT], cwd=folder))
    ours, theirs = sorted(ours), sorted(theirs)
    cpu, seconds, peak = ours[RUNS // 2]
    rows = [Row("dynamo-consistency run", seconds, peak, f"{cpu:.2f} s of CPU")]
    their_cpu, seconds, peak = theirs[RUNS // 2]
    ratio = times_as_fast(cpu, their_cpu, "the CPU of sort + comm")
    rows.append(Row("sort + comm", seconds, peak, f"{their_cpu:.2f} s of CPU", ratio))
    show(f"A whole run from two dumps of {files // 1_000_000} million lines", rows)


SCRIPT = " && ".join(
    [f"cut -f1 {name}.tsv | LC_ALL=C sort -S 400M > {name}.sorted" for name in ("inventory", "site")]
    + ["LC_ALL=C comm -23 inventory.sorted site.sorted > missing"]
    + ["LC_ALL=C comm -13 inventory.sorted site.sorted > orphans"]
)


def make(folder: Path, files: int) -> None:
    """The dumps, the check and the backend."""
    mixed = f"(SELECT (j * 1000003) % {files} AS i FROM range({files}) AS t(j))"
    with duckdb.connect() as database:
        database.execute("SET threads = 2; SET memory_limit = '2GB'")
        for name, without in (("inventory", 501), ("site", 997)):
            rows = f"SELECT {PATH}, (i * 7919) % 4000000000, 1600000000 FROM {mixed} WHERE i % {without} <> 0"
            target = folder / f"{name}.tsv"
            database.execute(f"COPY ({rows}) TO '{target}' (FORMAT csv, DELIMITER '\t', HEADER false)")
    inventory = {"url": str(folder / "inventory.tsv"), "columns": {"path": 1, "size": 2, "time": 3}}
    backend = {"type": "file", "sites": {"Bench": {"inventory": inventory}}}
    (folder / "backends.yaml").write_text(json.dumps({"backends": {"default": backend}}))
    source = {"dump": {"url": str(folder / "site.tsv")}}
    check = {
        "apiVersion": "consistency.dynamo.io/v1alpha1",
        "kind": "SiteConsistencyCheck",
        "metadata": {"name": "bench"},
        "spec": {"site": "Bench", "listing": {"source": source, "roots": [{"path": "/store/mc"}]}},
    }
    (folder / "check.yaml").write_text(json.dumps(check))


def _run(folder: Path, number: int) -> list[str | Path]:
    command = [Path(sys.executable).with_name("dynamo-consistency"), "run", "-f", folder / "check.yaml"]
    return [*command, "--backends", folder / "backends.yaml", "--store", folder / f"store-{number}-{time.time_ns()}"]
