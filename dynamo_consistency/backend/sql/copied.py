"""Long answers of PostgreSQL as columns: by a binary COPY of two columns, which Arrow takes apart.

The first has all numbers and the lengths of all texts, of eight bytes each; the second has the texts behind one
another. So a row costs hardly more than its bytes, here and at the server, where a value by itself has its price on
each way that it goes. It is on the connection that is there, in its view.
"""

import sys
from array import array
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import takewhile
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, Connection, LargeBinary, Select, func, literal_column
from sqlalchemy.exc import DBAPIError

from dynamo_consistency.backend.sql import postgresql_wire
from dynamo_consistency.backend.sql.postgresql_rows import FRAME
from dynamo_consistency.backend.sql.reading import unless_abandoned
from dynamo_consistency.columns import joined

_NUMBER = 8
_NO_NUMBER, _NO_TIME, _NO_TEXT = -(2**63), 2**63 - 1, -1
"""What stands for null. This time is PostgreSQL's `infinity`."""
_EPOCH = 946_684_800_000_000
"""Microseconds from 1970 to 2000, from which the server counts."""
_FIELDS, _LENGTH = 2, 4
"""Bytes of the number of fields, and of the length before each."""
_LONGEST = 2**30
"""Bytes of a value. Arrow 26 cannot cut what begins at a place without being told where it ends."""


def columns(
    connection: Connection, query: Select[Any], types: Sequence[pa.DataType], rows: int
) -> Iterator[list[pa.Array]]:
    """The columns of `query`, of which one is a text, of `types`, at most `rows` rows at a time.

    Types are text, binary (a text as its bytes in UTF-8), int64 and timestamps in microseconds without a zone. The
    lowest number and the time `infinity` become null. Raises what SQLAlchemy raises, and what pyarrow raises for a
    text that is not UTF-8.
    """
    for messages in _messages(connection, _packed(connection, query, types), rows):
        yield _unpacked(messages, types)


def _packed(connection: Connection, query: Select[Any], types: Sequence[pa.DataType]) -> Select[Any]:
    driver: Any = connection.connection.driver_connection
    is_utf8 = driver.pgconn.parameter_status(b"server_encoding") == b"UTF8"
    values = list(zip(query.selected_columns, types, strict=True))
    texts = [value if is_utf8 else _converted(value) for value, kind in values if _is_text(kind)]
    words = [_word(value, kind) for value, kind in values if not _is_text(kind)]
    lengths = [func.int8send(func.coalesce(func.octet_length(text), _NO_TEXT)) for text in texts]
    empty: ColumnElement[Any] = literal_column("''" if is_utf8 else "''::bytea")
    together = (_one_behind_another([*words, *lengths]), _one_behind_another([func.coalesce(t, empty) for t in texts]))
    return query.with_only_columns(*together, maintain_column_froms=True)


def _converted(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """Its length here is the one that it has at the server."""
    return func.convert_to(text, literal_column("'UTF8'"), type_=LargeBinary)


def _word(value: ColumnElement[Any], kind: pa.DataType) -> ColumnElement[Any]:
    if pa.types.is_timestamp(kind):
        return func.timestamp_send(func.coalesce(value, literal_column("'infinity'::timestamp")))
    return func.int8send(func.coalesce(value, literal_column(str(_NO_NUMBER))))


def _one_behind_another(values: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    first, *others = values
    for value in others:
        first = first.op("||")(value)
    return first


def _messages(connection: Connection, query: Select[Any], rows: int) -> Iterator[pa.BinaryArray]:
    import psycopg

    compiled = query.compile(dialect=connection.dialect)
    copy = f"COPY ({compiled}) TO STDOUT (FORMAT binary, ENCODING 'UTF8')"
    driver: Any = connection.connection.driver_connection
    with unless_abandoned(connection):
        try:
            statement = psycopg.ClientCursor(driver).mogrify(copy, compiled.params).encode()
            yield from postgresql_wire.rows(driver.pgconn, statement, 2, rows)
        except psycopg.Error as error:
            raise DBAPIError(copy, None, error, hide_parameters=True) from None


def _is_text(kind: pa.DataType) -> bool:
    return kind in (pa.string(), pa.binary())


def _unpacked(messages: pa.BinaryArray, types: Sequence[pa.DataType]) -> list[pa.Array]:
    at = FRAME + _FIELDS + _LENGTH
    behind = at + _NUMBER * len(types)
    words = _words(joined(pc.binary_slice(messages, at, behind)), len(types))
    first_length = sum(not _is_text(kind) for kind in types)
    cells = _taken_apart(messages, words[first_length:], behind + _LENGTH)
    numbers = iter(words[:first_length])
    return [next(cells).cast(kind) if _is_text(kind) else _values(next(numbers), kind) for kind in types]


def _words(some: bytes, each: int) -> list[pa.Int64Array]:
    """So many of each row; the server has the highest byte first."""
    swapped = array("q", some)
    if sys.byteorder == "little":
        swapped.byteswap()
    return [_column(swapped[place::each]) for place in range(each)]


def _column(numbers: "array[int]") -> pa.Int64Array:
    return pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(numbers)])


