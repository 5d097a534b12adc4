"""The snapshot stage: what the inventory says of the site at one time, and which datasets are to be left alone."""

import time
from collections.abc import Iterator
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dynamo_consistency import paths
from dynamo_consistency.backend import optional_features
from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.errors import InvalidRunError
from dynamo_consistency.run.database import LARGEST
from dynamo_consistency.run.progress import StageProgress
from dynamo_consistency.run.store.run_directory import RunDirectory

DATASETS = "inventory/datasets.json"
SnapshotName = Literal["before", "after"]
_SUMMED_SAFELY = 2**40  # bytes of one file, of which a batch has fewer than 2**23


def take_snapshot(
    run: RunDirectory, backend: Backend, name: SnapshotName, expected: int | None = None
) -> dict[str, Any]:
    """Write `inventory/<name>.parquet` and its `.json`; returns the latter.

    `expected`: about how many files there will be, where that is known.

    A snapshot that is there already is kept: a stage that is run again does not move in time. Raises BackendError when
    the inventory cannot be read to its end, InvalidRunError when it has nothing at the site.
    """
    facts_file = f"inventory/{name}.json"
    if run.exists(facts_file):
        return dict(run.read_json(facts_file))
    taken_at = int(time.time())
    description = optional_features.describe(backend)
    progress = StageProgress(f"{run.site}: inventory{' again' if name == 'after' else ''}", "files", expected)
    with run.writing(f"inventory/{name}.parquet") as target, progress:
        batches = progress.counted(optional_features.stream(backend, run.site), lambda batch: batch.num_rows)
        counts = _write(str(target), batches)
        if counts["rows"] == 0:
            raise InvalidRunError(
                f"the inventory has no file at {run.site} ({description}); check the name of the site and the backend"
            )
    facts = {"takenAt": taken_at, **counts, "description": description}
    run.write_json(facts_file, facts)
    return facts


def _write(target: str, batches: Iterator[pa.RecordBatch]) -> dict[str, Any]:
    """Write the batches as they come; returns rows and bytes, and the number of files whose path is not known.

    `lineEnds`: of these the names with line ends, which a listing in lines would show as other names.
    """
    rows = size = unplaced = 0
    line_ends: list[str] = []
    writer: pq.ParquetWriter | None = None
    try:
        for raw in batches:
            batch = optional_features.normalised(optional_features.placed(raw))
            if writer is None:
                writer = pq.ParquetWriter(target, batch.schema, compression="zstd")
            writer.write_batch(batch)
            rows += batch.num_rows
            unplaced += raw.num_rows - batch.num_rows
            if raw.num_rows > batch.num_rows:
                line_ends += _with_line_ends(raw["path"])
            size += _bytes(batch["size"])
    finally:
        if writer is not None:
            writer.close()
    return {"rows": rows, "bytes": min(size, LARGEST), "unplaced": unplaced, "lineEnds": line_ends}


def _with_line_ends(column: pa.Array) -> list[str]:
    return [paths.to_text(path) for path in column.filter(pc.match_substring(column, b"\n")).to_pylist()]


def _bytes(sizes: pa.Array) -> int:
    """Their sum; unknown ones count nothing. Arrow's own sum goes round where it is too large."""
    known = pc.max_element_wise(sizes, 0)
    if (pc.max(known).as_py() or 0) < _SUMMED_SAFELY:
        return pc.sum(known).as_py() or 0
    return sum(known.to_pylist())


def ask_datasets(run: RunDirectory, backend: Backend) -> None:
    """Write down, after the listing, which datasets protect their files: what was pending before may be over now."""
    if run.exists(DATASETS):
        return
    run.write_json(
        DATASETS,
        {
            "protected": sorted(backend.inventory.protected_datasets(run.site)),
            "deletionRequests": sorted(backend.deletion_requests(run.site)),
        },
    )
