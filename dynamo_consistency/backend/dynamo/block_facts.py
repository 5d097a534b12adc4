"""What all files of a block have in common at a site, read once and put beside each file."""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Select, select

from dynamo_consistency.backend.contract import LABEL
from dynamo_consistency.backend.dynamo.database.names import label
from dynamo_consistency.backend.dynamo.database.schema import block_replicas, blocks, datasets, groups
from dynamo_consistency.backend.sql.reading import partitions
from dynamo_consistency.columns import labels

AT_ONCE = 20_000


class BlockFacts:
    """Time of the last change, dataset, block and group of every block that has a replica at a site.

    About a hundred bytes a block are kept.
    """

    def __init__(self, numbers: pa.Int64Array, facts: pa.Table) -> None:
        """`numbers` of the blocks, ascending, and their `facts`; the last row, without a number, is of nulls."""
        self._numbers = memoryview(numbers.buffers()[1]).cast("q")[: len(numbers)] if len(numbers) else ()
        self._facts = facts

    def of(self, numbers: pa.Int64Array) -> tuple[pa.BooleanArray, list[pa.Array]]:
        """(Is it known here?, [time, dataset, block, group]) for each of the blocks, which may come in any order."""
        each = numbers.dictionary_encode()
        places = array("q", map(self._place, each.dictionary.to_pylist()))
        where = pa.array(places, pa.int64()).take(each.indices)
        known = pc.less(where, len(self._numbers))
        times, *others = self._facts.take(pa.array(places, pa.int64())).combine_chunks().columns
        spread = [labels(_plain(column), each.indices) for column in others]
        return known, [_plain(times).take(each.indices), *spread]

    def _place(self, number: int) -> int:
        place = bisect_left(self._numbers, number)
        return place if place < len(self._numbers) and self._numbers[place] == number else len(self._numbers)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    values = column.combine_chunks()
    values = values.chunk(0) if isinstance(values, pa.ChunkedArray) else values
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def read(connection: Connection, site: int) -> BlockFacts:
    """Of all blocks with a replica at the site of this number."""
    numbers, parts = array("q"), [_batch([None], [None], [None], [None])]
    for rows in partitions(connection, _query(site), AT_ONCE):
        number, *facts = zip(*rows, strict=True)
        numbers.extend(number)
        parts.insert(-1, _batch(*facts))
    return BlockFacts(pa.array(numbers, pa.int64()), pa.Table.from_batches(parts).unify_dictionaries().combine_chunks())


def _query(site: int) -> Select[Any]:
    """Outer joins: a file whose block or dataset row is lacking is at the site all the same."""
    tables = (
        block_replicas.outerjoin(blocks, blocks.c.id == block_replicas.c.block_id)
        .outerjoin(datasets, datasets.c.id == blocks.c.dataset_id)
        .outerjoin(groups, groups.c.id == block_replicas.c.group_id)
    )
    columns = (block_replicas.c.block_id, block_replicas.c.last_update, datasets.c.name, blocks.c.name, groups.c.name)
    query = select(*columns).select_from(tables).where(block_replicas.c.site_id == site)
    return query.order_by(block_replicas.c.block_id)


def _batch(
    times: Sequence[int | None],
    dataset: Sequence[bytes | None],
    block: Sequence[bytes | None],
    group: Sequence[str | None],
) -> pa.RecordBatch:
    texts = {raw: label(raw) for raw in set(dataset)}
    columns = [
        pa.array(times, pa.int64()),
        pa.array([texts[raw] for raw in dataset], pa.string()).dictionary_encode().cast(LABEL),
        pa.array(map(label, block), pa.string()),
        pa.array(group, pa.string()).dictionary_encode().cast(LABEL),
    ]
    return pa.RecordBatch.from_arrays(columns, ["time", "dataset", "block", "group"])
