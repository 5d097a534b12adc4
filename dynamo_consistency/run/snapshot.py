"""The snapshot stage: what the inventory says of the site at one time, and which datasets are to be left alone."""

import contextlib
import shutil
import time
from collections.abc import Iterator
from typing import Any, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dynamo_consistency import paths
from dynamo_consistency.backend import inventory_paths, optional_features
from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.columns import joined, total
from dynamo_consistency.errors import InvalidRunError
from dynamo_consistency.run.database import LARGEST
from dynamo_consistency.run.keys import KEY_COLUMNS, ROOT, Scope, keys_of_column
from dynamo_consistency.run.progress import StageProgress
from dynamo_consistency.run.records.complete_runs import SNAPSHOT
from dynamo_consistency.run.stage_clock import StageClock
from dynamo_consistency.run.store.run_directory import DATASETS, RunDirectory

SnapshotName = Literal["before", "after"]

_TOO_FEW = 1000
"""Rows that do not show what a column is like."""


def take_snapshot(
    run: RunDirectory, backend: Backend, name: SnapshotName, expected: int | None = None
) -> dict[str, Any]:
    """Write `inventory/<name>.parquet` and its `.json`; returns the latter.

    `expected`: about how many files there will be, where that is known.

    A snapshot that is there already is kept: a stage that is run again does not move in time. Raises BackendError when
    the inventory cannot be read to its end, InvalidRunError when it has nothing at the site, when the clock was set
    meanwhile, and when it is not the inventory of the first snapshot.

    The second one is a copy of the first where the backend proves that it would be the same.
    """
    pa.set_memory_pool(pa.system_memory_pool())  # it gives memory back, and touches less of it anew
    facts_file = f"inventory/{name}.json"
    if run.exists(facts_file):
        return dict(run.read_json(facts_file))
    clock, taken_at = StageClock(), int(time.time())
    version = optional_features.content_version(backend, run.site)
    if name == "after" and version is not None and (same := _copied(run, version)) is not None:
        facts = same | {"takenAt": taken_at}
        run.write_json(facts_file, facts)
        return facts
    description = optional_features.describe(backend)
    _refuse_another_inventory(run, name, description)
    progress = StageProgress(f"{run.site}: inventory{' again' if name == 'after' else ''}", "files", expected)
    with run.writing(f"inventory/{name}.parquet") as target, progress:
        batches = progress.counted(optional_features.stream(backend, run.site), lambda batch: batch.num_rows)
        counts = _write(str(target), batches, Scope(run.check().spec.listing))
        if counts["rows"] == 0:
            nowhere = f" but {counts['unplaced']} whose paths are not plain and absolute" if counts["unplaced"] else ""
            raise InvalidRunError(
                f"the inventory has no file at {run.site}{nowhere} ({description}); check the name of the site and the "
                "backend"
            )
    if why := clock.jump("the inventory was read"):
        raise InvalidRunError(why)
    facts = {"takenAt": taken_at, **counts, "description": description}
    if version is not None and version == optional_features.content_version(backend, run.site):
        facts["version"] = version
    run.write_json(facts_file, facts)
    return facts


def _refuse_another_inventory(run: RunDirectory, name: SnapshotName, description: str) -> None:
    if name == "before":
        return
    first = run.read_json(SNAPSHOT).get("description") if run.exists(SNAPSHOT) else description
    if first != description:
        raise InvalidRunError(
            f"the two snapshots are of two inventories: the first of {first}, the second of {description}; "
            "was backends.yaml changed? run it again"
        )


def _copied(run: RunDirectory, version: str) -> dict[str, Any] | None:
    """The first snapshot is made the second, too, if it is of this version; its facts, or None where it is not."""
    if not run.exists(SNAPSHOT):
        return None
    facts = dict(run.read_json(SNAPSHOT))
    if facts.get("version") != version:
        return None
    with run.reading("inventory/before.parquet") as first, run.writing("inventory/after.parquet") as second:
        try:
            second.hardlink_to(first)  # neither is ever changed
        except OSError:  # not every file system has links
            shutil.copyfile(first, second)
    return facts


