"""Long answers of a database as columns, by the fastest way that its driver has."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Select
from sqlalchemy.exc import DBAPIError

from dynamo_consistency.backend.sql import copied, packed
from dynamo_consistency.backend.sql.reading import in_columns, partitions, unless_abandoned


def columns(
    connection: Connection, query: Select[Any], types: Sequence[pa.DataType], rows: int
) -> Iterator[list[pa.Array]]:
    """The columns of `query`, which are of `types`, at most `rows` rows at a time; memory does not grow with the rows.

    Binary columns are texts as the bytes that are stored. Where a binary one stands before integers alone, none may be
    null, and SQLite and MySQL are read much faster. Raises what SQLAlchemy raises.
    """
    kind = connection.dialect.name
    if kind == "postgresql":
        return copied.columns(connection, query, types, rows)
    if kind == "sqlite" and _is_packable(types):
        return in_columns(_by_sqlite(connection, query, rows), types)
    if kind in ("mysql", "mariadb") and _is_packable(types):
        return packed.rows(connection, query, rows)
    return in_columns(partitions(connection, query, rows), types)


def _is_packable(types: Sequence[pa.DataType]) -> bool:
    return types[0] == pa.binary() and all(kind == pa.int64() for kind in types[1:])


def _by_sqlite(connection: Connection, query: Select[Any], rows: int) -> Iterator[Sequence[Sequence[Any]]]:
    """Without SQLAlchemy's rows, which cost more than SQLite's."""
    statement = str(query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    with unless_abandoned(connection):
        try:
            cursor = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
            cursor.execute(statement)
            while part := cursor.fetchmany(rows):
                yield part
        except sqlite3.Error as error:
            raise DBAPIError(statement, None, error, hide_parameters=True) from None
