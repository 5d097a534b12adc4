"""Connections that fail, or break off in the middle, and passwords that are never shown."""

import contextlib
import logging
import socket
import threading
import time

import pytest
from mariadb_server import READER

from dynamo_consistency import secrets
from dynamo_consistency.backend.dynamo import Options, inventory, open_backend
from dynamo_consistency.errors import BackendError, ConfigurationError
from dynamo_consistency.secrets import RedactingFormatter
from dynamo_consistency.yamlfile import read_documents


@pytest.fixture
def url(make_world, mariadb):
    world = make_world("master")
    world.site("T2_HERE")
    return mariadb.url(world.name, "reader", "").replace("reader:@", "reader@")


@pytest.fixture(params=["pymysql", "mysqldb"])
def driver(request) -> str:
    if request.param == "mysqldb":
        pytest.importorskip("MySQLdb", reason="needs mysqlclient: pip install mysqlclient")
    return request.param


@pytest.mark.mariadb
def test_a_password_comes_from_the_url(url):
    assert open_backend(Options(url=url.replace("reader@", "reader:reader-s3cret@"))).siteinfo.site_list()


@pytest.mark.mariadb
def test_a_password_comes_from_a_file(url, tmp_path):
    (tmp_path / "password").write_text("reader-s3cret\n")
    assert open_backend(Options(url=url, password_file=f"{tmp_path}/password")).siteinfo.site_list()


@pytest.mark.mariadb
def test_a_password_comes_from_the_environment(url, monkeypatch):
    monkeypatch.setenv("MYSQL_PWD", "reader-s3cret")
    assert open_backend(Options(url=url)).siteinfo.site_list()


@pytest.mark.mariadb
def test_user_and_password_come_from_the_option_file_of_the_driver(url, tmp_path, driver, monkeypatch):
    (tmp_path / "my.cnf").write_text("[client]\nuser = reader\npassword = reader-s3cret\n")
    monkeypatch.setenv("MYSQL_PWD", "the option file goes first")
    bare = url.replace("reader@", "").replace("pymysql", driver).partition("?")[0]
    assert open_backend(Options(url=f"{bare}?read_default_file={tmp_path}/my.cnf")).siteinfo.site_list()


@pytest.mark.mariadb
@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mariadb+pymysql"])
def test_pymysql_is_the_default_driver(url, scheme, monkeypatch):
    monkeypatch.setenv("MYSQL_PWD", "reader-s3cret")
    assert open_backend(Options(url=url.replace("mysql+pymysql", scheme))).siteinfo.site_list() == ["T2_HERE"]


@pytest.mark.mariadb
def test_mysqlclient_works_by_changing_the_url(make_world, mariadb):
    pytest.importorskip("MySQLdb", reason="needs mysqlclient: pip install mysqlclient")
    world = make_world("innodb")
    block = world.block(world.dataset("/A/E-v1/AOD"), "b")
    world.replica(block, world.site("T2_HERE"), world.group("DataOps"), last_update=1_550_000_000)
    names = ["/store/日本".encode(), b"/store/\xff", bytes([ord("/"), *range(1, 256)])]
    for name in names:
        world.file(block, name)
    backend = world.backend(url=mariadb.url(world.name, *READER, driver="mysqldb"))
    by_pymysql = list(world.backend().inventory.stream("T2_HERE"))
    assert list(backend.inventory.stream("T2_HERE")) == by_pymysql
    assert backend.inventory.protected_datasets("T2_HERE") == {"/A/E-v1/AOD"}
    assert backend.registry.sources("T2_HERE", ["/store/日本"])[0] == ["/store/日本"]


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(inventory, "BATCH_ROWS", 100)


@pytest.mark.mariadb
@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("generation", ["master", "innodb"])
def test_a_connection_that_is_killed_in_the_middle_is_an_error_and_no_short_list(
    make_world, mariadb, caplog, generation, driver
):
    world = make_world(generation)
    world.many_files(30_000)  # far more than the buffers between server and client hold
    stream = world.backend(url=mariadb.url(world.name, *READER, driver=driver)).inventory.stream("T2_HERE")
    assert next(stream).num_rows == 100
    [(victim,)] = mariadb.execute("SELECT id FROM information_schema.processlist WHERE user = 'reader'")
    mariadb.execute(f"KILL {victim}")
    with pytest.raises(BackendError, match=r"failed: .*the connection was lost; .* run again"):
        list(stream)
    assert not caplog.records  # the driver and SQLAlchemy have nothing to add


@pytest.mark.mariadb
@pytest.mark.usefixtures("small_batches")
def test_a_stream_that_nobody_reads_on_leaves_its_connection_at_once(make_world, mariadb, caplog, driver):
    world = make_world("innodb")
    world.many_files(30_000)
    stream = world.backend(url=mariadb.url(world.name, *READER, driver=driver)).inventory.stream("T2_HERE")
    next(stream)
    stream.close()
    deadline = time.monotonic() + 60
    while mariadb.execute("SELECT id FROM information_schema.processlist WHERE user = 'reader'"):
        assert time.monotonic() < deadline
    assert not caplog.records


@pytest.mark.mariadb
def test_a_stream_that_ends_short_of_the_count_of_the_server_is_an_error(make_world, monkeypatch):
    world = make_world("innodb")
    world.many_files(10)
    monkeypatch.setattr(inventory, "columns", lambda *_: iter([]))
    with pytest.raises(BackendError, match="gave 0 of 10 files of T2_HERE; run again"):
        list(world.backend().inventory.stream("T2_HERE"))


