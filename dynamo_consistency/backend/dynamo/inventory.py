"""What Dynamo believes to be at a site, as a stream.

A file is at a site through its block's replica there: complete (`is_complete`), or with the files that are in
`block_replica_files`. One query gives every file of every block that has a replica at the site, in no order. What is
not certainly meant to be there now is in flight, so that it is neither missing nor an orphan.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    type_coerce,
)

from dynamo_consistency.backend import optional_features
from dynamo_consistency.backend.contract import INVENTORY_COLUMNS, ListedFile
from dynamo_consistency.backend.dynamo.database.connection import Databases, reading
from dynamo_consistency.backend.dynamo.database.names import label
from dynamo_consistency.backend.dynamo.database.schema import (
    block_replica_files,
    block_replicas,
    blocks,
    datasets,
    file_subscriptions,
    files,
    groups,
)
from dynamo_consistency.backend.dynamo.database.schema_version import Generation
from dynamo_consistency.backend.dynamo.sites import site_id
from dynamo_consistency.backend.sql import errors
from dynamo_consistency.backend.sql.reading import partitions
from dynamo_consistency.errors import BackendError

BATCH_ROWS = 20_000


def stream(databases: Databases, generation: Generation, site: str) -> Iterator[pa.RecordBatch]:
    """Batches with INVENTORY_COLUMNS, from one server-side cursor: memory does not grow with the rows.

    Raises BackendError for an unknown site, and when the read breaks off or ends short of the server's own count.
    """
    with reading(databases.inventory) as connection:
        number = site_id(connection, site)
        expected = _count(connection, number) if generation.transactional else None
        rows = 0
        for batch in partitions(connection, contents(number, in_flight(generation)), BATCH_ROWS):
            rows += len(batch)
            yield _batch(batch)
    if expected is not None and rows != expected:
        raise BackendError(
            f"the database {errors.place(databases.inventory)} gave {rows} of {expected} files of {site}; run again"
        )


def list_files(databases: Databases, generation: Generation, site: str) -> list[ListedFile]:
    """(LFN, bytes, time of the last change) of every file; -1 bytes: unknown. A file in flight has changed just now."""
    return list(optional_features.tuples(stream(databases, generation, site)))


def claimed(generation: Generation) -> ColumnElement[bool]:
    """Does the block replica in the query claim the file in the query? NULL never comes out."""
    complete = block_replicas.c.is_complete != 0
    if not generation.per_file_replicas:
        return complete
    listed = exists().where(
        block_replica_files.c.file_id == files.c.id, block_replica_files.c.site_id == block_replicas.c.site_id
    )
    return or_(complete, listed)


def in_flight(generation: Generation) -> ColumnElement[bool]:
    """Not owned, not claimed, or with a subscription.

    A subscription counts until Dynamo has applied it to the inventory and dropped its row: while a deletion is `done`
    and not applied, the file is gone and the replica still claims it.
    """
    doubts = [block_replicas.c.group_id == 0, not_(claimed(generation))]
    if generation.per_file_replicas:
        subscribed = exists().where(
            file_subscriptions.c.file_id == files.c.id,
            file_subscriptions.c.site_id == block_replicas.c.site_id,
            file_subscriptions.c.status != "cancelled",
        )
        doubts.append(subscribed)
    return or_(*doubts)


def _at_site(number: int) -> tuple[FromClause, ColumnElement[bool]]:
    return block_replicas.join(files, files.c.block_id == block_replicas.c.block_id), (
        block_replicas.c.site_id == literal(number)
    )


def contents(number: int, flag: ColumnElement[bool]) -> Select[Any]:
    """The one query: name, size, time, `flag`, dataset, block and group of every file of every block at the site.

    Outer joins: a file whose block or dataset row is lacking is at the site all the same.
    """
    tables, condition = _at_site(number)
    tables = (
        tables.outerjoin(blocks, blocks.c.id == files.c.block_id)
        .outerjoin(datasets, datasets.c.id == blocks.c.dataset_id)
        .outerjoin(groups, groups.c.id == block_replicas.c.group_id)
    )
    columns = (files.c.name, files.c.size, block_replicas.c.last_update, type_coerce(flag, Integer))
    return select(*columns, datasets.c.name, blocks.c.name, groups.c.name).select_from(tables).where(condition)


def _count(connection: Connection, number: int) -> int:
    tables, condition = _at_site(number)
    return connection.execute(select(func.count()).select_from(tables).where(condition)).scalar_one()


def _batch(rows: Sequence[Sequence[Any]]) -> pa.RecordBatch:
    names, sizes, times, in_flight, dataset, block, group = zip(*rows, strict=True)
    columns = [names, sizes, times, in_flight, _labels(dataset), _labels(block), group]
    types = [pa.int8() if field.type == pa.bool_() else field.type for field in INVENTORY_COLUMNS]
    arrays = [pa.array(values, kind) for values, kind in zip(columns, types, strict=True)]
    return pa.RecordBatch.from_arrays(
        [array.cast(field.type) for array, field in zip(arrays, INVENTORY_COLUMNS, strict=True)],
        schema=INVENTORY_COLUMNS,
    )


def _labels(column: Sequence[bytes | None]) -> list[str | None]:
    texts = {raw: label(raw) for raw in set(column)}
    return [texts[raw] for raw in column]
