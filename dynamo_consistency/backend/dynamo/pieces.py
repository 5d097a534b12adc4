"""The files of a site in pieces of a known size, on SQLite: by rowids of replicas and files, which it finds fastest."""

from array import array
from collections.abc import Iterator
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, FromClause, and_, func, literal_column, select

from dynamo_consistency.backend.dynamo.database.schema import block_replicas, files
from dynamo_consistency.backend.sql.reading import partitions

_REPLICA: ColumnElement[int] = literal_column(f"{block_replicas.name}.rowid", BigInteger)
_BEFORE_ALL = -(2**63)


def pieces(
    connection: Connection, tables: FromClause, condition: ColumnElement[bool], at_most: int
) -> Iterator[ColumnElement[bool]]:
    """Conditions on block replicas and files, which are joined in `tables`: each file that meets `condition` is in one.

    None has more than `at_most` files. 16 bytes a replica are kept.
    """
    replicas, sizes = _counted(connection, tables, condition)
    first = total = 0
    for place, size in enumerate(sizes):
        if total and total + size > at_most:
            yield _REPLICA.between(replicas[first], replicas[place - 1])
            first, total = place, 0
        if size > at_most:
            yield from _parts(connection, tables, replicas[place], at_most)
            first = place + 1
        else:
            total += size
    if total:
        yield _REPLICA.between(replicas[first], replicas[-1])


def _counted(
    connection: Connection, tables: FromClause, condition: ColumnElement[bool]
) -> tuple["array[int]", "array[int]"]:
    """(rowid of each replica with files, ascending, number of these)."""
    replicas, sizes = array("q"), array("q")
    columns: list[ColumnElement[Any]] = [_REPLICA, func.count()]
    query = select(*columns).select_from(tables).where(condition).group_by(_REPLICA).order_by(_REPLICA)
    for rows in partitions(connection, query, 20_000):
        some, counts = zip(*rows, strict=True)
        replicas.extend(some)
        sizes.extend(counts)
    return replicas, sizes


def _parts(connection: Connection, tables: FromClause, replica: int, at_most: int) -> Iterator[ColumnElement[bool]]:
    """The files of one replica that has too many for a piece."""
    after, this = _BEFORE_ALL, _REPLICA.in_([replica])
    while True:
        next_ones = select(files.c.id).select_from(tables).where(this, files.c.id > after)
        ids = next_ones.order_by(files.c.id).limit(at_most).subquery()
        last = connection.execute(select(func.max(ids.c.id))).scalar_one()
        if last is None:
            return
        yield and_(this, files.c.id > after, files.c.id <= last)
        after = last
