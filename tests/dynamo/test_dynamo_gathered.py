"""What SQLite gathers by itself is what its rows say one by one, whatever numbers and names they have."""

import contextlib
import sqlite3

from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from dynamo_consistency.backend.dynamo import inventory
from dynamo_consistency.backend.dynamo.database.schema_version import Generation
from dynamo_consistency.backend.dynamo.pieces import pieces
from dynamo_consistency.backend.sql.columns import columns

HERE, THERE = 7, 8
NUMBERS = st.one_of(st.integers(-9, 9), st.integers(-(2**63) + 1, 2**63 - 1))
NAMES = st.one_of(st.binary(max_size=4), st.sampled_from([b"/a,b", b"/a\0b", b"\0", b"/caf\xc3\xa9", b"/\xff"]))
FILES = st.dictionaries(
    NUMBERS,
    st.tuples(st.integers(0, 3), NAMES, st.one_of(st.none(), NUMBERS), st.booleans()),
    min_size=8,
    max_size=25,
)
REPLICAS = st.dictionaries(
    NUMBERS,
    st.tuples(
        st.integers(0, 3), st.sampled_from([HERE, HERE, HERE, THERE]), st.sampled_from([None, 0, 1]), st.booleans()
    ),
    max_size=8,
)
MARKS = st.lists(st.tuples(NUMBERS, st.sampled_from([HERE, THERE]), st.sampled_from(["new", "cancelled"])), max_size=4)


def filled(files, replicas, subscribed):
    """A connection to tables that have no constraint, so that each odd row may stand in them."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    connection = engine.connect()
    database: sqlite3.Connection = connection.connection.driver_connection
    database.execute("CREATE TABLE files (id INTEGER PRIMARY KEY, block_id, size, name TEXT)")
    database.execute("CREATE TABLE block_replicas (block_id, site_id, group_id, is_complete, last_update)")
    database.execute("CREATE TABLE block_replica_files (block_id, site_id, file_id)")
    database.execute("CREATE TABLE file_subscriptions (file_id, site_id, status)")
    for number, (block, name, size, is_claimed) in files.items():
        database.execute("INSERT INTO files VALUES (?, ?, ?, CAST(? AS TEXT))", (number, block, size, name))
        if is_claimed:
            database.execute("INSERT INTO block_replica_files VALUES (?, ?, ?)", (block, HERE, number))
    for rowid, row in replicas.items():
        text = "INSERT INTO block_replicas (rowid, block_id, site_id, group_id, is_complete) VALUES (?, ?, ?, ?, ?)"
        database.execute(text, (rowid, *row))
    database.executemany("INSERT INTO file_subscriptions VALUES (?, ?, ?)", subscribed)
    return engine, connection


@settings(max_examples=examples(200), deadline=None)
@given(files=FILES, replicas=REPLICAS, subscribed=MARKS, at_once=st.sampled_from([1, 2, 4, 7, 1000]))
def test_pieces_of_any_size_have_the_rows_that_come_one_by_one(files, replicas, subscribed, at_once):
    engine, connection = filled(files, replicas, subscribed)
    generation = Generation("ours", *[True] * 7)
    query = inventory._files(HERE, generation)

    def rows(some):
        parts = list(columns(connection, query, inventory._TYPES, at_once, some))
        assert all(0 < len(part[0]) <= at_once for part in parts)
        return sorted(row for part in parts for row in zip(*(column.to_pylist() for column in part), strict=True))

    try:
        gathered = rows(pieces(connection, *inventory._at_site(HERE), at_once))
        assert gathered == rows(None)
        assert len(gathered) == inventory._count(connection, HERE)
    finally:
        connection.close()
        engine.dispose()


def test_what_is_written_between_two_pieces_belongs_to_the_next_snapshot(embedded, monkeypatch):
    monkeypatch.setattr(inventory, "BATCH_ROWS", 1)
    block = embedded.block(embedded.dataset("/A"), "b")
    embedded.replica(block, embedded.site("T2_HERE"), embedded.group("g"))
    for number in range(5):
        embedded.file(block, f"/f{number}".encode())
    with contextlib.closing(sqlite3.connect(embedded.name)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    stream = embedded.backend().inventory.stream("T2_HERE")
    found = next(stream)["path"].to_pylist()
    embedded.execute("UPDATE files SET name = '/new' || name, size = 9")
    embedded.execute("DELETE FROM files WHERE name = '/new/f3'")
    found += [row["path"] for batch in stream for row in batch.to_pylist()]
    assert sorted(found) == [b"/f0", b"/f1", b"/f2", b"/f3", b"/f4"]
    again = [row["path"] for batch in embedded.backend().inventory.stream("T2_HERE") for row in batch.to_pylist()]
    assert sorted(again) == [b"/new/f0", b"/new/f1", b"/new/f2", b"/new/f4"]
