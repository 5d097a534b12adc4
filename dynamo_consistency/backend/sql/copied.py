"""Long answers of PostgreSQL as columns: by COPY, as CSV, which Arrow reads.

A row of CSV costs the driver one piece of bytes, where it else makes an object of every value; and it is on the
connection that is there, in its view. CSV tells null, which is empty, from an empty text, which stands in quotes.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyarrow import csv
from sqlalchemy import Connection, Select
from sqlalchemy.exc import DBAPIError

from dynamo_consistency.backend.sql.reading import unless_abandoned

_MARK = b"\xef\xbb\xbf"


def columns(
    connection: Connection, query: Select[Any], types: Sequence[pa.DataType], rows: int
) -> Iterator[list[pa.Array]]:
    """The columns of `query`, at least two, which are of `types`, at most `rows` rows at a time.

    Raises what SQLAlchemy raises, and what pyarrow raises for a value that is of another type.
    """
    connection.exec_driver_sql("SET LOCAL DateStyle = 'ISO'")
    for data in _pieces(connection, query, rows):
        yield _parsed(data, types)


def _pieces(connection: Connection, query: Select[Any], rows: int) -> Iterator[bytearray]:
    import psycopg

    compiled = query.compile(dialect=connection.dialect)
    statement = f"COPY ({compiled}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')"
    driver: Any = connection.connection.driver_connection
    with unless_abandoned(connection):
        try:
            with driver.cursor() as cursor, cursor.copy(statement, compiled.params) as copy:
                yield from _rows_together(copy, driver.pgconn, rows)
        except psycopg.Error as error:
            raise DBAPIError(statement, None, error, hide_parameters=True) from None


def _rows_together(copy: Any, wire: Any, at_once: int) -> Iterator[bytearray]:
    """The rows of a COPY, so many in one piece, read off psycopg's `PGconn`.

    Its own loop over the rows, which is ready to wait before each, takes twice what it takes to get them.
    """
    next_row, size = wire.get_copy_data, 1
    row: Any = b"the first"
    while row:
        data = bytearray()
        for _ in range(at_once):
            size, row = next_row(1)
            if size == 0:
                row = copy.read()  # waits for it, and may be interrupted
            if not row:
                break
            data += row
        if data:
            yield data
    if size < 0:
        _require_success(wire)


def _require_success(wire: Any) -> None:
    """The rows have ended; was it because there are no more?"""
    from psycopg.errors import OperationalError, error_from_result
    from psycopg.pq import ExecStatus

    results = list(iter(wire.get_result, None))
    for result in results:
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)
    if not results:
        raise OperationalError("the connection is lost")


def _parsed(data: bytearray, types: Sequence[pa.DataType]) -> list[pa.Array]:
    if data.startswith(_MARK):
        data = bytearray(b"\n") + data  # Arrow drops a mark that comes first, and an empty line
    names = [str(number) for number in range(len(types))]
    table = csv.read_csv(
        pa.py_buffer(data),
        read_options=csv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 1),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict(zip(names, types, strict=True)),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    return [column.combine_chunks() for column in table.columns]
