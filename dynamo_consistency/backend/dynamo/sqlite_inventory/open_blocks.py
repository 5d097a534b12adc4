"""Blocks of files whose lines leave the block open: a site has all files of such a block, or none.

With a part of a block at a site, the rest is on its way there for Dynamo: in flight, and so neither missing nor an
orphan. A list without blocks means no such thing.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, case, exists, func, insert, literal, or_, select, update

from dynamo_consistency.backend.dynamo.database.schema import block_replica_files, block_replicas, blocks, files
from dynamo_consistency.backend.sql.reading import chunks


def has_more_than(connection: Connection, block: int, file_ids: Collection[int]) -> bool:
    """Has the block files beside these, which are in it?"""
    query = select(func.count()).where(files.c.block_id == block)
    return connection.execute(query).scalar_one() > len(file_ids)


def move_files(connection: Connection, file_ids: Collection[int], block: int, into: int, site: int) -> None:
    """Put files of `block` into the new block `into`; sites other than `site` that have them get a replica of it."""
    for chunk in chunks(file_ids):
        connection.execute(update(files).where(files.c.id.in_(chunk)).values(block_id=into))
        moved = block_replica_files.c.file_id.in_(chunk)
        connection.execute(update(block_replica_files).where(moved).values(block_id=into))
    listed = exists().where(
        block_replica_files.c.block_id == into, block_replica_files.c.site_id == block_replicas.c.site_id
    )
    values = (
        block_replicas.c.site_id,
        block_replicas.c.group_id,
        block_replicas.c.is_complete,
        block_replicas.c.last_update,
    )
    elsewhere = select(literal(into), *values).where(
        block_replicas.c.block_id == block,
        block_replicas.c.site_id != site,
        or_(block_replicas.c.is_complete != 0, listed),
    )
    names = ["block_id", *(column.name for column in values)]
    connection.execute(insert(block_replicas).from_select(names, elsewhere))


def sum_up_blocks(connection: Connection, which: ColumnElement[bool]) -> None:
    """Write anew how many files these blocks have, and how many bytes."""
    of_block = select(func.count()).where(files.c.block_id == blocks.c.id).scalar_subquery()
    known_size = case((files.c.size > 0, files.c.size), else_=0)
    size = select(func.coalesce(func.sum(known_size), 0)).where(files.c.block_id == blocks.c.id).scalar_subquery()
    connection.execute(update(blocks).where(which).values(num_files=of_block, size=size))
