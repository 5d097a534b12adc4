"""A real Rucio server for each kind of database, shared by all tests; and one of its own for who asks for it."""

import contextlib
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import postgresql
import pytest
import rucio_environment
from postgresql import PostgreSQL
from rucio_door import TOKEN, Door, client
from rucio_requests import Asking
from rucio_server import RucioServer
from rucio_world import Rucio

from dynamo_consistency.backend.rucio.rest.client import RestClient

HERE = Path(__file__).parent


def pytest_collection_finish(session: pytest.Session) -> None:
    """Makes the server's environment before the first test, whose time is limited."""
    wanted = any(item.path.is_relative_to(HERE) for item in session.items)
    if wanted and not session.config.option.collectonly:
        with contextlib.suppress(rucio_environment.EnvironmentMissingError):
            rucio_environment.python()


def _require_rucio() -> None:
    """Makes the environment; skips with the reason where that fails; in CI that is a failure."""
    try:
        rucio_environment.python()
    except rucio_environment.EnvironmentMissingError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


@contextlib.contextmanager
def _running(folder: Path, database: str) -> Iterator[RucioServer]:
    folder.mkdir(exist_ok=True)
    server = RucioServer(folder, database)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def sqlite_server(tmp_path_factory) -> Iterator[RucioServer]:
    _require_rucio()
    folder = tmp_path_factory.mktemp("rucio-sqlite")
    with _running(folder, f"sqlite:///{folder}/rucio.db") as server:
        server.sql_alone(f"VACUUM INTO '{folder}/template.db'")  # with its tables, and nothing else
        yield server


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    with postgresql.running() as server:
        yield server


@pytest.fixture(scope="session")
def rucio_on_postgresql(postgresql_server, tmp_path_factory) -> Iterator[RucioServer]:
    _require_rucio()
    database = postgresql_server.url(postgresql_server.new_database())
    with _running(tmp_path_factory.mktemp("rucio-postgresql"), database) as server:
        yield server


@pytest.fixture
def rucio_sqlite(sqlite_server, tmp_path) -> Rucio:
    """Rucio on SQLite; see rucio_world.py for what can be said to it."""
    return Rucio(sqlite_server, tmp_path)


@pytest.fixture
def rucio_postgresql(rucio_on_postgresql, tmp_path) -> Rucio:
    """Rucio on PostgreSQL."""
    return Rucio(rucio_on_postgresql, tmp_path)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def rucio(request) -> Rucio:
    """Rucio, on each of the databases."""
    return request.getfixturevalue(f"rucio_{request.param}")


@pytest.fixture
def own_server(sqlite_server, tmp_path) -> Iterator[RucioServer]:
    """A server on SQLite of one test, which may stop it, start it again and look at everything in its catalogue."""
    folder = tmp_path / "server"
    folder.mkdir()
    shutil.copy(sqlite_server.folder / "template.db", folder / "rucio.db")
    with _running(folder, f"sqlite:///{folder}/rucio.db") as server:
        yield server


@pytest.fixture
def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def door() -> Iterator[Door]:
    """What a test says is answered; no Rucio is behind it."""
    with Door() as door:
        yield door


@pytest.fixture
def token_file(tmp_path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    return file


@pytest.fixture
def with_token(door, token_file) -> RestClient:
    """A client of the door whose token is in a file."""
    return client(door.url, auth="token", tokenFile=str(token_file))


@pytest.fixture
def asking(rucio_sqlite) -> Asking:
    """Our registry, and two RSEs; see rucio_requests.py."""
    return Asking(rucio_sqlite)


@pytest.fixture
def asking_everywhere(rucio) -> Asking:
    """The same, on each of the databases."""
    return Asking(rucio)
