"""Rows of MySQL as one binary column: a text, then numbers of eight bytes each.

One value of a known form costs a driver a third of what four values cost it, and Arrow takes thousands apart at once.
"""

import logging
import sys
from array import array
from collections.abc import Iterator
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pymysql import err
from sqlalchemy import Connection, LargeBinary, Select, cast, func, type_coerce
from sqlalchemy.exc import DBAPIError

from dynamo_consistency.backend.sql import mysql_wire
from dynamo_consistency.backend.sql.reading import in_columns, partitions, unless_abandoned
from dynamo_consistency.columns import joined

log = logging.getLogger(__name__)

_NUMBER = 8
_SHORT = 250
"""The longest value whose length is in one byte; then it is in three."""


def rows(connection: Connection, query: Select[Any], at_once: int) -> Iterator[list[pa.Array]]:
    """The columns of `query`, a text and then integers, at most `at_once` rows at a time.

    The text comes as the bytes that are stored. No column may be null. Raises what SQLAlchemy raises.
    """
    numbers = len(query.selected_columns) - 1
    one_column = _packed(query)
    driver = connection.connection.driver_connection
    if mysql_wire.is_possible(driver):
        for packets in _by_wire(connection, one_column, at_once):
            yield _unpacked(packets, numbers, is_packet=True)
    else:
        for values in _by_rows(connection, one_column, at_once):
            yield _unpacked(values, numbers, is_packet=False)


def _packed(query: Select[Any]) -> Select[Any]:
    text, *numbers = query.selected_columns
    digits = [func.unhex(func.lpad(func.hex(number), 2 * _NUMBER, "0")) for number in numbers]
    value = type_coerce(func.concat(cast(text, LargeBinary), *digits), LargeBinary)
    return query.with_only_columns(value, maintain_column_froms=True)


def _by_wire(connection: Connection, query: Select[Any], at_once: int) -> Iterator[pa.BinaryArray]:
    statement = str(query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    with unless_abandoned(connection):
        try:
            yield from mysql_wire.packets(connection.connection.driver_connection, statement, at_once)
        except err.MySQLError as error:
            raise DBAPIError(statement, None, error, hide_parameters=True) from None


def _by_rows(connection: Connection, query: Select[Any], at_once: int) -> Iterator[pa.BinaryArray]:
    if connection.dialect.driver == "pymysql":
        _say_once()
    for [values] in in_columns(partitions(connection, query, at_once), [pa.binary()]):
        yield values


@cache
def _say_once() -> None:
    log.info("this version of pymysql is not known here: its rows come one by one, at a fraction of the speed")


def _unpacked(values: pa.BinaryArray, numbers: int, *, is_packet: bool) -> list[pa.Array]:
    """Text and numbers of each value; of a packet what comes before its value is left away."""
    behind = numbers * _NUMBER
    if values.null_count or pc.min(pc.binary_length(values)).as_py() < behind + 1:
        raise ValueError("a row without a value")  # a null in it makes all of it null
    return [_texts(values, behind, is_packet), *_numbers(pc.binary_slice(values, -behind), numbers)]


def _texts(values: pa.BinaryArray, behind: int, is_packet: bool) -> pa.BinaryArray:
    if not is_packet:
        return pc.binary_slice(values, 0, -behind)
    short = pc.less_equal(pc.binary_length(values), mysql_wire.HEADER + 1 + _SHORT)
    after_one = pc.binary_slice(values, mysql_wire.HEADER + 1, -behind)
    if pc.all(short).as_py():
        return after_one
    return pc.if_else(short, after_one, pc.binary_slice(values, mysql_wire.HEADER + 3, -behind))


def _numbers(ends: pa.BinaryArray, each: int) -> list[pa.Int64Array]:
    """So many of each end; the server has the highest byte first."""
    swapped = array("q", joined(ends))
    if sys.byteorder == "little":
        swapped.byteswap()
    return [_column(swapped[place::each]) for place in range(each)]


def _column(numbers: "array[int]") -> pa.Int64Array:
    return pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(numbers)])
