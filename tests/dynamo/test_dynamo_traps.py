"""What has bitten others in Dynamo's databases, on a real MariaDB."""

from datetime import UTC, datetime

import pymysql
import pytest
from mariadb_server import READER
from sqlalchemy import text

from dynamo_consistency.backend.contract import LONG_AGO
from dynamo_consistency.backend.dynamo.database.connection import connect, reading, writing
from dynamo_consistency.backend.dynamo.options import Options
from dynamo_consistency.errors import BackendError

pytestmark = pytest.mark.mariadb

OUTSIDE_LATIN1 = "/store/日本/é.root"
LATIN1_BYTES = b"/store/caf\xe9"


def one_file(world, name: bytes, last_update: int = 0) -> int:
    block = world.block(world.dataset("/A/E-v1/AOD"), "b")
    world.replica(block, world.site("T2_HERE"), world.group("DataOps"), last_update=last_update)
    return world.file(block, name)


def the_row(world, **options) -> dict:
    [row] = next(world.backend(**options).inventory.stream("T2_HERE")).to_pylist()
    return row


@pytest.mark.parametrize("name", [OUTSIDE_LATIN1.encode(), LATIN1_BYTES, bytes(range(1, 256))])
def test_the_bytes_of_a_name_come_as_they_are_stored(make_world, name):
    world = make_world("master")
    one_file(world, b"/" + name)
    assert the_row(world)["path"] == b"/" + name


def test_the_server_would_refuse_what_we_ask_in_another_way(make_world, mariadb):
    """The two errors are real; the look-ups of the other tests are made so that they cannot come."""
    world = make_world("master")
    world.site("T2_HERE")
    with pytest.raises(pymysql.err.OperationalError, match="1267"):
        mariadb.execute("SELECT id FROM files WHERE name = %s", (OUTSIDE_LATIN1,), world.name)
    join = f"{world.name}register.active_deletions a ON a.site = s.name"
    with pytest.raises(pymysql.err.OperationalError, match="1267"):
        mariadb.execute(f"SELECT 1 FROM sites s JOIN {join}", database=world.name)


def test_pending_deletions_do_not_join_columns_of_different_collations(make_world):
    world = make_world("master")
    world.site("T2_HERE")
    world.insert(
        "{register}active_deletions", request_id=1, item="/A/E-v1/AOD", site="T2_HERE", status="new", created=1
    )
    assert world.backend().deletion_requests("T2_HERE") == {"/A/E-v1/AOD"}


@pytest.mark.parametrize("mode", ["STRICT_ALL_TABLES", ""])
def test_a_name_that_was_cut_is_not_the_long_name(make_world, mariadb, mode, tmp_path):
    world = make_world("master")
    whole = "/store/" + "x" * 510
    one_file(world, whole.encode()[:512])
    (tmp_path / "list").write_text(f"{whole}\n")
    mariadb.execute("SET GLOBAL sql_mode = %s", (mode,))
    try:
        world.backend().filelist_to_blocklist("T2_HERE", f"{tmp_path}/list", f"{tmp_path}/blocks")
        assert world.backend().registry.sources("T2_HERE", [whole]) == ([whole], [whole])
    finally:
        mariadb.execute("SET GLOBAL sql_mode = DEFAULT")
    assert (tmp_path / "blocks").read_text() == "         1    Unsubscribed       unknown#unknown\n"


@pytest.mark.parametrize("mode", ["STRICT_ALL_TABLES", ""])
def test_our_sessions_are_strict_so_that_nothing_written_is_cut(make_world, mariadb, mode):
    world = make_world("ours")
    mariadb.execute("SET GLOBAL sql_mode = %s", (mode,))
    try:
        with (
            pytest.raises(BackendError, match=r"Data too long for column 'url' .*\[1406\]"),
            writing(connect(Options(url=world.url)).inventory) as connection,
        ):
            connection.execute(text("INSERT INTO unmanaged_deletions (site, url) VALUES ('s', REPEAT('x', 513))"))
    finally:
        mariadb.execute("SET GLOBAL sql_mode = DEFAULT")


