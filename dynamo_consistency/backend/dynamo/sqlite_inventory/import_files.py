"""Loading a list of files into an inventory of our own, to try things out without a Dynamo.

A real inventory is never written to: Dynamo holds it in memory and would not see the change.
"""

import re
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, insert, literal, select, update

from dynamo_consistency.backend.dynamo.database import schema
from dynamo_consistency.backend.dynamo.database.connection import Databases, reading, writing
from dynamo_consistency.backend.dynamo.database.schema import (
    block_replica_files,
    block_replicas,
    blocks,
    dataset_replicas,
    datasets,
    file_subscriptions,
    files,
    groups,
    sites,
)
from dynamo_consistency.backend.dynamo.sites import site_id
from dynamo_consistency.backend.dynamo.sqlite_inventory.filelist import DEFAULT, ListLine, default_dataset, read_list
from dynamo_consistency.backend.dynamo.sqlite_inventory.numbers import Numbers, insert_rows
from dynamo_consistency.backend.dynamo.sqlite_inventory.open_blocks import has_more_than, move_files, sum_up_blocks
from dynamo_consistency.backend.sql import errors
from dynamo_consistency.backend.sql.reading import chunks
from dynamo_consistency.errors import BackendError, ConfigurationError

LONG_AGO = 0


def import_files(databases: Databases, site: str, path: str | Path, *, even_none: bool = False) -> int:
    """Make the list at `path` what the inventory says of `site`; returns the number of files.

    All or nothing. A file has one block and one size for all sites. A list without a file is refused, because all files
    of the site would look like orphans afterwards, unless `even_none`. Raises ConfigurationError for a line that is
    wrong and for a database that `inventory init` did not make, ListingError for a list that is not whole, and
    BackendError.
    """
    with reading(databases.inventory):  # an SQLite file that is not there is not made by looking
        ours = schema.is_ours(databases.inventory)
    if not ours:
        raise ConfigurationError(
            f"the database {errors.place(databases.inventory)} was not made by `dynamo-consistency inventory init`, "
            "and no other is written to; make one, such as sqlite:////tmp/inventory.sqlite"
        )
    if not re.fullmatch(r"[\x21-\x7e]{1,32}", site):
        raise ConfigurationError(f"the site {site!r} must be named with at most 32 ASCII characters, without a space")
    with writing(databases.inventory) as connection:
        loader = _Loader(connection, _cleared_site(connection, site))
        number = 0
        for lines in chunks(read_list(path)):
            loader.add(lines)
            number += len(lines)
        if not number and not even_none:
            raise BackendError(
                f"the list {path} has no file, and all files at {site} would be orphans; nothing was imported "
                "(--force empties the inventory of the site all the same)"
            )
        loader.finish()
    return number


def _cleared_site(connection: Connection, site: str) -> int:
    """The id of the site, which has no files now; files that no site has are forgotten."""
    if site not in connection.execute(select(sites.c.name)).scalars().all():
        connection.execute(insert(sites).values(name=site, storage_type="disk", status="ready"))
    number = site_id(connection, site)
    for table in (block_replica_files, block_replicas, dataset_replicas):
        connection.execute(delete(table).where(table.c.site_id == number))
    connection.execute(delete(files).where(files.c.block_id.not_in(select(block_replicas.c.block_id))))
    connection.execute(delete(blocks).where(blocks.c.id.not_in(select(block_replicas.c.block_id))))
    connection.execute(delete(file_subscriptions).where(file_subscriptions.c.file_id.not_in(select(files.c.id))))
    return number


class _Known(NamedTuple):
    """A file that is in the inventory already."""

    id: int
    block_id: int
    size: int


class _Replica(NamedTuple):
    group_id: int
    time: int


