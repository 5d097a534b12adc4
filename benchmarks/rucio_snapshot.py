"""Snapshot of an RSE from Rucio's tables on a real PostgreSQL: ours, by two ways to make paths, and its peers."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import rucio_peers
from measure import HERE, Row, cpu_of, per_core, show

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/rucio")]  # where a Rucio server is run for the tests

PROGRAMS = ("psql",)
INSTALL = "apt-get install postgresql"

COMMAND = Path(sys.executable).with_name("dynamo-consistency")
RSES = "BENCH", "OTHER", "SMALL"
"""The last has one file, so that what a stage computes for is there, and the start is known."""
CHECK = """\
apiVersion: consistency.dynamo.io/v1alpha1
kind: SiteConsistencyCheck
metadata: {{name: bench}}
spec:
  site: {site}
  listing: {{source: {{posix: {{prefix: /nowhere}}}}, roots: [{{path: /store/mc}}]}}
"""
NAME = (
    "'/store/mc/Summer20MiniAODv2/DYJetsToLL_M-50_TuneCP5_13TeV/MINIAODSIM/v2/' || lpad((i / 1000)::text, 5, '0') "
    "|| '/' || upper(md5(i::text)) || '.root'"
)


def bench(folder: Path, big: bool) -> None:
    """A million replicas of the RSE among two million; some have requests, some are declared bad. Peers without TLS."""
    import postgresql
    import postgresql_tls
    import rucio_environment
    from rucio_server import RucioServer

    try:
        rucio_environment.python()
    except rucio_environment.EnvironmentMissingError as error:
        print(f"\nsnapshot of an RSE: not measured, it {error}")
        return
    wanted = 1_000_000
    for site in RSES:
        (folder / f"{site}.yaml").write_text(CHECK.format(site=site))
    with postgresql.running() as database:
        postgresql_tls.encrypt(database)
        url = database.url(database.new_database())
        (folder / "server").mkdir()
        server = RucioServer(folder / "server", url)
        try:
            server.start()
            for rse in RSES:
                server.ask("POST", f"/rses/{rse}", {})
            server.ask("POST", "/scopes/root/cms")
        finally:
            server.stop()
        _fill(server, wanted)
        ways = [(algorithm, ssl) for ssl in ("disable", "require") for algorithm in ("cms", "hash")]
        rows = [row for algorithm, ssl in ways for row in _read(folder, f"{url}?sslmode={ssl}", algorithm, wanted)]
        for name, command in rucio_peers.peers(folder, f"{url}?sslmode=disable", "BENCH"):
            rows.append(per_core(wanted, command, name, cwd=folder, stderr=subprocess.DEVNULL))
    show("Snapshot of a million replicas of an RSE", rows)


def _read(folder: Path, url: str, algorithm: str, wanted: int) -> list[Row]:
    """The stream alone, and the whole stage; the rates are without the start, which is that of an RSE with one file."""
    name, by = (f"{algorithm}-tls", f"{algorithm} by TLS") if url.endswith("require") else (algorithm, algorithm)
    file = f"{name}.yaml"
    entry = f"{{type: rucio, database: '{url}', lfn2pfn: {algorithm}, datasetNames: cms}}"
    (folder / file).write_text(f"backends: {{default: {entry}}}\n")

    def stream(site: str) -> list[str | Path]:
        return [sys.executable, HERE / "read_inventory.py", file, site]

    def stage(site: str) -> list[str | Path]:
        run = folder / "store" / site / name
        return [COMMAND, "stage", "snapshot", "--run-dir", run, "-f", f"{site}.yaml", "--backends", file]

    named = (f"stream alone, lfn2pfn {by}", stream), (f"stage snapshot, {by}", stage)
    return [
        per_core(wanted, command("BENCH"), what, cpu_of(command("SMALL"), cwd=folder)[0], cwd=folder)
        for what, command in named
    ]


def _fill(server: Any, wanted: int) -> None:
    dids = f"(SELECT {NAME} AS name, i FROM generate_series(1, {wanted}) AS i) AS file"
    for statement in (
        "INSERT INTO dids (scope, name, account, did_type, availability, bytes, created_at, updated_at) "
        f"SELECT 'cms', name, 'root', 'F', 'A', i, '2020-01-01', '2020-01-01' FROM {dids}",
        "INSERT INTO replicas (rse_id, scope, name, bytes, adler32, state, lock_cnt, created_at, updated_at) "
        f"SELECT id, 'cms', name, i, '0cc737eb', 'A', 1, '2020-01-01', '2020-01-01' FROM rses, {dids} "
        "WHERE rse <> 'SMALL' OR i = 7",
        "INSERT INTO requests (id, request_type, did_type, scope, name, dest_rse_id, state, created_at, updated_at) "
        "SELECT gen_random_uuid(), 'T', 'F', scope, name, rse_id, 'Q', now(), now() FROM replicas "
        "WHERE bytes % 100 = 0",
        "INSERT INTO bad_replicas (scope, name, rse_id, state, account, created_at, updated_at) "
        "SELECT scope, name, rse_id, 'B', 'root', now(), now() FROM replicas WHERE bytes % 1000 = 1",
        "ANALYZE",
    ):
        began = time.monotonic()
        server.sql(f"SET LOCAL session_replication_role = replica; {statement}")  # without a look at foreign keys
        print(f"{statement[:40]}… {time.monotonic() - began:.0f} s", file=sys.stderr)