def _write(target: str, batches: Iterator[pa.RecordBatch], scope: Scope) -> dict[str, Any]:
    """Write the batches as they come; returns rows and bytes, and the number of files whose path is not known.

    `lineEnds`: of these the names with line ends, which a listing in lines would show as other names; `anyLineEnds`: do
    any of the others have some?
    """
    rows = size = unplaced = 0
    any_line_ends = False
    line_ends: list[str] = []
    with contextlib.ExitStack() as stack:
        writer: _Writer | None = None
        for raw in batches:
            batch = raw
            if not inventory_paths.are_usual(raw["path"]):
                batch = inventory_paths.normalised(inventory_paths.placed(raw))
                any_line_ends = any_line_ends or b"\n" in joined(batch["path"])
            if writer is None:
                writer = stack.enter_context(_Writer(target, batch, scope))
            writer.write(batch)
            rows += batch.num_rows
            unplaced += raw.num_rows - batch.num_rows
            if raw.num_rows > batch.num_rows:
                line_ends += _with_line_ends(raw["path"])
            size += total(batch["size"])
    return {"rows": rows, "bytes": min(size, LARGEST), "unplaced": unplaced, "lineEnds": line_ends} | {
        "anyLineEnds": any_line_ends
    }


class _Writer:
    """Writes each row with its key and the number of its root. What takes no part has row groups of its own.

    Such rows are kept because of twins (rules.md, rule 12), and seldom read.
    """

    def __init__(self, target: str, first: pa.RecordBatch, scope: Scope) -> None:
        """`first`: the batch that will be written first."""
        self._scope, self._schema = scope, first.schema
        self._file = pq.ParquetWriter(
            target,
            pa.schema([*first.schema, *KEY_COLUMNS]),
            compression="zstd",
            use_dictionary=[*_repetitive(first), ROOT.name],
            write_statistics=[ROOT.name],  # the others are in no order, and nobody looks for a range of them
            write_batch_size=optional_features.BATCH_ROWS,  # a column at once, which takes a tenth less of the time
        )
        self._outside: list[pa.RecordBatch] = []
        self._rows_outside = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._write_outside()
        self._file.close()

    def write(self, batch: pa.RecordBatch) -> None:
        if batch.schema != self._schema:
            batch = batch.cast(self._schema)  # a text and a LABEL
        roots = self._scope.roots_of(batch["path"])
        if roots.null_count:
            outside = batch.filter(pc.is_null(roots))
            nulls = {field.name: pa.nulls(len(outside), field.type) for field in KEY_COLUMNS}
            self._outside.append(_with(outside, nulls))
            self._rows_outside += len(outside)
            batch, roots = batch.filter(pc.is_valid(roots)), roots.drop_null()
        if len(batch):
            self._file.write_batch(_with(batch, keys_of_column(batch["path"]) | {ROOT.name: roots}))
        if self._rows_outside >= optional_features.BATCH_ROWS:
            self._write_outside()

    def _write_outside(self) -> None:
        if self._outside:
            self._file.write_table(pa.Table.from_batches(self._outside))
        self._outside, self._rows_outside = [], 0


def _repetitive(batch: pa.RecordBatch) -> list[str]:
    """The columns that have few values: for others a dictionary is made in vain, and then thrown away."""
    limit = max(len(batch), _TOO_FEW) / 2
    return [
        name
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
        if name not in ("path", "size") and _has_few(column, limit)
    ]


def _has_few(column: pa.Array, limit: float) -> bool:
    if pa.types.is_dictionary(column.type):
        return True
    try:
        return bool(pc.count_distinct(column).as_py() <= limit)
    except pa.ArrowNotImplementedError:  # a backend's own column of lists, or of nothing but nulls
        return False


def _with(batch: pa.RecordBatch, columns: dict[str, pa.Array]) -> pa.RecordBatch:
    for name, column in columns.items():
        batch = batch.append_column(name, column)
    return batch


def _with_line_ends(column: pa.Array) -> list[str]:
    return [paths.to_text(path) for path in column.filter(pc.match_substring(column, b"\n")).to_pylist()]


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