def test_no_result_depends_on_the_order_of_the_server(make_world, mariadb):
    world = make_world("master")
    block = world.block(world.dataset("/A"), "b")
    world.replica(block, world.site("T2_HERE"), world.group("g"))
    names = [b"/store/aZb", b"/store/a_b", b"/store/aab"]
    for name in names:
        world.file(block, name)
    ordered = [row[0].encode() for row in mariadb.execute("SELECT name FROM files ORDER BY name", database=world.name)]
    assert ordered != sorted(names)
    assert set(world.in_flight("T2_HERE")) == set(names)


def test_the_reserved_word_groups_is_quoted_in_every_statement(make_world, caplog):
    world = make_world("master")
    one_file(world, b"/store/a")
    with caplog.at_level("INFO", logger="sqlalchemy.engine"):
        assert the_row(world)["group"] == "DataOps"
        world.backend().describe()
    statements = [record.getMessage() for record in caplog.records if "groups" in record.getMessage()]
    assert statements
    assert all(statement.count("groups") == statement.count("`groups`") for statement in statements)


@pytest.mark.parametrize("mode", ["NO_ZERO_DATE,STRICT_ALL_TABLES", ""])
def test_a_zero_date_is_an_unknown_time_long_ago(make_world, mariadb, mode):
    world = make_world("master")
    one_file(world, b"/store/a")
    world.execute("UPDATE block_replicas SET last_update = '0000-00-00 00:00:00'")
    mariadb.execute("SET GLOBAL sql_mode = %s", (mode,))
    try:
        assert the_row(world)["time"] is None
        assert world.backend().inventory.list_files("T2_HERE") == [("/store/a", 1, LONG_AGO)]
    finally:
        mariadb.execute("SET GLOBAL sql_mode = DEFAULT")


def test_times_are_the_local_time_of_the_server(make_world):
    world = make_world("master")
    one_file(world, b"/store/a")
    world.execute("UPDATE block_replicas SET last_update = '2019-03-01 05:00:00'")
    assert the_row(world)["time"] == int(datetime(2019, 3, 1, tzinfo=UTC).timestamp())


def test_times_do_not_depend_on_the_time_zone_that_a_session_is_given(make_world, mariadb):
    world = make_world("master")
    one_file(world, b"/store/a", last_update=1_550_000_000)
    mariadb.execute("SET GLOBAL init_connect = \"SET time_zone = '-08:00'\"")
    try:
        reader = mariadb.url(world.name, *READER)
        assert the_row(world, url=reader)["time"] == 1_550_000_000
    finally:
        mariadb.execute("SET GLOBAL init_connect = ''")


def test_a_server_with_ansi_quotes_is_read_all_the_same(make_world, mariadb):
    world = make_world("master")
    one_file(world, b"/store/a")
    mariadb.execute("SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'")
    try:
        assert the_row(world)["group"] == "DataOps"
    finally:
        mariadb.execute("SET GLOBAL sql_mode = DEFAULT")


@pytest.mark.parametrize("generation", ["master", "innodb"])
def test_a_reading_session_cannot_write(make_world, generation):
    world = make_world(generation)
    engine = connect(Options(url=world.url)).inventory
    with pytest.raises(BackendError, match="READ ONLY transaction"), reading(engine) as connection:
        connection.execute(text("DELETE FROM files"))


def test_one_view_is_read_from_the_moment_on_at_which_the_connection_is_there(make_world):
    world = make_world("innodb")
    one_file(world, b"/store/a")
    with reading(connect(Options(url=world.url)).inventory) as connection:
        world.file(1, b"/store/b")
        first = connection.execute(text("SELECT COUNT(*) FROM files")).scalar()
        world.file(1, b"/store/c")
        assert (first, connection.execute(text("SELECT COUNT(*) FROM files")).scalar()) == (1, 1)


def test_a_snapshot_does_not_see_what_is_committed_while_it_is_read(make_world, monkeypatch):
    from dynamo_consistency.backend.dynamo import inventory

    world = make_world("innodb")
    one_file(world, b"/store/a")
    block = world.execute("SELECT block_id FROM files")[0][0]
    world.file(block, b"/store/b")
    monkeypatch.setattr(inventory, "BATCH_ROWS", 1)
    stream = world.backend().inventory.stream("T2_HERE")
    first = next(stream)
    world.execute("DELETE FROM files")
    world.file(block, b"/store/c")
    paths = {*first["path"].to_pylist(), *(path for batch in stream for path in batch["path"].to_pylist())}
    assert paths == {b"/store/a", b"/store/b"}
