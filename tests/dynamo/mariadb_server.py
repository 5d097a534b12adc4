"""A real MariaDB, run for the tests."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pymysql
from dynamo_world import ROOT_PASSWORD, Server
from required_programs import require_programs

READER = ("reader", "reader-s3cret")
"""Name and password of an account that only reads."""
INSTALL = ["--auth-root-authentication-method=normal"]
SETTINGS = [
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--default-time-zone=+05:00",
    "--innodb-buffer-pool-size=32M",
    "--innodb-flush-log-at-trx-commit=0",
    "--skip-log-bin",
]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Skips where MariaDB is not installed; in CI that is a failure."""
    require_programs("mariadbd", "mariadb-install-db", install="apt-get install mariadb-server")
    # Not below pytest's temporary folder, which nobody but root may enter when root runs the tests.
    folder = Path(tempfile.mkdtemp(prefix="dynamo-mariadb-"))
    folder.chmod(0o755)
    account = ["--user=mysql"] if os.geteuid() == 0 else []
    data = folder / "data"
    process = None
    try:
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", *account, f"--datadir={data}", "--skip-test-db", *INSTALL],
            check=True,
            capture_output=True,
            timeout=60,
        )
        port = _free_port()
        start = folder / "start.sql"
        start.write_text(
            f"SET PASSWORD FOR root@localhost = PASSWORD('{ROOT_PASSWORD}');\n"
            f"GRANT ALL ON *.* TO root@'127.0.0.1' IDENTIFIED BY '{ROOT_PASSWORD}' WITH GRANT OPTION;\n"
            f"CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{READER[1]}';\n"
        )
        start.chmod(0o644)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    *("mariadbd", "--no-defaults", *account, *SETTINGS),
                    *(f"--datadir={data}", f"--socket={data}/s", f"--port={port}", f"--init-file={start}"),
                ],
                stdout=log,
                stderr=log,
            )
        server = _ready(Server(port), process, folder / "log")
        yield server
        if server.admin is not None:
            server.admin.close()
    finally:
        if process is not None:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _ready(server: Server, process: subprocess.Popen, log: Path) -> Server:
    deadline = time.monotonic() + 60
    while True:
        try:
            server.connect(connect_timeout=1).close()
            return server
        except pymysql.err.OperationalError:
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.05)
