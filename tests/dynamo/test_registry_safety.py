"""Requests under adverse conditions: little rights, several callers, connections that die, tables that are locked."""

import contextlib
import re
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from dynamo_simulator import DOOR
from mariadb_server import READER
from registry_worlds import GENERATIONS, Registered, outcomes, urls

from dynamo_consistency.backend.contract import Asked
from dynamo_consistency.backend.dynamo.database import schema
from dynamo_consistency.backend.dynamo.database.connection import connect
from dynamo_consistency.backend.dynamo.options import Options
from dynamo_consistency.backend.dynamo.requests import insert
from dynamo_consistency.backend.dynamo.requests.insert import REQUEST_TABLES, Writer, locked
from dynamo_consistency.backend.sql import engines
from dynamo_consistency.errors import BackendError

ONE, TWO = b"/store/f/1", b"/store/f/2"
ORPHANS = [f"/store/x/{number}".encode() for number in range(40)]
V2 = {"unmanaged_deletions", "file_subscriptions"}
V1 = {"deletion_queue", "transfer_queue"}


@contextlib.contextmanager
def account(mariadb, world, generation: str):
    """The URL of an account with the rights in the documentation for the generation, and no other."""
    user = "acting@'127.0.0.1'"
    other = "dynamo." if generation == "production" else "dynamoregister."
    granted = re.findall(r"^GRANT (.*) ON (dynamo\w*)\.(\S+) TO", Path("docs/dynamo.md").read_text(), re.MULTILINE)
    assert len(granted) == 8
    mariadb.execute(f"CREATE USER {user} IDENTIFIED BY 'acting-s3cret'")
    try:
        for rights, database, table in granted:
            if rights == "SELECT" or f"{database}." != other:
                mariadb.execute(f"GRANT {rights} ON {database.replace('dynamo', world.name)}.{table} TO {user}")
        yield mariadb.url(world.name, "acting", "acting-s3cret")
    finally:
        mariadb.execute(f"DROP USER {user}")


def checksums(mariadb, world) -> dict[str, int]:
    return {
        f"{database}.{table}": mariadb.execute(f"CHECKSUM TABLE `{table}`", database=database)[0][1]
        for database in (world.name, f"{world.name}register")
        for (table,) in mariadb.execute("SHOW TABLES", database=database)
    }


@pytest.mark.mariadb
@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_documented_rights_are_enough_and_only_requests_change(make_world, mariadb, generation):
    world = make_world(generation)
    site = Registered(world, mapped=generation != "production")
    before = checksums(mariadb, world)
    with account(mariadb, world, generation) as url:
        for expected in ("requested", "waiting"):
            assert outcomes(site.ask_deletion(b"/store/x", url=url)) == [expected]
            assert outcomes(site.ask_transfer(ONE, url=url)) == [expected]
        asked = [Asked(b"/store/x", "delete", "", time.time()), Asked(ONE, "transfer", "", time.time())]
        assert world.backend(url=url).registry.withdraw("T2_HERE", asked) == ["withdrawn", "withdrawn"]
        world.backend(url=url).registry.delete("T2_HERE", ["/store/x"])
        world.backend(url=url).registry.transfer("T2_HERE", ["/store/f/1"])
    after = checksums(mariadb, world)
    changed = {table.rpartition(".")[2] for table in before if before[table] != after[table]}
    assert changed == (V1 if generation == "production" else V2)


@pytest.mark.mariadb
@pytest.mark.parametrize("generation", GENERATIONS)
def test_an_account_that_may_only_read_gets_one_sentence_and_requests_nothing(make_world, mariadb, generation):
    world = make_world(generation)
    site = Registered(world, mapped=generation != "production")
    before = checksums(mariadb, world)
    reader = mariadb.url(world.name, *READER)
    for ask, name in ((site.ask_deletion, b"/store/x"), (site.ask_transfer, ONE)):
        with pytest.raises(BackendError, match=r"docs/dynamo\.md"):
            ask(name, url=reader)
    assert checksums(mariadb, world) == before


def test_no_other_table_can_be_opened_for_writing(world):
    engine = connect(Options(url=world.url)).inventory
    assert {table.name for table in REQUEST_TABLES} == V1 | V2
    for table in schema.inventory.sorted_tables + schema.register.sorted_tables:
        if table not in REQUEST_TABLES:
            with pytest.raises(ValueError, match="never written to"), locked(engine, table):
                pass