@pytest.mark.mariadb
def test_a_wrong_password_is_a_sentence_without_the_password(url):
    backend = open_backend(Options(url=url.replace("reader@", "reader:wr0ng-Passw0rd@")))
    with pytest.raises(BackendError, match="refused user or password; correct the URL, passwordFile") as caught:
        backend.siteinfo.site_list()
    assert "wr0ng-Passw0rd" not in str(caught.value)


@pytest.mark.mariadb
def test_an_unknown_database_is_a_sentence(mariadb):
    with pytest.raises(BackendError, match="there is no such database on the server"):
        open_backend(Options(url=mariadb.url("nowhere"))).siteinfo.site_list()


def test_a_server_that_is_not_there_is_a_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"mysql+pymysql://me:pa55-word@127.0.0.1:{taken.getsockname()[1]}/dynamo"
        with pytest.raises(BackendError, match="the server cannot be reached; is the host right") as caught:
            open_backend(Options(url=url)).describe()
    assert "pa55-word" not in str(caught.value)


def test_a_server_that_never_says_a_word_is_given_up(monkeypatch):
    from dynamo_consistency.backend.sql import engines

    monkeypatch.setattr(engines, "CONNECT_TIMEOUT", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        backend = open_backend(Options(url=f"mysql+pymysql://me@127.0.0.1:{silent.getsockname()[1]}/dynamo"))
        with pytest.raises(BackendError, match=r"cannot be reached|lost"):
            backend.describe()


def test_something_that_is_no_database_server_is_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_answer_nonsense, args=(server,))
        thread.start()
        with pytest.raises(BackendError, match=r"the database dynamo on 127\.0\.0\.1"):
            open_backend(Options(url=f"mysql+pymysql://me@127.0.0.1:{server.getsockname()[1]}/dynamo")).describe()
        thread.join()


def _answer_nonsense(server: socket.socket) -> None:
    connection, _ = server.accept()
    with contextlib.closing(connection):
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.mariadb
def test_a_debug_log_shows_no_password(url, tmp_path, caplog, monkeypatch):
    password = "s3cret?&/@:%+é"
    (tmp_path / "password").write_text(password + "\n", encoding="utf-8")
    backend = open_backend(Options(url=url, password_file=f"{tmp_path}/password"))
    caplog.handler.setFormatter(RedactingFormatter())
    for name in ("sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "pymysql", "dynamo_consistency"):
        caplog.set_level(logging.DEBUG, logger=name)
    with pytest.raises(BackendError) as caught:
        backend.describe()
    logging.getLogger("dynamo_consistency").error("engine %r", backend._opened.databases, exc_info=caught.value)
    shown = caplog.text + str(caught.value) + repr(backend._opened.databases.inventory)
    assert "s3cret" not in shown
    assert secrets.MASK in shown


@pytest.mark.mariadb
def test_a_debug_log_shows_statements_but_no_values(make_world, caplog, mariadb):
    world = make_world("master")
    world.site("T2_HERE")
    with caplog.at_level(logging.DEBUG, logger="sqlalchemy"):
        world.backend(url=mariadb.url(world.name, *READER)).deletion_requests("T2_HERE")
    assert "SELECT" in caplog.text
    assert READER[1] not in caplog.text


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("url: 'mysql+pymysql://me:s3cret@db'", "url: names no database"),
        ("url: 'postgresql://me:s3cret@db/dynamo'", "'postgresql' is no driver that is known here"),
        ("url: 'me:s3cret@db'", "url: is not the URL of a database"),
        ("url: 'mysql://me:s3cret@db:port/dynamo'", "url: is not the URL of a database"),
        ("url: 'sqlite://'", "url: names no database"),
        ("{url: 'sqlite:////x', registerURL: 'sqlite:////y'}", "did you mean registerUrl"),
        ("{url: 'sqlite:////x', sites: {T2_X: {posix: {prefix: data}}}}", "must be an absolute path"),
    ],
)
def test_a_wrong_entry_is_a_complaint_with_its_place_and_without_the_password(tmp_path, line, complaint):
    (tmp_path / "backends.yaml").write_text(line)
    [document] = read_documents(tmp_path / "backends.yaml")
    with pytest.raises(ConfigurationError, match=r"backends\.yaml:1") as caught:
        document.parse(Options)
    assert complaint in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_driver_that_is_not_installed_is_a_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "MySQLdb", None)
    with pytest.raises(ConfigurationError, match=r"is not installed; write mysql\+pymysql://"):
        open_backend(Options(url="mysql+mysqldb://me@db/dynamo"))


def test_an_option_file_that_cannot_be_read_is_a_sentence(tmp_path):
    with pytest.raises(ConfigurationError, match=r"the option file .*my\.cnf cannot be read"):
        open_backend(Options(url=f"mysql://db/dynamo?read_default_file={tmp_path}/my.cnf"))


def test_a_sqlite_file_that_is_not_there_is_not_made_by_looking(tmp_path):
    with pytest.raises(BackendError, match=r"there is no file .*inventory init"):
        open_backend(Options(url=f"sqlite:///{tmp_path}/typo.sqlite")).describe()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_sqlite_database_is_a_sentence(tmp_path):
    (tmp_path / "text").write_text("x" * 5000)
    with pytest.raises(BackendError, match="file is not a database"):
        open_backend(Options(url=f"sqlite:///{tmp_path}/text")).describe()


def test_another_register_can_be_named(embedded, tmp_path):
    other = open_backend(Options(url=f"sqlite:///{tmp_path}/other.sqlite"))
    other.init()
    embedded.site("T2_HERE")
    assert embedded.backend(register_url=f"sqlite:///{tmp_path}/other.sqlite").deletion_requests("T2_HERE") == set()
