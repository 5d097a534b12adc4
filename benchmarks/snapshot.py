"""Snapshot of a site from a real MariaDB, by each driver that is installed, and from SQLite."""

import contextlib
import importlib.util
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pymysql
from measure import HERE, Row, cpu_of, per_core, show
from pymysql.cursors import SSCursor

PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb")
INSTALL = "apt-get install mariadb-server"

COMMAND = Path(sys.executable).with_name("dynamo-consistency")
DRIVERS = {"pymysql": "pymysql", "mysqldb": "MySQLdb"}
CHECK = """\
apiVersion: consistency.dynamo.io/v1alpha1
kind: SiteConsistencyCheck
metadata: {{name: bench}}
spec:
  site: {site}
  listing: {{roots: [{{path: /store/mc}}]}}
"""
FILES_OF_A_BLOCK = 100
COPIED = {
    "sites": "id, name, storage_type, status",
    "groups": "id, name",
    "datasets": "id, name, CAST(last_update AS CHAR) AS last_update, is_open",
    "blocks": "id, dataset_id, name, is_open, CAST(last_update AS CHAR) AS last_update",
    "block_replicas": "block_id, site_id, group_id, is_complete, CAST(last_update AS CHAR) AS last_update",
    "files": "id, block_id, size, name",
}


def bench(folder: Path, big: bool) -> None:
    """2 million rows."""
    wanted = 2_000_000
    for site in ("Bench", "Small"):
        (folder / f"{site}.yaml").write_text(CHECK.format(site=site))
    with server(folder) as unix_socket:
        url = "mysql+{driver}://root@localhost/dynamo?unix_socket=" + str(unix_socket)
        _fill(folder, url, unix_socket, wanted)
        rows = [per_core(wanted, _client(unix_socket), "mariadb --quick, the same columns to nowhere")]
        for driver, module in DRIVERS.items():
            if importlib.util.find_spec(module) is None:
                print(f"\nsnapshot with {driver}: not measured, it needs pip install mysqlclient")
                continue
            rows += _read(folder, driver, url.format(driver=driver), wanted)
        _copy_to_sqlite(folder, unix_socket)
    rows += _read(folder, "sqlite", f"sqlite:///{folder}/inventory.sqlite", wanted)
    show(f"Snapshot of {wanted // 1_000_000} million rows", rows)


def _read(folder: Path, name: str, url: str, wanted: int) -> list[Row]:
    """The stream alone, and the whole stage; the rates are without the start: that of a site with one block."""
    (folder / f"{name}.yaml").write_text(backends(url))

    def stream(site: str) -> list[str | Path]:
        return [sys.executable, HERE / "read_inventory.py", f"{name}.yaml", site]

    def stage(site: str) -> list[str | Path]:
        run = folder / "store" / site / name
        return [COMMAND, "stage", "snapshot", "--run-dir", run, "-f", f"{site}.yaml", "--backends", f"{name}.yaml"]

    return [
        per_core(wanted, command("Bench"), f"{what} by {name}", cpu_of(command("Small"), cwd=folder)[0], cwd=folder)
        for what, command in (("stream alone", stream), ("stage snapshot", stage))
    ]


def _client(unix_socket: Path) -> list[str | Path]:
    columns = "f.name, f.size, r.last_update, d.name, b.name, g.name"
    query = (
        f"SELECT {columns} FROM block_replicas r JOIN files f ON f.block_id = r.block_id JOIN blocks b ON b.id = "
        "f.block_id JOIN datasets d ON d.id = b.dataset_id JOIN `groups` g ON g.id = r.group_id WHERE r.site_id = 1"
    )
    return ["mariadb", "--no-defaults", "--user=root", f"--socket={unix_socket}", "--quick", "dynamo", "-e", query]


