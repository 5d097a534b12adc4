"""What the engine asks of a backend beyond the eleven names, and what it does where a backend lacks it."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency import paths
from dynamo_consistency.backend.contract import (
    INVENTORY_COLUMNS,
    LABEL,
    LONG_AGO,
    Backend,
    BulkDatasetFilter,
    DatasetFilter,
    DescribedBackend,
    DirectoryRegistry,
    Known,
    ListedFile,
    ListingSourceBackend,
    LookingInventory,
    Outcome,
    SourcesRegistry,
    StreamingInventory,
    VersionedInventory,
)
from dynamo_consistency.backend.inventory_paths import identified, placed
from dynamo_consistency.check import Source
from dynamo_consistency.errors import BackendError, ConsistencyError
from dynamo_consistency.secrets import redact

BATCH_ROWS = 50_000
LARGEST = 2**63 - 1
"""The largest number that a column holds."""
LEAST_OF_ROWS = 0.98
"""Of an inventory that is read again as a whole, within hours or days."""
OF_FINDINGS = frozenset(("site_size", "mtime", "root", "mark", "type"))
"""Columns that findings have beside those of an inventory: a backend's own must be called otherwise."""
OF_SNAPSHOTS = frozenset(("key", "tail", "root"))
"""Columns that a snapshot has beside them."""


def stream(backend: Backend, site: str) -> Iterator[pa.RecordBatch]:
    """The inventory of a site in batches with `INVENTORY_COLUMNS`, then the backend's own.

    Raises BackendError when it breaks off, whatever the backend itself raises, and for batches of another form.
    """
    try:
        if isinstance(backend.inventory, StreamingInventory):
            yield from map(_in_form, backend.inventory.stream(site))
        else:
            yield from _batches(iter(backend.inventory.list_files(site)))
    except ConsistencyError:
        raise
    except Exception as error:
        reason = redact(f"{type(error).__name__}: {error}")
        raise BackendError(f"the inventory of {site} could not be read: {reason}") from error


def content_version(backend: Backend, site: str) -> str | None:
    """What proves that the inventory of a site is the same as before; None where nothing does."""
    inventory = backend.inventory
    hook = inventory.content_version if isinstance(inventory, VersionedInventory) else None
    version = hook(site) if callable(hook) else None
    return version if isinstance(version, str) else None


def listing_source(backend: Backend, site: str) -> Source | None:
    """What lists the site, in the words of a check's `listing.source`; None where only `get_listers` says it."""
    hook = backend.listing_source if isinstance(backend, ListingSourceBackend) else None
    return hook(site) if callable(hook) else None


def describe(backend: Backend) -> str:
    """One sentence on what the backend is."""
    hook = backend.describe if isinstance(backend, DescribedBackend) else None
    return str(hook()) if callable(hook) else f"backend {getattr(backend, '__name__', type(backend).__name__)}"


def sources(backend: Backend, site: str, files: Iterable[str]) -> tuple[list[str], list[str]] | None:
    """(files without a disk source, of those: also none on tape), read only; None if the backend cannot say."""
    registry = backend.registry
    hook = registry.sources if isinstance(registry, SourcesRegistry) else None
    return None if hook is None else hook(site, files)


def takes_directories(backend: Backend, site: str) -> bool:
    """May the registry be asked to delete a directory? One that does not say so may."""
    registry = backend.registry
    hook = registry.takes_directories if isinstance(registry, DirectoryRegistry) else None
    return hook is None or bool(hook(site))


def protected_among(dataset_filter: DatasetFilter, filenames: Sequence[str]) -> set[str]:
    """Those of the files (LFNs) that the filter protects; they are asked for together where it can answer so."""
    hook = dataset_filter.protected_among if isinstance(dataset_filter, BulkDatasetFilter) else None
    return hook(filenames) if hook else {name for name in filenames if dataset_filter.protected(name)}


def look_up(backend: Backend, site: str, files: Sequence[bytes], rows_before: int = 0) -> dict[bytes, Known]:
    """What the inventory says now of those of `files` that it knows. Raises BackendError when it cannot tell.

    Where all of it is read for that, it must have nearly as many entries as before (`rows_before`): a file that is not
    in a short answer may be known all the same.
    """
    if isinstance(backend.inventory, LookingInventory):
        return backend.inventory.look_up(site, files)
    wanted = pa.array(sorted(set(files)), pa.binary())
    found: dict[bytes, Known] = {}
    rows = 0
    for batch in map(identified, stream(backend, site)):
        rows += batch.num_rows
        part = batch.filter(pc.is_in(batch["path"], wanted)).select(["path", "size", "in_flight", "dataset", "time"])
        for path, *facts in zip(*(column.to_pylist() for column in part.columns), strict=True):
            entry = Known(*facts)
            found[path] = merged(found[path], entry) if path in found else entry
    if rows < LEAST_OF_ROWS * rows_before:
        raise BackendError(
            f"the inventory is not whole any more: {rows} of {rows_before} entries; nothing is known of what it lacks"
        )
    return found


