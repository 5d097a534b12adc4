"""What the catalogue says of single files at an RSE, asked for by path."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
from sqlalchemy import Connection

from dynamo_consistency.backend import optional_features
from dynamo_consistency.backend.contract import Known
from dynamo_consistency.backend.rucio.catalogue import inventory, queries, rses
from dynamo_consistency.backend.rucio.catalogue.connection import Catalogue
from dynamo_consistency.backend.rucio.catalogue.inventory import TYPES, BatchBuilder
from dynamo_consistency.backend.rucio.catalogue.replica_records import is_one_of, spellings
from dynamo_consistency.backend.rucio.options import Options
from dynamo_consistency.backend.sql.reading import as_columns, chunks


def look_up(catalogue: Catalogue, options: Options, site: str, wanted: Sequence[bytes]) -> dict[bytes, Known]:
    """Those of `wanted` that the catalogue has at the RSE, as `inventory.stream` tells them.

    Where paths are computed, a path is looked up by every DID that may have it. Databases differ in what they take for
    equal; only the very path that was asked for counts.
    """
    found: dict[bytes, Known] = {}
    with catalogue.reading() as connection:
        rse = rses.find(connection, catalogue, site)
        builder = inventory.batch_builder(connection, catalogue, rse, options)
        for batch in _batches(connection, catalogue, rse, builder, sorted(set(wanted))):
            columns = (batch[name].to_pylist() for name in ("path", "size", "in_flight", "dataset", "time"))
            for path, *facts in zip(*columns, strict=True):
                entry = Known(*facts)
                found[path] = optional_features.merged(found[path], entry) if path in found else entry
    return {path: found[path] for path in wanted if path in found}


def _batches(
    connection: Connection, catalogue: Catalogue, rse: rses.Rse, builder: BatchBuilder, wanted: Sequence[bytes]
) -> Iterator[pa.RecordBatch]:
    tables = catalogue.tables
    by_path = queries.replicas(tables, rse)
    for texts in chunks(text for path in wanted for text in spellings(path)):
        if rows := connection.execute(by_path.where(tables.replicas.c.path.in_(texts))).all():
            yield builder.batch(as_columns(rows, TYPES))
    if builder.translation is None:
        return
    for dids in chunks(did for path in wanted for did in builder.translation.dids(path)):
        for query, table in (
            (queries.replicas(tables, rse), tables.replicas),
            (queries.requests(tables, rse), tables.requests),
        ):
            if rows := connection.execute(query.where(is_one_of(table.c.scope, table.c.name, set(dids)))).all():
                yield builder.batch(as_columns(rows, TYPES))
