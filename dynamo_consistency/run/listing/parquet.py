"""The file that a listed shard leaves in the run directory: rows as they come, written in small groups."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from dynamo_consistency import paths
from dynamo_consistency.listers.contract import Files
from dynamo_consistency.listers.times import each_known_size, each_known_time, known_sizes, known_time, known_times
from dynamo_consistency.run.listing.progress import ListingCounts
from dynamo_consistency.secrets import redact

ENTRY_KINDS = ["file", "directory", "hole", "seen"]
FILE, DIRECTORY, HOLE, SEEN = range(4)
LISTING_COLUMNS = pa.schema(
    [
        pa.field("path", pa.binary(), nullable=False),  # LFN
        pa.field("kind", pa.dictionary(pa.int8(), pa.string()), nullable=False),
        pa.field("size", pa.int64()),  # file: bytes, null when unknown; directory: number of entries directly in it
        pa.field("mtime", pa.int64()),  # seconds since 1970; null: unknown
        pa.field("reason", pa.string()),  # of a hole
        pa.field("identity", pa.int64()),  # of a directory: hash of what the storage calls it; null: it does not say
    ]
)
"""`file`; `directory`: listed completely; `hole`: nothing in or below it is known; `seen`: left to another shard.

Two directories with one `identity` are the same one under two names.
"""

AnyValue = TypeVar("AnyValue")

ROWS_IN_GROUP = 16_384
MOST_NOTES = 100


class ListingFile:
    """Writes rows and counts them, by root. Use as a context manager; the file is complete when the block has ended."""

    def __init__(self, path: Path, roots: Iterable[bytes], listed_at: float) -> None:
        """`listed_at`: when the listing began, or the dump was made; times are judged by it."""
        self._listed_at = listed_at
        # The system's allocator gives memory back; neighbours share most of their path, and no two are equal.
        pa.set_memory_pool(pa.system_memory_pool())
        self._writer = pq.ParquetWriter(
            path,
            LISTING_COLUMNS,
            compression="zstd",
            use_dictionary=["kind"],
            column_encoding={"path": "DELTA_BYTE_ARRAY"},
        )
        self._kinds = pa.array(ENTRY_KINDS, pa.string())
        self.counts = ListingCounts()
        self.roots = {root: ListingCounts() for root in roots}
        self.mounts: set[bytes] = set()
        self.holes: list[dict[str, str]] = []
        self.notes: list[str] = []
        self._clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()

    def files(self, root: bytes, directory: bytes, files: Files) -> None:
        """The files directly in `directory`."""
        before = b"/" if directory == b"/" else directory + b"/"
        for first in range(0, len(files), ROWS_IN_GROUP):
            some = slice(first, first + ROWS_IN_GROUP)
            names, sizes = files.names[some], each_known_size(files.sizes[some])
            self._paths += [before + name for name in names]
            self._codes += bytes([FILE]) * len(names)
            self._sizes += sizes
            self._mtimes += each_known_time(files.mtimes[some], self._listed_at)
            self._count_files(root, len(names), sum(filter(None, sizes)))
            self._flush_if_full()

    def directory(self, root: bytes, path: bytes, entries: int, mtime: int | None, identity: object = None) -> None:
        if identity is not None:
            self._identities[len(self._paths)] = identity_hash(identity)
        self._row(path, DIRECTORY, entries, known_time(mtime, self._listed_at))
        self.counts.directories += 1
        self.roots[root].directories += 1

    def hole(self, root: bytes, path: bytes, reason: str) -> None:
        reason = redact(reason).encode("utf-8", "backslashreplace").decode()
        self._reasons[len(self._paths)] = reason
        self._row(path, HOLE, None, None)
        self.counts.holes += 1
        self.roots[root].holes += 1
        if len(self.holes) < MOST_NOTES:
            self.holes.append({"path": paths.to_text(path), "reason": reason})

    def seen(self, path: bytes) -> None:
        self._row(path, SEEN, None, None)

    def note(self, notes: Iterable[str]) -> None:
        for note in notes:
            if len(self.notes) < MOST_NOTES:
                self.notes.append(redact(note))

    def columns(self, root: bytes, path: Any, size: Any, mtime: Any) -> None:
        """Files as Arrow arrays."""
        import pyarrow.compute as pc

        kind = pa.DictionaryArray.from_arrays(pa.array(bytes(len(path)), pa.int8()), self._kinds)
        size, mtime = known_sizes(size), known_times(mtime, self._listed_at)
        columns = [path, kind, size, mtime, pa.nulls(len(path), pa.string()), pa.nulls(len(path), pa.int64())]
        self._writer.write_batch(pa.record_batch(columns, schema=LISTING_COLUMNS))
        self._count_files(root, len(path), int(pc.sum(size.cast(pa.decimal128(38))).as_py() or 0))

    def _count_files(self, root: bytes, files: int, size: int) -> None:
        for counts in (self.counts, self.roots[root]):
            counts.files += files
            counts.bytes += size

    def _row(self, path: bytes, code: int, size: int | None, mtime: int | None) -> None:
        self._paths.append(path)
        self._codes.append(code)
        self._sizes.append(size)
        self._mtimes.append(mtime)
        self._flush_if_full()

    def _flush_if_full(self) -> None:
        if len(self._paths) >= ROWS_IN_GROUP:
            self._flush()

    def _flush(self) -> None:
        if not self._paths:
            return
        reasons = sparse(self._reasons, len(self._paths)) if self._reasons else None
        codes = pa.array(self._codes, pa.int8())
        columns = [
            pa.array(self._paths, pa.binary()),
            pa.DictionaryArray.from_arrays(codes, self._kinds),
            pa.array(self._sizes, pa.int64()),
            pa.array(self._mtimes, pa.int64()),
            pa.nulls(len(codes), pa.string()) if reasons is None else pa.array(reasons, pa.string()),
            pa.array(sparse(self._identities, len(codes)), pa.int64()),
        ]
        self._writer.write_batch(pa.record_batch(columns, schema=LISTING_COLUMNS))
        self._clear()

    def _clear(self) -> None:
        self._paths: list[bytes] = []
        self._codes = bytearray()
        self._sizes: list[int | None] = []
        self._mtimes: list[int | None] = []
        self._reasons: dict[int, str] = {}
        self._identities: dict[int, int] = {}


def sparse(known: dict[int, AnyValue], rows: int) -> list[AnyValue | None]:
    """A column of which few rows are known."""
    column: list[AnyValue | None] = [None] * rows
    for row, value in known.items():
        column[row] = value
    return column


def identity_hash(identity: object) -> int:
    """64 bits of what a storage calls a directory, the same in every process."""
    return int.from_bytes(hashlib.blake2b(repr(identity).encode(), digest_size=8).digest(), signed=True)