def merged(one: Known, other: Known) -> Known:
    """Two entries of one file: it is in flight, and as young, as either; sizes that differ are unknown."""
    size = one.size if one.size == other.size else None
    times = [entry.time for entry in (one, other) if entry.time is not None]
    return Known(size, one.in_flight or other.in_flight, one.dataset or other.dataset, max(times, default=None))


def _in_form(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with the columns and types of the contract. Raises what pyarrow raises, and ValueError."""
    named = dict(zip(batch.schema.names, batch.columns, strict=True))
    if lacking := [name for name in INVENTORY_COLUMNS.names if name not in named]:
        raise ValueError(f"the stream lacks the column {', '.join(lacking)}")
    columns = [_of_type(named.pop(field.name), field.type) for field in INVENTORY_COLUMNS]
    for field, column in zip(INVENTORY_COLUMNS, columns, strict=True):
        if column.null_count and not field.nullable:
            raise ValueError(f"the column {field.name} has nulls")
    if ours := sorted((OF_FINDINGS | OF_SNAPSHOTS) & named.keys()):
        raise ValueError(f"the stream has a column {', '.join(ours)}, a name that a run gives to something else")
    ours_ = [field.with_type(column.type) for field, column in zip(INVENTORY_COLUMNS, columns, strict=True)]
    own = [pa.field(name, column.type) for name, column in named.items()]
    return pa.RecordBatch.from_arrays([*columns, *named.values()], schema=pa.schema([*ours_, *own]))


def _of_type(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """The column in this type; a text also as LABEL, if its dictionary is one that can be written as it is."""
    if column.type == LABEL and kind == LABEL.value_type and not column.dictionary.null_count:
        return column
    return _without_too_large(column).cast(kind)


def tuples(batches: Iterable[pa.RecordBatch]) -> Iterator[ListedFile]:
    """A stream as `list_files` gives it: -1 bytes where the size is unknown; a file in flight has changed just now.

    A file whose path is not known is not in it.
    """
    now = datetime.now(UTC)
    for batch in map(placed, batches):
        for path, size, time, in_flight in zip(*(column.to_pylist() for column in batch.columns[:4]), strict=True):
            changed = LONG_AGO if time is None else datetime.fromtimestamp(time, UTC)
            yield paths.to_text(path), -1 if size is None else size, now if in_flight else changed


def _batches(files: Iterator[ListedFile]) -> Iterator[pa.RecordBatch]:
    """Tuples as batches: nothing is in flight but by its age, and the dataset is only in the name."""
    while chunk := list(islice(files, BATCH_ROWS)):
        names, sizes, times = zip(*chunk, strict=True)
        columns = {
            "path": [paths.to_bytes(name) for name in names],
            "size": [_fitting(size) for size in sizes],
            "time": [_seconds(time) for time in times],
            "in_flight": [False] * len(chunk),
        }
        arrays = [pa.array(columns.get(field.name, [None] * len(chunk)), field.type) for field in INVENTORY_COLUMNS]
        yield pa.RecordBatch.from_arrays(arrays, schema=INVENTORY_COLUMNS)


def _fitting(size: int | None) -> int | None:
    """A size that is no number of 64 bits is unknown; another form is for pyarrow to refuse."""
    return None if isinstance(size, int) and abs(size) > LARGEST else size


def _without_too_large(column: pa.Array) -> pa.Array:
    """A column of sizes or times without those that need the 64th bit: they are unknown."""
    if column.type != pa.uint64():
        return column
    return pc.if_else(pc.less_equal(column, pa.scalar(LARGEST, pa.uint64())), column, None)


def _seconds(time: datetime | None) -> int | None:
    """Seconds since 1970; a time without a zone is UTC."""
    if time is None:
        return None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())


log = logging.getLogger(__name__)


def number_requested(outcomes: Sequence[Outcome]) -> int:
    """The number of files for which there is a request now; why there is none for the others is logged."""
    refused = {outcome.path: outcome.message for outcome in outcomes if outcome.outcome == "refused"}
    for path, message in refused.items():
        log.warning("not requested: %s: %s", paths.visible(path), message)
    return len({outcome.path for outcome in outcomes} - refused.keys())
