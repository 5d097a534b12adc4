"""Rows that are read off a connection to PostgreSQL in bulk: all of them, or an error; what is no row is libpq's."""

import contextlib
import socket
import threading
from itertools import chain, repeat
from types import SimpleNamespace

import encrypted_pair
import psycopg
import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.pq import ExecStatus

from dynamo_consistency.backend.sql import postgresql_received, postgresql_rows, postgresql_wire

LAYOUT = b"\1\0\2\0\1\0\1"
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"


def message(kind: bytes, contents: bytes = b"") -> bytes:
    return kind + (4 + len(contents)).to_bytes(4) + contents


LEFT = message(b"C", b"COPY 3\0") + message(b"Z", b"T")
"""What is libpq's to read."""


class Wire:
    """As psycopg's PGconn, of which libpq would be the reader of what is left, and its results."""

    def __init__(self, states: tuple[ExecStatus, ...], said: bytes):
        words = {"error_field": lambda _: None, "get_error_message": lambda _: "gone", "command_status": said}
        self._results = chain((SimpleNamespace(status=state, **words) for state in states), repeat(None))
        self.send_query = lambda _statement: None
        self.flush = lambda: 0

    def get_result(self):
        return next(self._results)


@contextlib.contextmanager
def plain_pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield postgresql_received._FromSocket(ours.fileno()), theirs


PAIRS = st.sampled_from([plain_pair, encrypted_pair.pair])
EACH_PAIR = pytest.mark.parametrize("pair", [plain_pair, encrypted_pair.pair])


def received(
    stream: bytes,
    sizes: list[int],
    at_once: int,
    *,
    states=(ExecStatus.COMMAND_OK,),
    said=b"COPY 2",
    is_cut=False,
    pair=plain_pair,
):
    """(parts of rows, what is left for libpq) when the server's answer comes in pieces of these sizes.

    `said` is what the server says that it has sent.
    """
    with pair() as (ours, theirs), pytest.MonkeyPatch.context() as patch:

        def send():
            with contextlib.suppress(OSError):
                rest = stream
                for size in chain(sizes, repeat(len(stream) or 1)):
                    if not rest:
                        break
                    theirs.sendall(rest[:size])
                    rest = rest[size:]
            if is_cut:
                theirs.close()

        patch.setattr(ours, "close", lambda: None)  # what is left is looked at
        patch.setattr(postgresql_wire, "received", lambda _connection: ours)
        sender = threading.Thread(target=send)
        sender.start()
        try:
            rows = postgresql_wire.rows(Wire(states, said), b"", 2, at_once)
            parts = [part.to_pylist() for part in rows]
        finally:
            sender.join()
        theirs.close()
        left = postgresql_wire._taken(ours, 1 << 14)
    return [[row[postgresql_rows.FRAME :] for row in part] for part in parts], left


contents = (
    st.lists(st.sampled_from([b"d", b"c\0\0\0\4", b"", b"x" * 30, b"y" * 300, HEADER]), max_size=3)
    .map(b"".join)
    .filter(bool)
)
rows_ = st.lists(st.tuples(contents, st.sampled_from([1, 1, 2, 16, 17, 18, 40, 250])), max_size=8).map(
    lambda runs: [row for row, times in runs for _ in range(times)]
)
between = st.sampled_from([message(b"N", b"SNOTICE\0\0"), message(b"S", b"a\0b\0"), message(b"A", b"1234a\0\0")])


@settings(max_examples=examples(300), deadline=None)
@given(
    data=st.data(),
    rows=rows_,
    at_once=st.integers(1, 50) | st.integers(50, 500),
    sizes=st.lists(st.integers(1, 900), max_size=12) | st.integers(500, 9000).map(lambda size: [size] * 1000),
    pair=PAIRS,
)
def test_rows_are_those_that_were_sent_and_the_end_is_left_to_libpq(data, rows, at_once, sizes, pair):
    first, *others = [*rows, TRAILER]
    sent = [HEADER, first, *others] if data.draw(st.booleans()) else [HEADER + first, *others]
    others = data.draw(st.dictionaries(st.integers(0, len(sent) - 1), between, max_size=4))
    stream = b"".join(message(b"d", row) + others.get(number, b"") for number, row in enumerate(sent))
    answer = message(b"H", LAYOUT) + stream + message(b"c") + LEFT
    parts, left = received(answer, sizes, at_once, said=b"COPY %d" % len(rows), pair=pair)
    assert list(chain.from_iterable(parts)) == rows
    assert all(0 < len(part) <= at_once for part in parts)
    assert left == LEFT


ANSWER = message(b"H", LAYOUT) + message(b"d", HEADER + b"a") + message(b"d", b"b") + message(b"d", TRAILER)


@EACH_PAIR
@pytest.mark.parametrize("length", range(len(ANSWER) + len(message(b"c"))))
def test_an_answer_that_is_cut_anywhere_is_an_error(length, pair, monkeypatch):
    monkeypatch.setattr(Wire, "is_busy", lambda _self: False, raising=False)
    stream = (ANSWER + message(b"c"))[:length]
    with pytest.raises(psycopg.Error):
        received(stream, [], 10, states=(ExecStatus.FATAL_ERROR,), is_cut=True, pair=pair)


@pytest.mark.parametrize("states", [(), (ExecStatus.FATAL_ERROR,), (ExecStatus.COMMAND_OK, ExecStatus.FATAL_ERROR)])
def test_rows_that_end_without_success_are_an_error(states):
    with pytest.raises(psycopg.Error):
        received(ANSWER + message(b"c") + LEFT, [], 10, states=states)


def test_rows_without_the_mark_of_their_end_are_an_error():
    stream = message(b"H", LAYOUT) + message(b"d", HEADER + b"a") + message(b"c") + LEFT
    with pytest.raises(psycopg.OperationalError):
        received(stream, [], 10)


def test_another_number_of_rows_than_the_server_has_sent_is_an_error():
    stream = ANSWER + message(b"c") + LEFT
    assert received(stream, [], 10) == ([[b"a", b"b"]], LEFT)
    for said in (b"COPY 1", b"COPY 3", b"SELECT 2", b""):
        with pytest.raises(psycopg.OperationalError, match="2 rows have come"):
            received(stream, [], 10, said=said)
