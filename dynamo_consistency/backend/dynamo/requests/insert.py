"""The only way by which Dynamo's tables are written to: rows of requests, in four tables, under a lock.

A `Writer` holds the lock of one table. On MySQL the server itself then refuses a write to any other one (error 1100).
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, delete, insert, update

from dynamo_consistency.backend.dynamo.database.schema import file_subscriptions, unmanaged_deletions
from dynamo_consistency.backend.dynamo.database.version_tables import deletion_queue, transfer_queue
from dynamo_consistency.backend.sql import errors

REQUEST_TABLES = (unmanaged_deletions, file_subscriptions, deletion_queue, transfer_queue)
"""The tables that may be written to. Nothing is taken from them but requests of our own (see `withdrawal`)."""

LOCK_TIMEOUT = 30
"""Seconds in which Dynamo must give the table free: longer, and our waiting would hold up Dynamo's own readers."""


class Writer:
    """Reads, inserts, changes and removes rows of the one table that is locked."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection, self._table = connection, table

    def rows(self, query: Select[Any]) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._connection.execute(query)]

    def add(self, rows: Iterable[Mapping[str, Any]], **everywhere: Any) -> None:
        """Insert `rows`, each with the values `everywhere`."""
        if listed := [dict(row) for row in rows]:
            self._connection.execute(insert(self._table).values(everywhere), listed)

    def change(self, *conditions: ColumnElement[bool], **values: Any) -> None:
        self._connection.execute(update(self._table).where(*conditions).values(values))

    def remove(self, *conditions: ColumnElement[bool]) -> None:
        self._connection.execute(delete(self._table).where(*conditions))


@contextlib.contextmanager
def locked(engine: Engine, table: Table) -> Iterator[Writer]:
    """One caller at a time has `table`; what it wrote is committed at the end, on InnoDB and SQLite all or nothing.

    Raises ValueError for a table that is not one of `REQUEST_TABLES`, BackendError for all that goes wrong in the
    database; then part of the rows may be there, and asking again adds the others.
    """
    if table not in REQUEST_TABLES:
        raise ValueError(f"{table.name} is not a table of requests and is never written to")
    with errors.explained(engine), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            name = engine.dialect.identifier_preparer.quote(table.name)
            connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {LOCK_TIMEOUT}")
            connection.exec_driver_sql(f"LOCK TABLES {name} WRITE")  # given free when the connection is closed
        yield Writer(connection, table)
        connection.commit()
