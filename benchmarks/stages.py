"""A whole check of a large site on a real MariaDB and a real XRootD server, stage by stage, as pods run it."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pymysql
from listing import free_port, xrootd_server
from measure import Row, cpu_of, show
from snapshot import backends, create_tables, server

PROGRAMS = ("mariadbd", "mariadb-install-db", "xrootd")
INSTALL = "apt-get install mariadb-server xrootd-server"

COMMAND = Path(sys.executable).with_name("dynamo-consistency")
DATASETS, FOLDERS, FILES = 50, 800, 15
CHECK = """\
apiVersion: consistency.dynamo.io/v1alpha1
kind: SiteConsistencyCheck
metadata: {{name: bench}}
spec:
  site: Bench
  listing:
    source: {{xrootd: {{servers: ["root://127.0.0.1:{port}"]}}}}
    roots: [{{path: /store/mc}}]
    shards: 1
    concurrency: 512
  comparison: {{ignoreAgeSeconds: 1}}
"""
STAGES = {"snapshot": ["-f", "check.yaml"], "listing": [], "comparison": [], "action": ["-f", "check.yaml"]}


def bench(folder: Path, big: bool) -> None:
    """600,000 files, with `big` 10.2 million; one in 5,003 is an orphan, and one folder in 997 lacks a file."""
    campaigns = 17 if big else 1
    files = _make_site(folder / "site", campaigns)
    port = free_port()
    (folder / "check.yaml").write_text(CHECK.format(port=port))
    with server(folder) as unix_socket, xrootd_server(folder, port):
        url = f"mysql+pymysql://root@localhost/dynamo?unix_socket={unix_socket}"
        (folder / "backends.yaml").write_text(backends(url))
        create_tables(folder, unix_socket, url)
        _fill(unix_socket, campaigns)
        rows = [_stage(folder, stage, options, files) for stage, options in STAGES.items()]
    total = Row("all stages", sum(row.seconds for row in rows), max(row.peak_mib for row in rows))
    show(f"A whole check of {files / 1e6:.1f} million files by stage", [*rows, total])


def _stage(folder: Path, stage: str, options: list[str], files: int) -> Row:
    run = folder / "store/Bench/run"
    command = [COMMAND, "stage", stage, "--run-dir", run, "--backends", "backends.yaml", *options]
    cpu, seconds, peak = cpu_of(command, cwd=folder)
    return Row(stage, seconds, peak, f"{files / seconds / 1e6:.2f} M files/s, {cpu:.1f} s CPU")


def _folders(campaigns: int) -> Iterator[tuple[int, str]]:
    """Each folder with its number, which tells its dataset: number // FOLDERS."""
    for number in range(campaigns * DATASETS * FOLDERS):
        dataset, folder = divmod(number, FOLDERS)
        yield number, f"/store/mc/Campaign/Dataset{dataset:04d}/AODSIM/v1/{folder:05d}"


def _make_site(site: Path, campaigns: int) -> int:
    files = 0
    for number, path in _folders(campaigns):
        folder = f"{site}{path}"
        os.makedirs(folder)  # noqa: PTH103 (a Path for each of ten million names takes as long as the files)
        for file in range(1 if number % 997 == 0 else 0, FILES):
            os.mknod(f"{folder}/file_{file:04d}_of_the_dataset.root", 0o644)
            files += 1
    return files


def _fill(unix_socket: Path, campaigns: int) -> None:
    folders = campaigns * DATASETS * FOLDERS
    blocks, rows = folders // 10, folders * FILES
    connection = pymysql.connect(unix_socket=str(unix_socket), user="root", autocommit=True, database="dynamo")
    with connection, connection.cursor() as cursor:
        for statement in (
            "INSERT INTO sites (name, storage_type, status) VALUES ('Bench', 'disk', 'ready')",
            "INSERT INTO `groups` (name) VALUES ('AnalysisOps')",
            "INSERT INTO datasets (id, name, last_update, is_open) "
            "SELECT seq, concat('/Dataset', lpad(seq - 1, 4, '0'), '/Campaign-v1/AODSIM'), now(), 0 "
            f"FROM seq_1_to_{campaigns * DATASETS}",
            "INSERT INTO blocks (id, dataset_id, name, is_open, last_update) "
            f"SELECT seq, 1 + (seq - 1) DIV {FOLDERS // 10}, concat('block', seq), 0, now() FROM seq_1_to_{blocks}",
            "INSERT INTO block_replicas (block_id, site_id, group_id, is_complete, last_update) "
            "SELECT id, 1, 1, 1, '2020-01-01' FROM blocks",
            f"INSERT INTO files (block_id, size, name) SELECT 1 + seq DIV {FILES * 10}, 0, "
            f"concat('/store/mc/Campaign/Dataset', lpad(seq DIV {FILES * FOLDERS}, 4, '0'), '/AODSIM/v1/', "
            f"lpad(seq DIV {FILES} MOD {FOLDERS}, 5, '0'), '/file_', lpad(seq MOD {FILES}, 4, '0'), "
            f"'_of_the_dataset.root') FROM seq_0_to_{rows - 1} WHERE seq MOD 5003 <> 0",
        ):
            cursor.execute(statement)