def _values(words: pa.Int64Array, kind: pa.DataType) -> pa.Array:
    null = _NO_TIME if pa.types.is_timestamp(kind) else _NO_NUMBER
    is_null = pc.equal(words, null)
    if pc.any(is_null).as_py():
        words = pc.if_else(is_null, None, words)
    return pc.add(words, _EPOCH).view(kind) if pa.types.is_timestamp(kind) else words


def _taken_apart(rows: pa.BinaryArray, lengths: Sequence[pa.Int64Array], at: int) -> Iterator[pa.BinaryArray]:
    """The texts of each column, of these lengths, which begin at `at`. Raises ValueError where they do not fit.

    What has one length in all rows, in front and at the end, is cut out at once; a column between them is what is left.
    """
    sizes = [pc.max_element_wise(column, 0) for column in lengths]
    if not pc.all(pc.equal(pc.add(reduce(pc.add, sizes), at), pc.binary_length(rows))).as_py():
        raise ValueError("a row without its texts")
    found = [pc.min_max(column) for column in lengths]
    alike = [one["min"].equals(one["max"]) for one in found]
    known = [one["max"].as_py() for one in found]
    front = len(list(takewhile(bool, alike)))
    back = max(front, len(lengths) - len(list(takewhile(bool, reversed(alike)))))
    yield from _of_known_lengths(rows, known[:front], at)
    start, end = at + _together(known[:front]), _together(known[back:])
    if front < back:
        between = pc.binary_slice(rows, start, -end or _LONGEST)
        for cells, column in zip(_alternate(between, sizes[front:back]), lengths[front:back], strict=True):
            is_null = pc.less(column, 0)
            yield pc.if_else(is_null, None, cells) if pc.any(is_null).as_py() else cells
    yield from _of_known_lengths(rows, known[back:], -end)


def _together(lengths: Sequence[int]) -> int:
    return sum(max(length, 0) for length in lengths)


def _of_known_lengths(rows: pa.BinaryArray, lengths: Sequence[int], at: int) -> Iterator[pa.BinaryArray]:
    """Texts of these lengths, one behind another, of which the first is at `at`; negative: from the end of its row."""
    for length in lengths:
        behind = at + max(length, 0)
        if length == _NO_TEXT:
            yield pa.nulls(len(rows), pa.binary())
        elif length == 0:
            yield pa.repeat(pa.scalar(b""), len(rows))
        else:
            yield pc.binary_slice(rows, at, behind or None)
        at = behind


def _alternate(together: pa.BinaryArray, sizes: Sequence[pa.Int64Array]) -> Iterator[pa.BinaryArray]:
    """The texts of each column, which are of these sizes."""
    each, rows = len(sizes), len(together)
    if each == 1:
        yield together
        return
    ends = array("i", bytes(4 * (each * rows + 1)))
    with memoryview(ends) as view:
        for number, column in enumerate(sizes):
            view[1 + number :: each] = memoryview(column.cast(pa.int32()).buffers()[1]).cast("B")[: 4 * rows].cast("i")
    bounds = pc.cumulative_sum(pa.Array.from_buffers(pa.int32(), len(ends), [None, pa.py_buffer(ends)]))
    cells = pa.Array.from_buffers(pa.binary(), each * rows, [None, bounds.buffers()[1], together.buffers()[2]])
    of_a_row = pa.FixedSizeListArray.from_arrays(cells, each)
    for number in range(each):
        yield pc.list_element(of_a_row, number)