class _Loader:
    """Adds the lines of one site, a chunk at a time."""

    def __init__(self, connection: Connection, site: int) -> None:
        self._connection = connection
        self._site_id = site
        self._groups = Numbers(connection, groups, [groups.c.name])
        self._datasets = Numbers(connection, datasets, [datasets.c.name])
        self._blocks = Numbers(connection, blocks, [blocks.c.dataset_id, blocks.c.name])
        self._old_blocks = frozenset(self._blocks.ids.values())
        self._first_file = (connection.execute(select(func.max(files.c.id))).scalar() or 0) + 1
        self._next_file = self._first_file
        self._seen: set[int] = set()
        self._replicas: dict[int, _Replica] = {}
        self._new_blocks: dict[int, int] = {}
        self._left_open: dict[int, list[int]] = {}
        self._named: set[int] = set()

    def add(self, lines: list[ListLine]) -> None:
        known = self._look_up(lines)
        new: list[dict[str, Any]] = []
        here: list[dict[str, Any]] = []
        for line in lines:
            block_id, file_id = self._place(line, known, new)
            self._replica(line, block_id)
            if line.file.block is None:
                self._left_open.setdefault(block_id, []).append(file_id)
            else:
                self._named.add(block_id)
            if line.file.complete:
                here.append({"block_id": block_id, "site_id": self._site_id, "file_id": file_id})
        for numbers in (self._groups, self._datasets, self._blocks):
            numbers.insert(self._connection)
        self._split_replicas({row["block_id"] for row in new} & self._old_blocks)
        insert_rows(self._connection, files, new)
        insert_rows(self._connection, block_replica_files, here)

    def _look_up(self, lines: list[ListLine]) -> dict[bytes, _Known]:
        query = select(files.c.name, files.c.id, files.c.block_id, files.c.size).where(
            files.c.name.in_([line.file.name for line in lines])
        )
        return {name: _Known(*row) for name, *row in self._connection.execute(query)}

    def _place(self, line: ListLine, known: dict[bytes, _Known], new: list[dict[str, Any]]) -> tuple[int, int]:
        """(block id, file id) of a line; a file that is new is added to `known` and `new`."""
        file = line.file
        there = known.get(file.name)
        if there is None:
            block_id = self._block(line)
            there = known[file.name] = _Known(self._next_file, block_id, file.size)
            new.append({"id": there.id, "block_id": block_id, "size": file.size, "name": file.name})
            self._next_file += 1
            return block_id, there.id
        if there.id >= self._first_file or there.id in self._seen:
            raise ConfigurationError(f"{line.where}: the file is in the list twice")
        self._seen.add(there.id)
        if there.size != file.size:
            raise ConfigurationError(f"{line.where}: the file has {there.size} bytes at another site; sizes must agree")
        if file.block is not None and self._block(line) != there.block_id:
            raise ConfigurationError(f"{line.where}: the file is in another dataset or block at another site")
        return there.block_id, there.id

    def _block(self, line: ListLine) -> int:
        name = line.file.dataset or default_dataset(line.file.name)
        dataset_id = self._datasets.number(name, name=name, status="VALID", last_update=LONG_AGO, is_open=0)
        if line.file.block is not None:
            return self._named_block(dataset_id, line.file.block)
        if dataset_id not in self._new_blocks:
            self._new_blocks[dataset_id] = self._unused_block(dataset_id)
        return self._new_blocks[dataset_id]

    def _named_block(self, dataset_id: int, name: bytes) -> int:
        values = {"dataset_id": dataset_id, "name": name, "last_update": LONG_AGO, "is_open": 0}
        return self._blocks.number(dataset_id, name, **values)

    def _unused_block(self, dataset_id: int) -> int:
        names = ((f"{DEFAULT}-{number}" if number > 1 else DEFAULT).encode() for number in count(1))
        return self._named_block(dataset_id, next(name for name in names if (dataset_id, name) not in self._blocks.ids))

    def _replica(self, line: ListLine, block_id: int) -> None:
        """A block has one group and one time at a site: the latest of its files'."""
        group = line.file.group
        group_id = 0 if group is None else self._groups.number(group, name=group)
        before = self._replicas.get(block_id, _Replica(group_id, line.file.time))
        if before.group_id != group_id:
            raise ConfigurationError(f"{line.where}: the other files of the block have another group; a block has one")
        self._replicas[block_id] = _Replica(group_id, max(before.time, line.file.time))

    def _split_replicas(self, block_ids: Iterable[int]) -> None:
        """Complete replicas elsewhere, of blocks that get new files: from now on they list the files that they have."""
        for chunk in chunks(block_ids):
            complete = block_replicas.c.block_id.in_(chunk) & (block_replicas.c.is_complete != 0)
            claims = (
                select(files.c.block_id, block_replicas.c.site_id, files.c.id)
                .join(block_replicas, block_replicas.c.block_id == files.c.block_id)
                .where(complete)
            )
            self._connection.execute(
                insert(block_replica_files).from_select(["block_id", "site_id", "file_id"], claims)
            )
            self._connection.execute(update(block_replicas).where(complete).values(is_complete=0))

    def _split_blocks(self) -> None:
        """Of blocks that nobody has named, a part that is here becomes a block of its own."""
        datasets_ = {block_id: dataset_id for (dataset_id, _), block_id in self._blocks.ids.items()}
        for block_id, file_ids in self._left_open.items():
            if block_id in self._named or not has_more_than(self._connection, block_id, file_ids):
                continue
            part = self._unused_block(datasets_[block_id])
            self._blocks.insert(self._connection)
            move_files(self._connection, file_ids, block_id, part, self._site_id)
            self._replicas[part] = self._replicas.pop(block_id)
            sum_up_blocks(self._connection, blocks.c.id == block_id)

    def finish(self) -> None:
        """Insert the replicas; those that have all files of their block are complete and need no list."""
        self._split_blocks()
        here = {"site_id": self._site_id, "is_complete": 0}
        rows = [
            {"block_id": block_id, "group_id": replica.group_id, "last_update": replica.time, **here}
            for block_id, replica in self._replicas.items()
        ]
        insert_rows(self._connection, block_replicas, rows)
        _mark_complete(self._connection, self._site_id)
        _sum_up(self._connection, self._site_id)


def _mark_complete(connection: Connection, site: int) -> None:
    here = block_replicas.c.site_id == site
    in_block = select(func.count()).select_from(files).where(files.c.block_id == block_replicas.c.block_id)
    listed = (
        select(func.count())
        .select_from(block_replica_files)
        .where(block_replica_files.c.block_id == block_replicas.c.block_id, block_replica_files.c.site_id == site)
    )
    complete = in_block.scalar_subquery() == listed.scalar_subquery()
    connection.execute(update(block_replicas).where(here, complete).values(is_complete=1))
    completed = select(block_replicas.c.block_id).where(here, block_replicas.c.is_complete == 1)
    connection.execute(
        delete(block_replica_files).where(
            block_replica_files.c.site_id == site, block_replica_files.c.block_id.in_(completed)
        )
    )


def _sum_up(connection: Connection, site: int) -> None:
    """What Dynamo keeps beside the files: counts and sizes of the blocks, and the dataset replicas."""
    at_site = select(block_replicas.c.block_id).where(block_replicas.c.site_id == site)
    sum_up_blocks(connection, blocks.c.id.in_(at_site))
    replicas = select(blocks.c.dataset_id, literal(site), literal(0)).distinct().where(blocks.c.id.in_(at_site))
    connection.execute(insert(dataset_replicas).from_select(["dataset_id", "site_id", "growing"], replicas))
