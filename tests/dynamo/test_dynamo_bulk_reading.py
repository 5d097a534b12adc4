"""Rows that are read many at a time, of MySQL and of SQLite: they come whole, or there is an error."""

import itertools
from types import SimpleNamespace

import pyarrow as pa
import pymysql
import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from mariadb_server import READER

from dynamo_consistency.backend.dynamo import inventory
from dynamo_consistency.backend.dynamo.block_facts import BlockFacts
from dynamo_consistency.backend.sql import gathered, mysql_wire, packed
from dynamo_consistency.errors import BackendError

END = b"\xfe\x00\x00\x02\x00"
KILLED = b"\xff\x25\x05#70100Query execution was interrupted"
VALUES = [bytes([65 + length % 26]) * length for length in (17, 250, 251, 17, 530, 60_000, 18)]


def packet(payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + b"\x07" + payload


def row(value: bytes) -> bytes:
    length = bytes([len(value)]) if len(value) <= 250 else b"\xfc" + len(value).to_bytes(2, "little")
    return packet(length + value)


ROWS = [row(value) for value in VALUES]


class Connection:
    """As one of pymysql is seen here; what comes of it comes in pieces of one size."""

    def __init__(self, stream: bytes, size: int) -> None:
        pieces = itertools.chain((stream[at : at + size] for at in range(0, len(stream), size)), itertools.repeat(b""))
        self._rfile = SimpleNamespace(read1=lambda _: next(pieces))
        self.is_closed = False

    def _force_close(self) -> None:
        self.is_closed = True

    def cursor(self, _kind: object) -> SimpleNamespace:
        return SimpleNamespace(
            execute=lambda *_: None, connection=self, _result=SimpleNamespace(unbuffered_active=True)
        )


def read(stream: bytes, size: int = 10_000, at_once: int = 2) -> list[list[bytes]]:
    return [part.to_pylist() for part in mysql_wire.packets(Connection(stream, size), "SELECT 1", at_once)]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 250, 1000, 1_000_000])
def test_rows_are_the_same_in_whatever_pieces_they_come(size):
    parts = read(b"".join(ROWS) + packet(END), size)
    assert [len(part) for part in parts] == [2, 2, 2, 1]
    assert list(itertools.chain(*parts)) == ROWS


ALIKE = [bytes([65 + run]) * length for run, length in enumerate((0, 17, 255, 256, 17, 18)) for _ in range(run * 40)]


@pytest.mark.parametrize("size", [3, 1000, 7001, 1_000_000])
@pytest.mark.parametrize("at_once", [1, 17, 50, 1000])
def test_neighbours_of_one_length_are_told_from_others(size, at_once):
    rows = [row(value) for value in ALIKE]
    assert list(itertools.chain(*read(b"".join(rows) + packet(END), size, at_once))) == rows


LENGTHS = st.tuples(
    st.sampled_from([0, 3, 17, 253, 254, 250, 300]), st.integers(1, 60), st.sampled_from(b"\x00\xfe\xff\x13")
)


@settings(max_examples=examples(200), deadline=None)
@given(runs=st.lists(LENGTHS, max_size=5), size=st.sampled_from([7, 333, 5000, 10**6]), at_once=st.integers(1, 99))
def test_rows_of_any_lengths_and_bytes_are_cut_where_each_ends(runs, size, at_once):
    rows = [row(bytes([byte]) * length) for length, number, byte in runs for _ in range(number)]
    parts = read(b"".join(rows) + packet(END), size, at_once)
    assert list(itertools.chain(*parts)) == rows
    assert [len(part) for part in parts[:-1]] == [at_once] * len(parts[:-1])


def test_an_answer_without_rows_has_none():
    assert read(packet(END)) == []


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_an_answer_that_is_cut_anywhere_is_an_error(at_once):
    answer = b"".join(ROWS[:4]) + packet(END)
    for length in range(len(answer)):
        with pytest.raises(pymysql.err.OperationalError, match="2013, 'Lost connection"):
            read(answer[:length], at_once=at_once)


def test_an_error_of_the_server_among_the_rows_is_an_error():
    with pytest.raises(pymysql.err.OperationalError, match="1317, 'Query execution was interrupted"):
        read(b"".join(ROWS[:3]) + packet(KILLED))


def test_a_row_without_a_value_is_refused():
    with pytest.raises(ValueError, match="a row without a value"):
        packed._unpacked(pa.array([b"/f" + bytes(8), None]), 1, is_packet=False)


