"""The answer of a MySQL server that has one binary column, read off pymysql's connection in bulk.

pymysql makes Python objects of every row, at 0.4 million rows a second. Connection, encryption, log-in and statement
are its work here too; only the rows are cut out of the stream by ourselves, many at a time. Each is a packet: three
bytes of length, a number, then the value behind a length of its own. The answer ends with a packet that is no row, so
that a part can never pass for the whole.
"""

from array import array
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from pymysql import err
from pymysql.constants import CR
from pymysql.cursors import SSCursor
from pymysql.protocol import MysqlPacket

from dynamo_consistency.backend.sql import errors
from dynamo_consistency.backend.sql.framed import ALIKE, alike

READ_AT_ONCE = 1 << 20
HEADER = 4
"""Bytes before what a packet holds."""

_END, _ERROR = 0xFE, 0xFF
_LONGEST_END = 8


def is_possible(connection: object) -> bool:
    """Is this connection, of whatever driver, one of pymysql, and made as it is known here?"""
    needed = ("_rfile.read1", "_force_close", "cursor")
    return type(connection).__module__.startswith("pymysql") and all(_has(connection, name) for name in needed)


def _has(thing: object, name: str) -> bool:
    for part in name.split("."):
        thing = getattr(thing, part, None)
    return callable(thing)


def packets(connection: Any, statement: str, at_once: int) -> Iterator[pa.BinaryArray]:
    """The rows of `statement`, at most `at_once` at a time, each as its whole packet.

    Raises what pymysql raises, also for a connection that is cut. One that is not read to the end can only be closed.
    """
    cursor = connection.cursor(SSCursor)
    cursor.execute(statement, ())
    errors.forget_answer(cursor)  # the rows are ours to read
    data, bounds, ended = bytearray(), array("i", [0]), False
    while not ended:
        _cut(data, bounds, at_once)
        ended = _is_ended(data, bounds)
        if len(bounds) > at_once or (ended and len(bounds) > 1):
            rest = data[bounds[-1] :]
            yield _as_array(data, bounds)
            data, bounds = rest, array("i", [0])
        elif not ended:
            data += _more(connection)


def _cut(data: bytearray, bounds: "array[int]", at_once: int) -> None:
    """Adds where whole packets end to `bounds`, until these are of `at_once` packets."""
    at, size, before, run = bounds[-1], len(data), 0, 0
    last = size - HEADER
    while len(bounds) <= at_once and at <= last:
        length = data[at] | data[at + 1] << 8 | data[at + 2] << 16
        at += HEADER + length
        if at > size:
            return
        bounds.append(at)
        if length != before:
            before, run = length, 0
        elif run < ALIKE:
            run += 1
        else:
            size_of_each = HEADER + length
            more = alike(data, at, size_of_each, length.to_bytes(3, "little"), at_once + 1 - len(bounds))
            bounds.extend(range(at + size_of_each, at + more * size_of_each + 1, size_of_each))
            at, run = bounds[-1], 0


def _is_ended(data: bytearray, bounds: "array[int]") -> bool:
    """Is the last of the whole packets the end of the answer? It is taken away then. Raises the server's error."""
    if len(bounds) == 1 or bounds[-1] != len(data):
        return False
    last = bytes(data[bounds[-2] + HEADER :])
    if last[:1] == bytes([_ERROR]):
        MysqlPacket(last, "utf8").raise_for_error()
    ended = last[:1] == bytes([_END]) and len(last) <= _LONGEST_END
    if ended:
        bounds.pop()
    return ended


def _as_array(data: bytearray, bounds: "array[int]") -> pa.BinaryArray:
    """Neither may be changed afterwards."""
    buffers = [None, pa.py_buffer(bounds), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.binary(), len(bounds) - 1, buffers)


def _more(connection: Any) -> bytes:
    try:
        some: bytes = connection._rfile.read1(READ_AT_ONCE)
    except OSError as error:
        connection._force_close()
        raise err.OperationalError(CR.CR_SERVER_LOST, f"Lost connection to MySQL server ({error})") from None
    if not some:
        connection._force_close()
        raise err.OperationalError(CR.CR_SERVER_LOST, "Lost connection to MySQL server during query")
    return some
