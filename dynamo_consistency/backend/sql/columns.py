"""Long answers of a database as columns, by the fastest way that its driver has."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Select

from dynamo_consistency.backend.sql import copied, gathered, packed
from dynamo_consistency.backend.sql.reading import in_columns, partitions


def columns(
    connection: Connection,
    query: Select[Any],
    types: Sequence[pa.DataType],
    rows: int,
    pieces: Iterable[ColumnElement[bool]] | None = None,
) -> Iterator[list[pa.Array]]:
    """The columns of `query`, which are of `types`, at most `rows` rows at a time; memory does not grow with the rows.

    Binary columns are texts as the bytes that are stored. Where a binary one stands before integers alone, none may be
    null, and MySQL is read much faster; SQLite is, too, where `pieces` has conditions that part the query's rows into
    pieces of at most `rows`. Raises what SQLAlchemy raises.
    """
    kind = connection.dialect.name
    if kind == "postgresql":
        return copied.columns(connection, query, types, rows)
    if kind == "sqlite" and _is_packable(types) and pieces is not None:
        return gathered.columns(connection, query, pieces)
    if kind in ("mysql", "mariadb") and _is_packable(types):
        return packed.rows(connection, query, rows)
    return in_columns(partitions(connection, query, rows), types)


def _is_packable(types: Sequence[pa.DataType]) -> bool:
    return types[0] == pa.binary() and all(kind == pa.int64() for kind in types[1:])
