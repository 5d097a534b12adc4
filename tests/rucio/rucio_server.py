"""A real Rucio server in a process of its own, with its daemons, and one administrator's way into it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import urllib3
from rucio_environment import python
from sqlalchemy import Engine, create_engine, text

HERE = Path(__file__).parent


class RucioServer:
    """A server on `database`, whose tables it makes if they are not there; all its files are in `folder`."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder, self.database = folder, database
        self.process: subprocess.Popen[str] | None = None
        self.url = ""
        self._http = urllib3.PoolManager(timeout=60, retries=False)
        self._tokens: dict[str, str] = {}
        self._engine: Engine = create_engine(database)

    def start(self) -> "RucioServer":
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(python()), str(HERE / "server.py"), str(self.folder), self.database],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={name: value for name, value in os.environ.items() if not name.startswith(("RUCIO", "PYTHON"))},
            )
        line = self.process.stdout.readline()
        assert line, self.log
        self.url = f"http://127.0.0.1:{json.loads(line)['port']}"
        self._tokens.clear()
        return self

    def stop(self) -> None:
        """As hard as a power cut."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def run(self, daemon: str, *arguments: str) -> None:
        """Run a daemon once; what goes wrong there fails the test."""
        self.process.stdin.write(json.dumps([daemon, *arguments]) + "\n")
        self.process.stdin.flush()
        trouble = json.loads(self.process.stdout.readline() or '"the server is gone"')
        assert trouble is None, trouble

    def token(self, account: str = "root") -> str:
        if account not in self._tokens:
            name, password = ("ddmlab", "secret") if account == "root" else (account, "secret")
            proof = {"X-Rucio-Account": account, "X-Rucio-Username": name, "X-Rucio-Password": password}
            response = self._http.request("GET", f"{self.url}/auth/userpass", headers=proof)
            self._tokens[account] = response.headers["X-Rucio-Auth-Token"]
        return self._tokens[account]

    def rest(self, method: str, path: str, body: Any = None, account: str = "root") -> tuple[int, Any]:
        """(status, what it says): JSON, a list where it is a JSON a line, else text."""
        response = self._http.request(
            method,
            self.url + path,
            body=None if body is None else json.dumps(body),
            headers={"X-Rucio-Auth-Token": self.token(account), "Content-Type": "application/json"},
        )
        return response.status, _content(response.data.decode(), response.headers.get("Content-Type"))

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """What it says, where it must be willing."""
        status, said = self.rest(method, path, body)
        assert status < 300, (method, path, status, said)
        return said

    def sql(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """`:name` are the values."""
        with self._engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    def sql_alone(self, statement: str) -> None:
        """What must stand outside of a transaction."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(statement)


def _content(said: str, kind: str | None) -> Any:
    if kind == "application/x-json-stream":
        return [json.loads(line) for line in said.splitlines() if line]
    try:
        return json.loads(said)
    except ValueError:
        return said
