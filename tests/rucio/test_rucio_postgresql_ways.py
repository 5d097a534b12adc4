"""PostgreSQL's rows by TCP, by a Unix socket and by TLS: all of them, or an error, whatever comes between."""

import contextlib
import select as polling
import socket
import threading

import pyarrow as pa
import pytest
from postgresql import running
from postgresql_tls import encrypt
from sqlalchemy import String, create_engine, func, literal_column, select
from sqlalchemy.exc import DBAPIError

from dynamo_consistency.backend.sql import copied, postgresql_received, postgresql_wire

pytestmark = pytest.mark.postgresql
TYPES = [pa.string(), pa.int64()]


class Relay:
    """Between a client and the server; `left` bytes after `start_to_count` the client's connection ends."""

    def __init__(self, port: int, left: int, ending: str) -> None:
        self._port, self._ending = port, ending
        self.left, self._is_counting = left, False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._run)

    def start_to_count(self) -> None:
        self._is_counting = True

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
        while self.left:
            for own in polling.select([client, server], [], [])[0]:
                is_counted = self._is_counting and own is server
                data = own.recv(min(self.left, 1 << 16) if is_counted else 1 << 16)
                if not data:
                    return
                self.left -= len(data) if is_counted else 0
                (server if own is client else client).sendall(data)


NUMBERS = func.generate_series(1, literal_column("3000")).column_valued("number")
NAMES = select(func.repeat("x", NUMBERS % 7, type_=String), NUMBERS)


def read(url, query=NAMES, at_once=1000, before=lambda: None):
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            before()
            parts = list(copied.columns(connection, query, TYPES, at_once))
            again = connection.exec_driver_sql("SELECT 1").scalar()
    finally:
        engine.dispose()
    assert again == 1
    return [cell for part in parts for cell in part[1].to_pylist()]


@pytest.fixture(scope="module")
def encrypting():
    with running() as server:
        encrypt(server)
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


def over_tls_1_2(request):
    return over_tls(request) + "&ssl_max_protocol_version=TLSv1.2"


def by_libpq(request):
    """What is encrypted, where its OpenSSL is not known to us."""
    request.getfixturevalue("monkeypatch").setattr(postgresql_received, "_openssl", lambda: None)
    return over_tls(request)


WAYS = pytest.mark.parametrize("way", [over_tcp, over_a_unix_socket, over_tls, over_tls_1_2, by_libpq])


def through(relay, url):
    return url.replace(url.split("127.0.0.1:")[1].split("/")[0], str(relay.port))


@pytest.mark.parametrize("ending", ["end", "reset"])
@pytest.mark.parametrize("part", [0.0001, 0.01, 0.3, 0.9, 0.995])
@pytest.mark.parametrize("way", [over_tcp, over_tls, over_tls_1_2, by_libpq])
def test_a_connection_that_is_cut_is_an_error(request, way, part, ending):
    url = way(request)
    port = int(url.split("127.0.0.1:")[1].split("/")[0])
    with Relay(port, 1 << 30, "end") as relay:
        assert read(through(relay, url), before=relay.start_to_count) == list(range(1, 3001))
    length = (1 << 30) - relay.left  # with the answer to one more statement
    with Relay(port, max(1, int(part * length)), ending) as relay, pytest.raises(DBAPIError):
        read(through(relay, url), before=relay.start_to_count)


@WAYS
def test_rows_are_the_same_by_each_way_and_so_are_errors(request, way, monkeypatch):
    used = []
    careful = postgresql_wire._by_libpq
    monkeypatch.setattr(postgresql_wire, "_by_libpq", lambda *some: used.append(some) or careful(*some))
    url = way(request)
    assert read(url) == list(range(1, 3001))
    assert bool(used) == (way is by_libpq)
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
def test_a_connection_that_is_closed_while_rows_are_read_is_an_error(request, way):
    engine = create_engine(way(request))
    number = func.generate_series(1, 60_000).column_valued("number")
    try:
        with engine.connect() as connection:
            parts = copied.columns(connection, select(func.repeat("x", 600, type_=String), number), TYPES, 1000)
            next(parts)
            connection.connection.driver_connection.close()
            with pytest.raises(DBAPIError):
                list(parts)
    finally:
        engine.dispose()


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
