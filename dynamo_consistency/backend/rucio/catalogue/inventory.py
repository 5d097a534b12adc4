"""What Rucio's catalogue has at an RSE, as a stream: one query, one view of the catalogue, in no order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, func, select

from dynamo_consistency.backend.contract import INVENTORY_COLUMNS, LABEL
from dynamo_consistency.backend.dataset_filter import datasets_of
from dynamo_consistency.backend.file.inventory import InventoryDump
from dynamo_consistency.backend.file.options import InventorySource
from dynamo_consistency.backend.rucio.catalogue import queries, rses
from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue
from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Translation, path_of, paths_of
from dynamo_consistency.backend.rucio.catalogue.replica_states import are_expected
from dynamo_consistency.backend.rucio.options import DumpOptions, Options
from dynamo_consistency.backend.sql.columns import columns
from dynamo_consistency.errors import BackendError

BATCH_ROWS = 20_000

_OURS = INVENTORY_COLUMNS.set(INVENTORY_COLUMNS.get_field_index("dataset"), pa.field("dataset", LABEL))
COLUMNS = pa.schema([*_OURS, *(pa.field(name, pa.string()) for name in ("scope", "name", "checksum", "state"))])
"""The checksum is Adler-32; the state is Rucio's letter."""

_TIME = pa.timestamp("us")
TYPES = (*[pa.string()] * 3, pa.int64(), *[pa.string()] * 2, pa.int64(), _TIME, _TIME, pa.int64())
"""Of the columns that the queries have."""


@dataclass(frozen=True)
class BatchBuilder:
    """Makes batches of what the queries return. `now`: UTC without a zone."""

    translation: Translation | None
    quarantined: frozenset[bytes]
    cms_names: bool
    now: datetime

    def batch(self, columns_: Sequence[pa.Array]) -> pa.RecordBatch:
        scopes, names, stored, sizes, checksums, states, locks, tombstones, times, disturbed = columns_
        where = self._paths(scopes, names, stored)
        expected = are_expected(states, locks, tombstones, self.now)
        doubtful = pc.or_(pc.fill_null(pc.not_equal(disturbed, 0), True), pc.invert(expected))
        if self.quarantined:
            doubtful = pc.or_(doubtful, pc.is_in(where, pa.array(self.quarantined, pa.binary())))
        datasets = datasets_of(names) if self.cms_names else pa.nulls(len(names), LABEL)
        seconds = times.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
        nothing = pa.nulls(len(names), pa.string())
        known = [where, sizes, seconds, doubtful, datasets, nothing, nothing]
        return pa.RecordBatch.from_arrays([*known, scopes, names, checksums, states], schema=COLUMNS)

    def _paths(self, scopes: pa.Array, names: pa.Array, stored: pa.Array) -> pa.BinaryArray:
        """The stored path goes first; where there is none and none can be computed, nobody knows."""
        there = pc.fill_null(pc.not_equal(stored, ""), False)
        if self.translation and not pc.any(there).as_py():
            return self.translation.paths(scopes, names)
        known = paths_of(pc.if_else(there, stored, None))
        lacking = pc.invert(there)
        if self.translation is None or not pc.any(lacking).as_py():
            return known
        computed = self.translation.paths(scopes.filter(lacking), names.filter(lacking))
        return pc.replace_with_mask(known, lacking, computed)


def batch_builder(connection: Connection, catalogue: Catalogue, rse: rses.Rse, options: Options) -> BatchBuilder:
    """What makes batches of the replicas of `rse`, as the catalogue is now.

    Raises ConfigurationError where paths are computed in a way that is not known here.
    """
    waiting = connection.execute(queries.quarantined(catalogue.tables, rse)).scalars()
    return BatchBuilder(
        translation=rses.translation(rse, options) if rse.deterministic else None,
        quarantined=frozenset(path_of(path) for path in waiting),
        cms_names=options.dataset_names == "cms",
        now=datetime.now(UTC).replace(tzinfo=None),
    )


def stream(catalogue: Catalogue, options: Options, site: str) -> Iterator[pa.RecordBatch]:
    """Batches with COLUMNS, through a cursor that stays at the server: memory does not grow with the rows.

    Raises BackendError for an unknown RSE, and when the read breaks off or ends short of the server's own count.
    """
    with catalogue.reading() as connection:
        rse = rses.find(connection, catalogue, site)
        to_batch = batch_builder(connection, catalogue, rse, options).batch
        table = catalogue.tables.replicas
        expected = connection.execute(
            select(func.count()).select_from(table).where(table.c.rse_id == rse.id)
        ).scalar_one()
        found = 0
        for parts in columns(connection, queries.replicas(catalogue.tables, rse), TYPES, BATCH_ROWS):
            found += len(parts[0])
            yield to_batch(parts)
        if found != expected:
            raise BackendError(
                f"the catalogue {catalogue.place} gave {found} of {expected} replicas of {site}; run again"
            )
        for parts in columns(connection, queries.requests(catalogue.tables, rse), TYPES, BATCH_ROWS):
            yield to_batch(parts)


def stream_dump(options: DumpOptions, site: str) -> Iterator[pa.RecordBatch]:
    """The files of all parts of the dump; in flight is what is not available.

    Raises BackendError for a part that is too old, cut short or unreadable, and when none has a file of the RSE.
    """
    rows = 0
    for url in options.urls:
        source = InventorySource(url=url, format="rucio", rse=site, max_age_seconds=options.max_age_seconds)
        for batch in InventoryDump(source, site, is_part=True).batches():
            rows += batch.num_rows
            yield batch
    if not rows:
        raise BackendError(f"the replica dump of {site} has no file of it; correct `dumps` of the backend's entry")
