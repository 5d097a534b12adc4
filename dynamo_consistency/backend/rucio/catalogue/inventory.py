"""What Rucio's catalogue has at an RSE, as a stream: one query, one view of the catalogue, in no order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, func, select

from dynamo_consistency.backend.contract import INVENTORY_COLUMNS
from dynamo_consistency.backend.dataset_filter import dataset_of
from dynamo_consistency.backend.file.inventory import InventoryDump
from dynamo_consistency.backend.file.options import InventorySource
from dynamo_consistency.backend.rucio.catalogue import queries, rses
from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue
from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Translation, path_of
from dynamo_consistency.backend.rucio.catalogue.replica_states import is_expected
from dynamo_consistency.backend.rucio.options import DumpOptions, Options
from dynamo_consistency.backend.sql.reading import partitions
from dynamo_consistency.errors import BackendError

BATCH_ROWS = 20_000

COLUMNS = pa.schema(
    [*INVENTORY_COLUMNS, *(pa.field(name, pa.string()) for name in ("scope", "name", "checksum", "state"))]
)
"""The checksum is Adler-32; the state is Rucio's letter."""


@dataclass(frozen=True)
class BatchBuilder:
    """Makes batches of what the queries return. `now`: UTC without a zone."""

    translation: Translation | None
    quarantined: frozenset[bytes]
    cms_names: bool
    now: datetime

    def batch(self, rows: Sequence[Any]) -> pa.RecordBatch:
        scopes, names, stored, sizes, checksums, states, locks, tombstones, times, disturbed = zip(*rows, strict=True)
        where = [self._path(*did) for did in zip(scopes, names, stored, strict=True)]
        doubts = zip(states, locks, tombstones, disturbed, where, strict=True)
        columns = [
            where,
            sizes,
            pa.array(times, pa.timestamp("us")).cast(pa.timestamp("s"), safe=False).cast(pa.int64()),
            [self._is_in_flight(*doubt) for doubt in doubts],
            [dataset_of(name) for name in names] if self.cms_names else [None] * len(rows),
            *[[None] * len(rows)] * 2,
            *(scopes, names, checksums, states),
        ]
        return pa.RecordBatch.from_arrays(
            [pa.array(column, field.type) for column, field in zip(columns, COLUMNS, strict=True)], schema=COLUMNS
        )

    def _path(self, scope: str, name: str, stored: str | None) -> bytes | None:
        """The stored path goes first; where there is none and none can be computed, nobody knows."""
        if stored:
            return path_of(stored)
        return self.translation.path(scope, name) if self.translation else None

    def _is_in_flight(
        self, state: str, locks: int, tombstone: datetime | None, disturbed: int, path: bytes | None
    ) -> bool:
        return bool(disturbed) or path in self.quarantined or not is_expected(state, locks, tombstone, self.now)


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
        for rows in partitions(connection, queries.replicas(catalogue.tables, rse), BATCH_ROWS):
            found += len(rows)
            yield to_batch(rows)
        if found != expected:
            raise BackendError(
                f"the catalogue {catalogue.place} gave {found} of {expected} replicas of {site}; run again"
            )
        for rows in partitions(connection, queries.requests(catalogue.tables, rse), BATCH_ROWS):
            yield to_batch(rows)


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
