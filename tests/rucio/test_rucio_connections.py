"""Connections to the catalogue: what may be done there, what they cost, and what happens when they break."""

import re
import tracemalloc
from pathlib import Path

import pytest
from sqlalchemy.dialects import oracle

from dynamo_consistency.backend.rucio.catalogue import inventory, protected_datasets, queries
from dynamo_consistency.backend.rucio.catalogue.rses import Rse
from dynamo_consistency.backend.rucio.catalogue.schema import CatalogueTables
from dynamo_consistency.backend.sql import postgresql_received
from dynamo_consistency.errors import BackendError, ConfigurationError

TABLES = {table.name for table in vars(CatalogueTables()).values()}


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(inventory, "BATCH_ROWS", 100)


def documented() -> set[str]:
    [grant] = re.findall(r"^GRANT SELECT ON (.*?) TO", Path("docs/rucio.md").read_text(), re.MULTILINE | re.DOTALL)
    return {table.strip() for table in grant.split(",")}


def test_the_grants_that_are_documented_are_for_the_tables_that_are_read():
    assert documented() == TABLES


@pytest.fixture
def reader(rucio_postgresql, postgresql_server):
    """The URL of an account with the rights that are documented."""
    database = rucio_postgresql.server.database.rsplit("/", 1)[-1]
    with postgresql_server.connect(database) as connection:
        connection.execute("DROP OWNED BY reader") if connection.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = 'reader'"
        ).fetchone() else connection.execute("CREATE ROLE reader LOGIN")
        connection.execute(f"GRANT SELECT ON {', '.join(sorted(documented()))} TO reader")
    return postgresql_server.url(database, "reader")


@pytest.mark.postgresql
def test_the_documented_rights_are_enough_for_everything_that_is_read(rucio_postgresql, reader, tmp_path):
    rucio = rucio_postgresql
    site = rucio.rse(algorithm="identity")
    path = rucio.file(site, "a")
    rucio.dataset("d", ["a"])
    rucio.rule("d", site)
    backend = rucio.backend(database=reader, rest=rucio.rest_options())
    assert backend.check_site(site.name)
    assert [batch.num_rows for batch in backend.inventory.stream(site.name)] == [1]
    assert backend.inventory.look_up(site.name, [path]).keys() == {path}
    assert backend.inventory.protected_datasets(site.name) == {f"{rucio.scope}:d"}
    backend.deletion_requests(site.name)
    assert backend.DatasetFilter({f"{rucio.scope}:d"}).protected(path.decode())
    (tmp_path / "in").write_bytes(path + b"\n")
    backend.filelist_to_blocklist(site.name, f"{tmp_path}/in", f"{tmp_path}/out")
    assert backend.registry.sources(site.name, [path.decode()]) == ([path.decode()], [path.decode()])


@pytest.mark.postgresql
def test_a_right_that_is_lacking_is_an_error_and_never_nothing(rucio_postgresql, reader, postgresql_server):
    rucio = rucio_postgresql
    site = rucio.rse()
    database = rucio.server.database.rsplit("/", 1)[-1]
    with postgresql_server.connect(database) as connection:
        connection.execute("REVOKE SELECT ON requests, dataset_locks FROM reader")
    backend = rucio.backend(database=reader)
    with pytest.raises(BackendError, match=r"permission denied for table requests: .* it needs the rights listed in"):
        list(backend.inventory.stream(site.name))
    with pytest.raises(BackendError, match="permission denied for table dataset_locks"):
        backend.deletion_requests(site.name)


def test_the_catalogue_cannot_be_written_to(rucio):
    with rucio.backend().catalogue.reading() as connection, pytest.raises(Exception, match=r"read-?only"):
        connection.exec_driver_sql("DELETE FROM replicas")


@pytest.mark.usefixtures("small_batches")
def test_a_stream_shows_one_moment_and_hinders_nobody(rucio):
    site = rucio.rse()
    rucio.rows(site, 1000, "x" * 80)
    stream = rucio.backend().inventory.stream(site.name)
    first = next(stream).num_rows
    rucio.file(site, "written-meanwhile")
    rucio.sql("DELETE FROM replicas WHERE scope = :scope AND bytes > 900", scope=rucio.scope)
    assert first + sum(batch.num_rows for batch in stream) == 1000
    assert sum(batch.num_rows for batch in rucio.backend().inventory.stream(site.name)) == 901


@pytest.mark.postgresql
@pytest.mark.usefixtures("small_batches")
def test_a_connection_that_is_ended_in_the_middle_is_an_error_and_no_short_list(
    rucio_postgresql, postgresql_server, caplog
):
    rucio = rucio_postgresql
    site = rucio.rse()
    rucio.rows(site, 3000, "x" * 80)
    stream = rucio.backend().inventory.stream(site.name)
    assert next(stream).num_rows == 100
    with postgresql_server.connect() as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'")
    with pytest.raises(BackendError, match=r"failed: .*: the connection was lost; .* run again"):
        list(stream)
    assert not caplog.records


