"""Rows with an id, which are found by a key or added."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Connection, Table, insert, select


class Numbers:
    """Ids by key, for one table: those that are there, and new ones for rows that are still to be inserted."""

    def __init__(self, connection: Connection, table: Table, key: Sequence[Column[Any]]) -> None:
        rows = connection.execute(select(table.c.id, *key))
        self.table = table
        self.ids: dict[tuple[Any, ...], int] = {tuple(row[1:]): row[0] for row in rows}
        self.next = max(self.ids.values(), default=0) + 1
        self.new: list[dict[str, Any]] = []

    def number(self, *key: Any, **values: Any) -> int:
        """The id of the row with `key`; a new one has `values`."""
        number = self.ids.get(key)
        if number is None:
            number = self.ids[key] = self.next
            self.next += 1
            self.new.append({"id": number, **values})
        return number

    def insert(self, connection: Connection) -> None:
        """Insert the new rows."""
        insert_rows(connection, self.table, self.new)
        self.new = []


def insert_rows(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert them; none is well."""
    if rows:
        connection.execute(insert(table), rows)
