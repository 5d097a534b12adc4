"""Reading from a database that goes on being written to: one consistent view, and rows that need not fit in memory."""

import contextlib
import gc
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
from sqlalchemy import Connection, Engine, Select

from dynamo_consistency.backend.sql import errors
from dynamo_consistency.errors import BackendError

_READ_ONLY = {
    "sqlite": ("PRAGMA query_only = ON", "BEGIN"),
    "mysql": (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        # The version comment leaves the second half to servers that know it (MySQL 5.6.5, MariaDB 10).
        "START TRANSACTION WITH CONSISTENT SNAPSHOT /*!50605 , READ ONLY */",
    ),
    "postgresql": (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        # Whoever reads by a cursor here reads to the end: no plan that is only good at the first rows.
        "SET LOCAL cursor_tuple_fraction = 1",
    ),
    "oracle": ("SET TRANSACTION READ ONLY",),
}


@contextlib.contextmanager
def reading(engine: Engine, if_lacking: str = "correct the URL") -> Iterator[Connection]:
    """A connection that can read and not write, in one transaction: one consistent view where the engine gives one.

    Raises BackendError for all that goes wrong inside; of an SQLite file that is not there it says `if_lacking`.
    """
    with errors.explained(engine), opened(engine, if_lacking) as connection:
        for statement in _READ_ONLY[connection.dialect.name if connection.dialect.name != "mariadb" else "mysql"]:
            connection.exec_driver_sql(statement)
        yield connection


@contextlib.contextmanager
def opened(engine: Engine, if_lacking: str) -> Iterator[Connection]:
    """A connection; an SQLite file is never made by looking."""
    database = engine.url.database
    if engine.dialect.name == "sqlite" and database and not Path(database).is_file():
        if Path(database).exists():
            raise BackendError(f"{database} is no file, and so no inventory; correct the URL")
        raise BackendError(f"there is no file {database}; {if_lacking}")
    with engine.connect() as connection:
        yield connection


def partitions(connection: Connection, query: Select[Any], rows: int) -> Iterator[Sequence[Sequence[Any]]]:
    """The rows of `query`, at most `rows` at a time, through a cursor that stays at the server."""
    result = connection.execution_options(stream_results=True, max_row_buffer=rows).execute(query)
    with unless_abandoned(connection, result):
        yield from result.partitions(rows)


@contextlib.contextmanager
def unless_abandoned(connection: Connection, result: Any = None) -> Iterator[None]:
    """Drops the connection when the answer inside is not read to its end.

    Else the driver reads what nobody wants any more. So `result` is not closed either.
    """
    try:
        yield
    except BaseException:
        errors.forget_answer(result.cursor if result else None)
        connection.invalidate()
        raise


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """No search for rings of objects meanwhile: it goes through every row that is held, and none is in a ring."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def in_columns(parts: Iterator[Sequence[Sequence[Any]]], types: Sequence[pa.DataType]) -> Iterator[list[pa.Array]]:
    """Each part, which has at least one row, as columns of `types`."""
    while True:
        with without_collector():
            part = next(parts, None)
            if part is None:
                return
            arrays = as_columns(part, types)
            del part
        yield arrays


def as_columns(rows: Sequence[Sequence[Any]], types: Sequence[pa.DataType]) -> list[pa.Array]:
    """Rows, of which there is at least one, as columns of `types`."""
    return [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), types, strict=True)]


LOOK_UP_ROWS = 400
"""Names in one look-up: enough to make round trips unimportant, and below the 1000 levels that SQLite allows in an
expression."""

Item = TypeVar("Item")


def chunks(items: Iterable[Item], size: int = LOOK_UP_ROWS) -> Iterator[list[Item]]:
    """`items` in lists of `size`, the last one shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