def test_a_block_that_was_not_there_a_moment_before_is_not_known():
    facts = pa.table({"time": [1, 2, None], "block": ["a", "b", None]})
    known, (times, blocks) = BlockFacts(pa.array([7, 9]), facts).of(pa.array([9, 7, 8, 9, 99]))
    assert known.to_pylist() == [True, True, False, True, False]
    assert times.to_pylist() == [2, 1, None, 2, None]
    assert blocks.to_pylist() == ["b", "a", None, "b", None]


def names_and_sizes(world, **options) -> dict[bytes, int]:
    batches = world.backend(**options).inventory.stream("T2_HERE")
    rows = [row for batch in batches for row in batch.to_pylist()]
    found = {row["path"]: row["size"] for row in rows}
    assert len(found) == len(rows)
    return found


NAME_AND_SIZE = {"name": "CONCAT('/', LPAD(seq, seq, 'x'))", "size": "CAST(seq AS SIGNED) - 2"}
WANTED = {b"/" + str(length).rjust(length, "x").encode(): length - 2 for length in range(1, 512)}


@pytest.mark.mariadb
@pytest.mark.parametrize("at_once", [1, 7, 100_000])
def test_names_of_every_length_come_with_their_sizes(make_world, monkeypatch, at_once):
    monkeypatch.setattr(inventory, "BATCH_ROWS", at_once)
    world = make_world("master")
    world.many_files(511, **NAME_AND_SIZE)
    assert names_and_sizes(world) == WANTED


@pytest.mark.mariadb
def test_a_driver_that_is_not_known_gives_the_same_rows_and_it_is_said_once(make_world, monkeypatch, caplog):
    packed._say_once.cache_clear()
    monkeypatch.setattr(mysql_wire, "is_possible", lambda _: False)
    world = make_world("master")
    world.many_files(511, **NAME_AND_SIZE)
    with caplog.at_level("INFO", logger="dynamo_consistency"):
        assert names_and_sizes(world) == names_and_sizes(world) == WANTED
    assert [record.getMessage() for record in caplog.records if "one by one" in record.getMessage()] == [
        "this version of pymysql is not known here: its rows come one by one, at a fraction of the speed"
    ]


@pytest.mark.mariadb
def test_the_pymysql_that_is_installed_is_known(mariadb):
    with mariadb.connect() as connection:
        assert mysql_wire.is_possible(connection)


@pytest.mark.mariadb
def test_a_statement_that_is_ended_by_the_server_in_the_middle_is_an_error(make_world, mariadb, monkeypatch):
    monkeypatch.setattr(inventory, "BATCH_ROWS", 100)
    world = make_world("innodb")
    world.many_files(30_000)
    stream = world.backend(url=mariadb.url(world.name, *READER)).inventory.stream("T2_HERE")
    next(stream)
    [(victim,)] = mariadb.execute("SELECT id FROM information_schema.processlist WHERE user = 'reader'")
    mariadb.execute(f"KILL QUERY {victim}")
    with pytest.raises(BackendError, match=r"failed: Query execution was interrupted .*1317\].*; run again"):
        list(stream)


TRAPS = [b"/a\0b", b"/a,b", b"/a\nb", b"/\xff\xfe", b"/a'\"b", b"/a ", b"/", "/\u00e9".encode(), b"", b"/x" * 256]


@pytest.mark.parametrize("at_once", [1, 2, 4, 7, 20_000])
def test_sqlite_gives_every_file_of_replicas_of_every_size_once(embedded, monkeypatch, at_once):
    monkeypatch.setattr(inventory, "BATCH_ROWS", at_once)
    here, there, group, dataset = embedded.site("T2_HERE"), embedded.site("T2_THERE"), embedded.group("g"), 1
    wanted = {}
    for number, files in enumerate([0, 1, 3, 0, 9, 2, 2, 1, 30, 1]):
        block = embedded.block(dataset, f"block-{number}")
        for file in range(files):
            name = TRAPS[file] if number == 4 else f"/{number}/{file}".encode()
            embedded.file(block, name, size := 10**15 + number * 100 + file)
            if number != 5:
                wanted[name] = size
        embedded.replica(block, there if number == 5 else here, group)
    assert names_and_sizes(embedded) == wanted


def test_sqlite_never_leaves_out_a_row_that_lacks_a_value():
    whole = pa.array([2, 1]), pa.array([5, 6])
    assert [column.to_pylist() for column in gathered._taken_apart(b"/a/", list(whole))] == [[b"/a", b"/"], [5, 6]]
    for lengths, sizes in (([2], [5, 6]), ([2, 1], [5]), ([2, 2], [5, 6])):
        with pytest.raises(ValueError, match="a row without a value"):
            gathered._taken_apart(b"/a/", [pa.array(lengths), pa.array(sizes)])
