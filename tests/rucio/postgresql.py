"""A PostgreSQL server of the tests' own."""

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "32MB"}
_numbers = itertools.count(1)


class PostgreSQL:
    """Listens on 127.0.0.1; the account `postgres` needs no password."""

    def __init__(self, port: int) -> None:
        self.port = port

    def url(self, database: str, account: str = "postgres") -> str:
        return f"postgresql+psycopg://{account}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname=database, autocommit=True, connect_timeout=5
        )

    def new_database(self) -> str:
        name = f"rucio{next(_numbers)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return name


@contextlib.contextmanager
def running() -> Iterator[PostgreSQL]:
    """Skips where PostgreSQL is not installed; in CI that is a failure."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parts[-2].zfill(3))
    path = os.pathsep.join([*map(str, reversed(programs)), os.environ["PATH"]])
    if shutil.which("initdb", path=path) is None:
        from required_programs import require_programs  # only here: this folder is complete without the others

        require_programs("initdb", install="apt-get install postgresql")
    initdb, postgres = shutil.which("initdb", path=path), shutil.which("postgres", path=path)
    # Not below pytest's temporary folder, which nobody but root may enter when root runs the tests.
    folder = Path(tempfile.mkdtemp(prefix="rucio-postgresql-", dir="/tmp"))
    process = None
    account = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}  # refuses root
    if account:
        shutil.chown(folder, "nobody", "nogroup")
    try:
        subprocess.run(
            [initdb, "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"],
            check=True, capture_output=True, timeout=60, cwd=folder, **account,
        )  # fmt: skip
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [postgres, "-D", folder / "data", "-h", "127.0.0.1", "-p", str(port), "-k", folder, *settings],
                stdout=log, stderr=log, cwd=folder, **account,
            )  # fmt: skip
        yield _ready(PostgreSQL(port), process, folder / "log")
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)  # its fast shutdown: connections are ended
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _ready(server: PostgreSQL, process: subprocess.Popen, log: Path) -> PostgreSQL:
    deadline = time.monotonic() + 60
    while True:
        try:
            server.connect().close()
            return server
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.05)