def _copy_to_sqlite(folder: Path, unix_socket: Path) -> None:
    target = folder / "inventory.sqlite"
    (folder / "init.yaml").write_text(backends(f"sqlite:///{target}"))
    subprocess.run([COMMAND, "inventory", "init", "--backends", "init.yaml"], cwd=folder, check=True)
    source = pymysql.connect(unix_socket=str(unix_socket), user="root", database="dynamo", cursorclass=SSCursor)
    with source, sqlite3.connect(target) as embedded:
        for table, columns in COPIED.items():
            with source.cursor() as cursor:
                cursor.execute(f"SELECT {columns} FROM `{table}`")
                names = [column[0] for column in cursor.description]
                marks = ", ".join("?" * len(names))
                embedded.executemany(f"INSERT INTO `{table}` ({', '.join(names)}) VALUES ({marks})", cursor)


def create_tables(folder: Path, unix_socket: Path, url: str) -> None:
    """The databases and tables of Dynamo, empty."""
    (folder / "init.yaml").write_text(backends(url))
    connection = pymysql.connect(unix_socket=str(unix_socket), user="root", autocommit=True)
    with connection, connection.cursor() as cursor:
        for database in ("dynamo", "dynamoregister", "dynamohistory"):
            cursor.execute(f"CREATE DATABASE {database}")
    subprocess.run([COMMAND, "inventory", "init", "--backends", "init.yaml"], cwd=folder, check=True)


def _fill(folder: Path, url: str, unix_socket: Path, rows: int) -> None:
    create_tables(folder, unix_socket, url.format(driver="pymysql"))
    connection = pymysql.connect(unix_socket=str(unix_socket), user="root", autocommit=True)
    with connection, connection.cursor() as cursor:
        blocks = rows // FILES_OF_A_BLOCK
        for statement in (
            "INSERT INTO dynamo.sites (name, storage_type, status) VALUES "
            "('Bench', 'disk', 'ready'), ('Small', 'disk', 'ready')",
            "INSERT INTO dynamo.`groups` (name) VALUES ('AnalysisOps')",
            "INSERT INTO dynamo.datasets (name, last_update, is_open) VALUES ('/DY/x-v2/MINIAODSIM', now(), 0)",
            "INSERT INTO dynamo.blocks (dataset_id, name, is_open, last_update) "
            f"SELECT 1, concat('block', seq), 0, now() FROM seq_1_to_{blocks}",
            "INSERT INTO dynamo.block_replicas (block_id, site_id, group_id, is_complete, last_update) "
            "SELECT b.id, s.id, 1, 1, '2020-01-01' FROM dynamo.blocks b, dynamo.sites s "
            "WHERE s.name = 'Bench' OR b.id = 1",
            "INSERT INTO dynamo.files (block_id, size, name) SELECT 1 + seq DIV "
            f"{FILES_OF_A_BLOCK}, seq, concat('/store/mc/Summer20MiniAODv2/DYJetsToLL_M-50_TuneCP5_13TeV/', "
            f"'MINIAODSIM/v2/', lpad(seq DIV 1000, 5, '0'), '/', upper(md5(seq)), '.root') FROM seq_0_to_{rows - 1}",
        ):
            cursor.execute("USE dynamo")
            cursor.execute(statement)


def backends(url: str) -> str:
    return f"backends: {{default: {{type: dynamo, url: '{url}'}}}}\n"


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Path]:
    data, unix_socket = folder / "mariadb", folder / "mariadb.sock"
    user = "mysql" if os.getuid() == 0 else os.environ.get("USER", "")
    if os.getuid() == 0:
        folder.chmod(0o777)
    common = ["--no-defaults", f"--user={user}", f"--datadir={data}"]
    install = ["mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
    options = ["--skip-networking", f"--socket={unix_socket}", "--innodb-buffer-pool-size=512M"]
    process = subprocess.Popen(["mariadbd", *common, *options], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not unix_socket.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        yield unix_socket
    finally:
        process.terminate()
        process.wait(timeout=30)
