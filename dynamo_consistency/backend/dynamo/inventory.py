"""What Dynamo believes to be at a site, as a stream.

A file is at a site through its block's replica there: complete (`is_complete`), or with the files that are in
`block_replica_files`. What a block's files have in common is read once; then one query gives every file of every block
that has a replica at the site, in no order, and alone decides what is in flight: all that is not certainly meant to be
there now, so that it is neither missing nor an orphan.
"""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    case,
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
from dynamo_consistency.backend.dynamo import block_facts
from dynamo_consistency.backend.dynamo.block_facts import BlockFacts
from dynamo_consistency.backend.dynamo.database.connection import Databases, reading
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
from dynamo_consistency.backend.dynamo.pieces import pieces
from dynamo_consistency.backend.dynamo.sites import site_id
from dynamo_consistency.backend.sql import errors
from dynamo_consistency.backend.sql.columns import columns
from dynamo_consistency.errors import BackendError

BATCH_ROWS = 20_000

_TYPES = (pa.binary(), pa.int64(), pa.int64(), pa.int64())


def stream(databases: Databases, generation: Generation, site: str) -> Iterator[pa.RecordBatch]:
    """Batches with INVENTORY_COLUMNS, in one view; memory grows with the blocks, not with the files.

    Raises BackendError for an unknown site, and when the read breaks off or ends short of the server's own count.
    """
    with reading(databases.inventory) as connection:
        number = site_id(connection, site)
        expected = _count(connection, number) if generation.transactional else None
        facts = block_facts.read(connection, number)
        rows = 0
        at_site = pieces(connection, *_at_site(number), BATCH_ROWS)  # not looked for unless they are asked for
        for parts in columns(connection, _files(number, generation), _TYPES, BATCH_ROWS, at_site):
            rows += len(parts[0])
            yield _batch(facts, *parts)
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
    return _doubtful(
        generation,
        exists().where(
            file_subscriptions.c.file_id == files.c.id, file_subscriptions.c.site_id == block_replicas.c.site_id, _OPEN
        ),
    )


_OPEN = file_subscriptions.c.status != "cancelled"


def _doubtful(generation: Generation, subscribed: ColumnElement[bool]) -> ColumnElement[bool]:
    doubts = [block_replicas.c.group_id == 0, not_(claimed(generation))]
    return or_(*doubts, *([subscribed] if generation.per_file_replicas else []))


def _at_site(number: int) -> tuple[FromClause, ColumnElement[bool]]:
    return block_replicas.join(files, files.c.block_id == block_replicas.c.block_id), (
        block_replicas.c.site_id == literal(number)
    )


def contents(number: int, flag: ColumnElement[bool]) -> Select[Any]:
    """Name, size, time, `flag`, dataset, block and group of every file of every block at the site.

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


def _files(number: int, generation: Generation) -> Select[Any]:
    """Name, size, block and whether it is in flight, of every file of every block at the site.

    Narrow, as it is read for every file. The subscriptions are made a list once where they are few.
    """
    tables, condition = _at_site(number)
    subscribed = select(file_subscriptions.c.file_id).where(file_subscriptions.c.site_id == literal(number), _OPEN)
    # A condition is left as soon as it is known, where a value is computed to its end.
    flag = case((not_(_doubtful(generation, files.c.id.in_(subscribed))), 0), else_=1)
    columns_ = (files.c.name, func.coalesce(files.c.size, -1), block_replicas.c.block_id, flag)
    return select(*columns_).select_from(tables).where(condition)


def _count(connection: Connection, number: int) -> int:
    tables, condition = _at_site(number)
    return connection.execute(select(func.count()).select_from(tables).where(condition)).scalar_one()


def _batch(facts: BlockFacts, names: pa.Array, sizes: pa.Array, blocks_: pa.Array, flags: pa.Array) -> pa.RecordBatch:
    """A replica of which nothing was known a moment before is in flight."""
    known, (times, *labels) = facts.of(blocks_)
    doubtful = pc.or_(pc.not_equal(flags, 0), pc.invert(known))
    return pa.RecordBatch.from_arrays([names, sizes, times, doubtful, *labels], INVENTORY_COLUMNS.names)
