"""PostgreSQL's rows by TCP, by a Unix socket and by TLS: all of them, or an error, whatever comes between."""

import contextlib
import datetime
import os
import select as polling
import shutil
import socket
import threading
from pathlib import Path

import pyarrow as pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from postgresql import running
from sqlalchemy import String, create_engine, func, literal_column, select
from sqlalchemy.exc import DBAPIError

from dynamo_consistency.backend.sql import copied, postgresql_wire

pytestmark = pytest.mark.postgresql
TYPES = [pa.string(), pa.int64()]


class Relay:
    """Between a client and the server; `left` bytes after a COPY has been asked for the client's connection ends."""

    def __init__(self, port: int, left: int, ending: str) -> None:
        self._port, self._ending = port, ending
        self.left = left
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Relay":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(60)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            client, _ = self._listening.accept()
            with client, socket.create_connection(("127.0.0.1", self._port)) as server:
                self._pass_on(client, server)
                if self._ending == "reset":
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        is_copying = False
        while self.left:
            for own in polling.select([client, server], [], [])[0]:
                data = own.recv(self.left if own is server and is_copying else 1 << 16)
                if not data:
                    return
                is_copying = is_copying or b"COPY (" in data
                self.left -= len(data) if own is server and is_copying else 0
                (server if own is client else client).sendall(data)


NUMBERS = func.generate_series(1, literal_column("3000")).column_valued("number")
NAMES = select(func.repeat("x", NUMBERS % 7, type_=String), NUMBERS)


def read(url, query=NAMES, at_once=1000):
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            parts = list(copied.columns(connection, query, TYPES, at_once))
            again = connection.exec_driver_sql("SELECT 1").scalar()
    finally:
        engine.dispose()
    assert again == 1
    return [cell for part in parts for cell in part[1].to_pylist()]


@pytest.fixture(scope="module")
def length(postgresql_server):
    """Bytes of the answer of NAMES."""
    with Relay(postgresql_server.port, 1 << 30, "end") as relay:
        assert read(f"postgresql+psycopg://postgres@127.0.0.1:{relay.port}/postgres") == list(range(1, 3001))
    return (1 << 30) - relay.left


@pytest.mark.parametrize("ending", ["end", "reset"])
@pytest.mark.parametrize("part", [0.0001, 0.01, 0.3, 0.9, 0.995])
def test_a_connection_that_is_cut_is_an_error(postgresql_server, length, part, ending):
    with Relay(postgresql_server.port, max(1, int(part * length)), ending) as relay, pytest.raises(DBAPIError):
        read(f"postgresql+psycopg://postgres@127.0.0.1:{relay.port}/postgres")


@pytest.fixture(scope="module")
def encrypting(tmp_path_factory):
    """A server that speaks TLS."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    with running() as server, server.connect() as connection:
        [folder] = connection.execute("SHOW data_directory").fetchone()
        for file, content in (
            ("server.crt", certificate.public_bytes(pem)),
            ("server.key", key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)),
        ):
            path = Path(folder, file)
            path.write_bytes(content)
            path.chmod(0o600)
            if os.geteuid() == 0:
                shutil.chown(path, "nobody", "nogroup")
        connection.execute("ALTER SYSTEM SET ssl = on")
        connection.execute("SELECT pg_reload_conf()")
        yield server


def over_tcp(request):
    return request.getfixturevalue("postgresql_server").url("postgres")


def over_a_unix_socket(request):
    server = request.getfixturevalue("postgresql_server")
    with server.connect() as connection:
        [folder] = connection.execute("SHOW unix_socket_directories").fetchone()
    return f"postgresql+psycopg://postgres@/postgres?host={folder}&port={server.port}"


def over_tls(request):
    return request.getfixturevalue("encrypting").url("postgres") + "?sslmode=require"


WAYS = pytest.mark.parametrize("way", [over_tcp, over_a_unix_socket, over_tls])


@WAYS
def test_rows_are_the_same_by_each_way_and_so_are_errors(request, way, monkeypatch):
    by_libpq = []
    careful = postgresql_wire._by_libpq
    monkeypatch.setattr(postgresql_wire, "_by_libpq", lambda *some: by_libpq.append(some) or careful(*some))
    url = way(request)
    assert read(url) == list(range(1, 3001))
    assert bool(by_libpq) == (way is over_tls)
    with pytest.raises(DBAPIError, match="division by zero"):
        read(url, select(literal_column("''"), func.int4div(7, 2900 - NUMBERS)))
    with pytest.raises(DBAPIError, match="does not exist"):
        read(url, select(literal_column("''"), literal_column("1").label("x")).select_from(func.nobody_has_this()))


@WAYS
def test_notices_between_rows_are_no_rows(request, way):
    url = way(request)
    body = "$$BEGIN RAISE NOTICE 'n'; RETURN n; END$$"
    loud = f"CREATE OR REPLACE FUNCTION loud(n int) RETURNS int LANGUAGE plpgsql AS {body}"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(loud)
    engine.dispose()
    assert read(url, select(literal_column("''"), func.loud(NUMBERS))) == list(range(1, 3001))


@WAYS
@pytest.mark.parametrize("ending", ["pg_cancel_backend", "pg_terminate_backend", None])
def test_rows_that_the_server_stops_to_send_in_the_middle_are_an_error(request, way, ending):
    url = way(request)
    number = func.generate_series(1, 60_000).column_valued("number")
    query = select(func.repeat("x", 600, type_=String), number)
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            parts = copied.columns(connection, query, TYPES, 1000)
            found = [next(parts)]
            if ending is None:
                numbers = [number for part in [*found, *parts] for number in part[1].to_pylist()]
                assert numbers == list(range(1, 60_001))
                return
            other = create_engine(url)
            with other.connect() as stopping:
                where = "query LIKE 'COPY%%' AND state = 'active'"
                stopped = stopping.exec_driver_sql(f"SELECT {ending}(pid) FROM pg_stat_activity WHERE {where}").all()
            other.dispose()
            assert stopped == [(True,)]
            with pytest.raises(DBAPIError):
                list(parts)
    finally:
        engine.dispose()