@pytest.mark.mariadb
@pytest.mark.parametrize("generation", ["master", "innodb"])
def test_under_the_lock_the_server_itself_refuses_every_other_table(make_world, generation):
    site = Registered(make_world(generation))
    engine = connect(Options(url=site.world.url)).inventory
    for other in (schema.files, schema.block_replicas, schema.unmanaged_deletions):
        with pytest.raises(BackendError, match="1100"), locked(engine, schema.file_subscriptions) as writer:
            Writer(writer._connection, other).change(other.c[0] != 0, **{other.c[1].name: 0})


def ask_at_once(world, callers: int) -> list[list[str]]:
    def ask(number: int) -> list[str]:
        registry = world.backend().registry
        given = ORPHANS[number:] + ORPHANS[:number]
        answers = registry.request_deletion("T2_HERE", given) + registry.request_transfer("T2_HERE", [ONE, TWO])
        return [answer.outcome for answer in answers]

    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(ask, range(callers)))


def test_callers_at_the_same_time_never_double_a_request(world):
    site = Registered(world)
    answers = ask_at_once(world, 4)
    assert sorted(urls(world)) == sorted(("T2_HERE", DOOR.encode() + name) for name in ORPHANS)
    assert site.subscriptions() == [(site.numbers[name], site.here, 1, "new") for name in (ONE, TWO)]
    assert sum(answer.count("requested") for answer in answers) == len(ORPHANS) + 2
    assert sum(answer.count("waiting") for answer in answers) == 3 * (len(ORPHANS) + 2)


def test_a_caller_waits_until_another_one_has_written_what_it_decided_on(world):
    site = Registered(world)
    row = {"site": "T2_HERE", "url": DOOR.encode() + b"/store/x"}
    with ThreadPoolExecutor(1) as pool:
        with locked(connect(Options(url=world.url)).inventory, schema.unmanaged_deletions) as first:
            second = pool.submit(site.ask_deletion, b"/store/x")
            wait([second], timeout=1)
            first.add([row])
        assert outcomes(second.result()) == ["waiting"]
    assert urls(world) == [tuple(row.values())]


@pytest.mark.mariadb
def test_callers_at_the_same_time_never_double_a_row_of_the_queues_of_2018(make_world):
    world = make_world("production")
    Registered(world, mapped=False)
    answers = ask_at_once(world, 4)
    assert sum(answer.count("requested") for answer in answers) == len(ORPHANS) + 2
    assert world.execute("SELECT COUNT(*) FROM {register}deletion_queue") == [(len(ORPHANS),)]
    assert world.execute("SELECT COUNT(*) FROM {register}transfer_queue") == [(2,)]


CALLER = """
import sys
from dynamo_consistency.backend.dynamo import Options, open_backend
registry = open_backend(Options(url=sys.argv[1])).registry
names = [b"/store/x/%d" % number for number in range(40)]
sys.stdin.readline()
print(sum(answer.outcome == "requested" for answer in registry.request_deletion("T2_HERE", names)))
"""


@pytest.mark.slow
def test_processes_at_the_same_time_never_double_a_request(own_world):
    Registered(own_world)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    callers = [subprocess.Popen([sys.executable, "-c", CALLER, own_world.url], **pipes) for _ in range(3)]
    for caller in callers:
        caller.stdin.write("go\n")
        caller.stdin.flush()
    assert sorted(int(caller.communicate(timeout=60)[0]) for caller in callers) == [0, 0, 40]
    assert len(urls(own_world)) == 40