@pytest.mark.postgresql
@pytest.mark.usefixtures("small_batches")
def test_a_stream_that_nobody_reads_on_leaves_its_connection_at_once(rucio_postgresql, postgresql_server, caplog):
    rucio = rucio_postgresql
    site = rucio.rse()
    rucio.rows(site, 1000, "x" * 80)
    stream = rucio.backend().inventory.stream(site.name)
    next(stream)
    stream.close()
    with postgresql_server.connect() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
        assert connection.execute(query).fetchone() == (0,)
    assert not caplog.records


def test_memory_does_not_grow_with_the_rows(rucio, monkeypatch):
    monkeypatch.setattr(inventory, "BATCH_ROWS", 200)
    monkeypatch.setattr(postgresql_received, "READ_AT_ONCE", 1 << 16)
    site = rucio.rse()
    rucio.rows(site, 8_000, "x" * 80)
    list(rucio.backend().inventory.stream(rucio.rse().name))  # what is loaded once
    tracemalloc.start()
    try:
        assert sum(batch.num_rows for batch in rucio.backend().inventory.stream(site.name)) == 8_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_500_000  # all rows at once are four times as much


@pytest.mark.postgresql
def test_tables_may_be_in_a_schema_of_their_own(rucio_postgresql, postgresql_server):
    database = postgresql_server.new_database()
    source = rucio_postgresql.server.database.rsplit("/", 1)[-1]
    with postgresql_server.connect(database) as connection:
        connection.execute("CREATE SCHEMA catalogue")
        for table in sorted(TABLES):
            with postgresql_server.connect(source) as other:
                columns = other.execute(
                    "SELECT column_name, CASE WHEN data_type = 'USER-DEFINED' THEN 'text' ELSE data_type END "
                    "FROM information_schema.columns WHERE table_name = %s",
                    [table],
                ).fetchall()
            listed = ", ".join(f'"{name}" {kind}' for name, kind in columns)
            connection.execute(f"CREATE TABLE catalogue.{table} ({listed})")  # fmt: skip
        connection.execute(
            "INSERT INTO catalogue.rses (id, rse, vo, deleted) VALUES (gen_random_uuid(), 'THERE', 'def', false)"
        )
    url = postgresql_server.url(database)
    backend = rucio_postgresql.backend(database=url, databaseSchema="catalogue")
    assert backend.siteinfo.site_list() == ["THERE"]
    assert list(backend.inventory.stream("THERE")) == []
    assert backend.deletion_requests("THERE") == backend.inventory.protected_datasets("THERE") == set()
    with pytest.raises(BackendError, match=r'relation "rses" does not exist'):
        rucio_postgresql.backend(database=url).siteinfo.site_list()


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("account", "database", "complaint"),
    [
        ("nobody", "postgres", "refused user or password; correct the URL, passwordFile, ~/.pgpass or PGPASSWORD"),
        ("postgres", "nowhere", "there is no such database on the server"),
    ],
)
def test_an_account_or_database_that_is_not_there_is_a_sentence(
    rucio_postgresql, postgresql_server, account, database, complaint
):
    url = postgresql_server.url(database, f"{account}:s3cret-w0rd")
    with pytest.raises(BackendError, match=complaint) as caught:
        rucio_postgresql.backend(database=url).siteinfo.site_list()
    assert "s3cret" not in str(caught.value)


def test_a_server_that_is_not_there_is_a_sentence(rucio_sqlite, closed_port):
    url = f"postgresql://me:pa55-word@127.0.0.1:{closed_port}/rucio"
    with pytest.raises(BackendError, match="the server cannot be reached; is the host right") as caught:
        rucio_sqlite.backend(database=url).siteinfo.site_list()
    assert "pa55-word" not in str(caught.value)


def test_a_sqlite_file_that_is_not_there_is_not_made_by_looking(rucio_sqlite, tmp_path):
    with pytest.raises(BackendError, match=r"there is no file .*typo\.db; correct the URL"):
        rucio_sqlite.backend(database=f"sqlite:///{tmp_path}/typo.db").siteinfo.site_list()
    assert not (tmp_path / "typo.db").exists()


def test_a_driver_that_is_not_installed_is_a_sentence(rucio_sqlite, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "oracledb", None)
    with pytest.raises(ConfigurationError, match=r"driver of oracle\+oracledb is not installed; install oracledb"):
        rucio_sqlite.backend(database="oracle://me@db/?service_name=rucio")


@pytest.mark.parametrize(
    "make",
    [
        queries.replicas,
        queries.requests,
        queries.quarantined,
        protected_datasets.held,
        protected_datasets.held_file_by_file,
        protected_datasets.let_go,
    ],
    ids=lambda make: make.__name__,
)
def test_the_statements_can_be_written_for_oracle(make):
    """There is no Oracle here to ask; a type without a length, say, would not do."""
    rse = Rse(b"\x01" * 16, "A", "DISK", True, False, False, True, True, True, {}, [])
    statement = str(make(CatalogueTables("CATALOGUE"), rse).compile(dialect=oracle.dialect()))
    assert statement.startswith("SELECT ")
    assert " TRUE" not in statement.upper()


@pytest.mark.usefixtures("small_batches")
def test_a_stream_that_nobody_reads_to_its_end_is_left_quietly(rucio, caplog):
    site = rucio.rse()
    rucio.rows(site, 1000)
    stream = rucio.backend().inventory.stream(site.name)
    next(stream)
    stream.close()
    assert not caplog.records
