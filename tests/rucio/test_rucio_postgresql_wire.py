"""Rows that are read off a connection to PostgreSQL in bulk: all of them, or an error; what is no row is libpq's."""

import contextlib
import socket
import threading
from itertools import chain, repeat
from types import SimpleNamespace

import psycopg
import pytest
from effort import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.pq import ExecStatus

from dynamo_consistency.backend.sql import postgresql_wire

LAYOUT = b"\1\0\2\0\1\0\1"
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"


def message(kind: bytes, contents: bytes = b"") -> bytes:
    return kind + (4 + len(contents)).to_bytes(4) + contents


LEFT = message(b"C", b"COPY 3\0") + message(b"Z", b"T")
"""What is libpq's to read."""


class Wire:
    """As psycopg's PGconn on a socket, of which libpq would be the reader of what is left, and its results."""

    ssl_in_use = False

    def __init__(self, own: socket.socket, states: tuple[ExecStatus, ...], said: bytes):
        self.socket = own.fileno()
        words = {"error_field": lambda _: None, "get_error_message": lambda _: "gone", "command_status": said}
        self._results = chain((SimpleNamespace(status=state, **words) for state in states), repeat(None))
        self.send_query = lambda _statement: None
        self.flush = lambda: 0

    def get_result(self):
        return next(self._results)


def received(
    stream: bytes, sizes: list[int], at_once: int, *, states=(ExecStatus.COMMAND_OK,), said=b"COPY 2", is_cut=False
):
    """(parts of rows, what is left in the socket) when the server's answer comes in pieces of these sizes.

    `said` is what the server says that it has sent.
    """
    ours, theirs = socket.socketpair()

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

    sender = threading.Thread(target=send)
    sender.start()
    with ours, theirs:
        ours.setblocking(False)
        wire = Wire(ours, states, said)
        try:
            parts = [part.to_pylist() for part in postgresql_wire.rows(wire, b"", 2, at_once)]
        finally:
            ours.setblocking(True)
            ours.settimeout(10)
            sender.join()
        left = ours.recv(1 << 16, socket.MSG_DONTWAIT) if not is_cut else b""
    return [[row[postgresql_wire.FRAME :] for row in part] for part in parts], left


contents = (
    st.lists(st.sampled_from([b"d", b"c\0\0\0\4", b"", b"x" * 30, b"y" * 300, HEADER]), max_size=3)
    .map(b"".join)
    .filter(bool)
)
rows_ = st.lists(contents, max_size=40).flatmap(lambda some: st.integers(1, 30).map(lambda times: some * times))
between = st.sampled_from(
    [b"", b"", message(b"N", b"SNOTICE\0\0"), message(b"S", b"a\0b\0"), message(b"A", b"1234a\0\0")]
)


@settings(max_examples=examples(300), deadline=None)
@given(data=st.data(), rows=rows_, at_once=st.integers(1, 50), sizes=st.lists(st.integers(1, 900), max_size=12))
def test_rows_are_those_that_were_sent_and_the_end_is_left_to_libpq(data, rows, at_once, sizes):
    first, *others = [*rows, TRAILER]
    sent = [HEADER, first, *others] if data.draw(st.booleans()) else [HEADER + first, *others]
    other_messages = data.draw(st.lists(between, min_size=len(sent), max_size=len(sent)))
    stream = b"".join(chain.from_iterable(zip((message(b"d", row) for row in sent), other_messages, strict=True)))
    parts, left = received(
        message(b"H", LAYOUT) + stream + message(b"c") + LEFT, sizes, at_once, said=b"COPY %d" % len(rows)
    )
    assert list(chain.from_iterable(parts)) == rows
    assert all(0 < len(part) <= at_once for part in parts)
    assert left == LEFT


ANSWER = message(b"H", LAYOUT) + message(b"d", HEADER + b"a") + message(b"d", b"b") + message(b"d", TRAILER)


@pytest.mark.parametrize("length", range(len(ANSWER) + len(message(b"c"))))
def test_an_answer_that_is_cut_anywhere_is_an_error(length, monkeypatch):
    monkeypatch.setattr(Wire, "is_busy", lambda _self: False, raising=False)
    stream = (ANSWER + message(b"c"))[:length]
    with pytest.raises(psycopg.Error):
        received(stream, [], 10, states=(ExecStatus.FATAL_ERROR,), is_cut=True)


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