@pytest.mark.mariadb
@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("when", ["before add", "after add", "after change", "after rows"])
def test_a_connection_that_is_killed_is_an_error_and_asking_again_ends_right(
    make_world, mariadb, monkeypatch, generation, when
):
    after, method = when.startswith("after"), when.split()[1]
    world = make_world(generation)
    site = Registered(world, mapped=generation != "production")
    if generation != "production":
        world.subscription(site.numbers[ONE], site.here, delete=0)
    original = getattr(Writer, method)

    def killed(writer, *arguments, **options):
        made = original(writer, *arguments, **options) if after else None
        own = writer._connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar()
        mariadb.execute(f"KILL CONNECTION {own}")
        return made if after else original(writer, *arguments, **options)

    for ask, names in ((site.ask_deletion, ORPHANS), (site.ask_transfer, [ONE, TWO])):
        with monkeypatch.context() as patch:
            patch.setattr(Writer, method, killed)
            if ask == site.ask_transfer or method != "change" or generation == "production":
                with pytest.raises(BackendError, match="run again"):
                    ask(*names)
        assert set(outcomes(ask(*names))) <= {"requested", "waiting"}
        assert set(outcomes(ask(*names))) == {"waiting"}
    if generation == "production":
        assert world.execute("SELECT COUNT(*) FROM {register}deletion_queue") == [(len(ORPHANS),)]
        assert world.execute("SELECT COUNT(*) FROM {register}transfer_queue") == [(2,)]
    else:
        assert len(urls(world)) == len(ORPHANS)
        rows = [row for row in site.subscriptions() if row[2] == 1]
        assert rows == [(site.numbers[name], site.here, 1, "new") for name in (ONE, TWO)]
        assert (site.numbers[ONE], site.here, 0, "cancelled") in site.subscriptions()


@pytest.mark.mariadb
@pytest.mark.parametrize("generation", ["innodb", "ours"])
def test_on_innodb_a_broken_call_leaves_nothing(make_world, mariadb, monkeypatch, generation):
    site = Registered(make_world(generation))
    world = site.world
    original = Writer.add

    def killed(writer, *arguments, **options):
        original(writer, *arguments, **options)
        mariadb.execute(f"KILL CONNECTION {writer._connection.exec_driver_sql('SELECT CONNECTION_ID()').scalar()}")

    monkeypatch.setattr(Writer, "add", killed)
    for ask, name in ((site.ask_deletion, b"/store/x"), (site.ask_transfer, ONE)):
        with pytest.raises(BackendError):
            ask(name)
    assert (urls(world), site.subscriptions()) == ([], [])


def test_an_error_of_our_own_leaves_nothing_on_sqlite(embedded, monkeypatch):
    site = Registered(embedded)
    original = Writer.add

    def broken(writer, *arguments, **options):
        original(writer, *arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(Writer, "add", broken)
    for ask, name in ((site.ask_deletion, b"/store/x"), (site.ask_transfer, ONE)):
        with pytest.raises(KeyboardInterrupt):
            ask(name)
    assert (urls(embedded), site.subscriptions()) == ([], [])


@pytest.mark.mariadb
@pytest.mark.parametrize("generation", ["master", "innodb"])
def test_a_table_that_dynamo_does_not_give_free_is_an_error_after_a_while(make_world, mariadb, monkeypatch, generation):
    monkeypatch.setattr(insert, "LOCK_TIMEOUT", 1)
    registry = Registered(make_world(generation)).world.backend().registry
    registry.request_deletion("T2_HERE", [])
    asked = {"unmanaged_deletions": (registry.request_deletion, b"/store/x")}
    asked["file_subscriptions"] = registry.request_transfer, ONE
    for table, (ask, name) in asked.items():
        with contextlib.closing(mariadb.connect(registry.opened.databases.inventory.url.database)) as other:
            other.cursor().execute(f"LOCK TABLES {table} WRITE")
            with pytest.raises(BackendError, match="holds it; run again"):
                ask("T2_HERE", [name])
        assert [outcome.outcome for outcome in ask("T2_HERE", [name])] == ["requested"]


def test_an_sqlite_file_that_somebody_writes_to_for_long_is_an_error(embedded, monkeypatch):
    monkeypatch.setattr(engines, "CONNECT_TIMEOUT", 0.2)
    site = Registered(embedded)
    with contextlib.closing(sqlite3.connect(embedded.name, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BackendError, match="holds it; run again"):
            site.ask_deletion(b"/store/x")
    assert outcomes(site.ask_deletion(b"/store/x")) == ["requested"]


def test_a_lock_is_given_free_after_an_error(world):
    site = Registered(world)
    for _ in range(3):
        with pytest.raises(BackendError):
            world.backend().registry.request_transfer("T2_NOWHERE", [ONE])
    assert outcomes(site.ask_transfer(ONE)) == ["requested"]
