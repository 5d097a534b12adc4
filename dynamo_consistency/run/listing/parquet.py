"""The file that a listed shard leaves in the run directory: rows as they come, written in small groups."""

import hashlib
from array import array
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import pyarrow as pa
import pyarrow.parquet as pq

from dynamo_consistency import paths
from dynamo_consistency.columns import total
from dynamo_consistency.listers.contract import Files
from dynamo_consistency.listers.times import each_known_size, each_known_time, known_sizes, known_time, known_times
from dynamo_consistency.run.keys import KEY_COLUMNS, ROOT, keys_of, keys_of_column
from dynamo_consistency.run.listing.progress import ListingCounts
from dynamo_consistency.run.listing.usage import Usage
from dynamo_consistency.secrets import redact

ENTRY_KINDS = ["file", "directory", "hole", "seen", "excluded"]
FILE, DIRECTORY, HOLE, SEEN, EXCLUDED = range(5)
LISTING_COLUMNS = pa.schema(
    [
        pa.field("path", pa.binary(), nullable=False),  # LFN
        pa.field("kind", pa.dictionary(pa.int8(), pa.string()), nullable=False),
        pa.field("size", pa.int64()),  # file: bytes, null when unknown; directory: number of entries directly in it
        pa.field("mtime", pa.int64()),  # seconds since 1970; null: unknown
        pa.field("reason", pa.string()),  # of a hole
        pa.field("identity", pa.int64()),  # what the storage calls a directory (hashed) or file; null: it does not say
        *KEY_COLUMNS,
        pa.field("files", pa.int64()),  # of a directory: number of files directly in it
    ]
)
"""`file`; `directory`: listed completely; `hole`: nothing in or below it is known; `seen`: left to another shard;
`excluded`: not listed because the check excludes it, with an identity.

Two directories, or two files, with one `identity` are the same one under two names; a hole has that of the file which
it leads to. Files have row groups of their own, so that who
asks for directories and holes need not read the names of files.
"""

ROWS_IN_GROUP = 16_384
MOST_NOTES = 100


class ListingFile:
    """Writes rows and counts them, by root. Use as a context manager; the file is complete when the block has ended."""

    def __init__(self, path: Path, roots: Iterable[bytes], listed_at: float, excluded: Iterable[bytes] = ()) -> None:
        """`listed_at`: when the listing began, or the dump was made; times are judged by it.

        `excluded`: directories. What is a file in the place of one is written, and takes no part (rule 11).
        """
        self._listed_at = listed_at
        self._excluded = pa.array(excluded, pa.binary())
        # The system's allocator gives memory back; neighbours share most of their path, and no two are equal.
        pa.set_memory_pool(pa.system_memory_pool())
        self._writer = pq.ParquetWriter(
            path,
            LISTING_COLUMNS,
            compression="zstd",
            use_dictionary=["kind", "root"],
            column_encoding={"path": "DELTA_BYTE_ARRAY"},
        )
        self._kinds = pa.array(ENTRY_KINDS, pa.string())
        self.counts = ListingCounts()
        self.roots = {root: ListingCounts() for root in roots}
        self.usage = Usage(self.roots)
        self._numbers = {root: number for number, root in enumerate(self.roots)}
        self.mounts: set[bytes] = set()
        self.holes: list[dict[str, str]] = []
        self.notes: list[str] = []
        self._files = _Files()
        self._others: list[_Other] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush_files()
            self._flush_others()
        self._writer.close()

    def files(self, root: bytes, directory: bytes, files: Files) -> None:
        """The files directly in `directory`."""
        before = b"/" if directory == b"/" else directory + b"/"
        for first in range(0, len(files), ROWS_IN_GROUP):
            some, rows = slice(first, first + ROWS_IN_GROUP), self._files
            names = files.names[some]
            rows.path += [before + name for name in names]
            rows.size += files.sizes[some]
            rows.mtime += files.mtimes[some]
            rows.identity += files.identities[some] or [0] * len(names)
            rows.runs.append((root, directory, len(names)))
            self.counts.files += len(names)
            self.roots[root].files += len(names)
            if len(rows.path) >= ROWS_IN_GROUP:
                self._flush_files()

    def directory(
        self, root: bytes, path: bytes, entries: int, mtime: int | None, identity: object = None, *, files: int
    ) -> None:
        """A directory that was listed completely; `files` of its `entries` are files."""
        identified = None if identity is None else identity_hash(identity)
        time = known_time(mtime, self._listed_at)
        self._other(_Other(path, DIRECTORY, self._taking_part(path, root), entries, time, None, identified, files))
        self.counts.directories += 1
        self.roots[root].directories += 1

    def hole(self, root: bytes, path: bytes, reason: str, file: int = 0) -> None:
        """`file`: the identity of the file that it leads to, 0 where there is none."""
        reason = redact(reason).encode("utf-8", "backslashreplace").decode()
        self._other(_Other(path, HOLE, self._taking_part(path, root), reason=reason, identity=file or None))
        self.counts.holes += 1
        self.roots[root].holes += 1
        if len(self.holes) < MOST_NOTES:
            self.holes.append({"path": paths.to_text(path), "reason": reason})

    def seen(self, path: bytes) -> None:
        self._other(_Other(path, SEEN))

    def excluded(self, path: bytes, identity: object) -> None:
        """A directory that is not listed, and may stand at the site under another name as well."""
        if identity is not None:
            self._other(_Other(path, EXCLUDED, identity=identity_hash(identity)))

    def note(self, notes: Iterable[str]) -> None:
        for note in notes:
            if len(self.notes) < MOST_NOTES:
                self.notes.append(redact(note))

    def columns(self, root: bytes, path: Any, size: Any, mtime: Any) -> None:
        """Files as Arrow arrays."""
        number = pa.repeat(pa.scalar(self._numbers[root], ROOT.type), len(path))
        size, mtime = known_sizes(size), known_times(mtime, self._listed_at)
        self._write_files(keys_of_column(path), number, {"path": path, "size": size, "mtime": mtime})
        self.counts.files += len(path)
        self.roots[root].files += len(path)
        self._count_bytes(root, total(size))
        self.usage.add_column(root, path, size)

    def _count_bytes(self, root: bytes, size: int) -> None:
        self.counts.bytes += size
        self.roots[root].bytes += size

    def _taking_part(self, path: bytes, root: bytes) -> int | None:
        """The number of its root, for what is no file; a root itself takes no part."""
        return None if path == root else self._numbers[root]

    def _other(self, row: "_Other") -> None:
        self._others.append(row)
        if len(self._others) >= ROWS_IN_GROUP:
            self._flush_others()

    def _flush_files(self) -> None:
        rows, self._files = self._files, _Files()
        if not rows.path:
            return
        size, mtime = each_known_size(rows.size), each_known_time(rows.mtime, self._listed_at)
        numbers, end = array("h"), 0
        for root, directory, files in rows.runs:
            first, end = end, end + files
            in_directory = sum(filter(None, size[first:end]))
            self._count_bytes(root, in_directory)
            self.usage.add(root, directory, files, in_directory)
            numbers += array("h", [self._numbers[root]]) * files
        root_numbers = pa.Array.from_buffers(ROOT.type, end, [None, pa.py_buffer(numbers)])
        path = pa.array(rows.path, pa.binary())
        columns = {"path": path, "size": size, "mtime": mtime, "identity": _known(rows.identity)}
        self._write_files(keys_of(rows.path), root_numbers, columns)

    def _write_files(self, keys: dict[str, pa.Array], root: pa.Array, columns: dict[str, Any]) -> None:
        if len(self._excluded):
            import pyarrow.compute as pc

            in_place = pc.is_in(columns["path"], self._excluded)
            root = pc.if_else(in_place, pa.scalar(None, ROOT.type), root)
        self._write(len(root), columns | {"kind": bytes(len(root))} | _key_columns(keys, root))

    def _flush_others(self) -> None:
        rows, self._others = self._others, []
        if rows:
            each = map(list, zip(*rows, strict=True))
            columns: dict[str, Any] = dict(zip(_Other._fields, each, strict=True))
            keys = _key_columns(keys_of(columns["path"]), pa.array(columns["root"], ROOT.type))
            self._write(len(rows), columns | {"kind": bytes(columns["kind"])} | keys)

    def _write(self, rows: int, columns: dict[str, Any]) -> None:
        """A row group; columns that are not given are null."""
        kinds = pa.Array.from_buffers(pa.int8(), rows, [None, pa.py_buffer(columns["kind"])])
        columns["kind"] = pa.DictionaryArray.from_arrays(kinds, self._kinds)
        arrays = [_array(columns.get(field.name), field.type, rows) for field in LISTING_COLUMNS]
        self._writer.write_batch(pa.record_batch(arrays, schema=LISTING_COLUMNS))


class _Other(NamedTuple):
    """A row of what is no file."""

    path: bytes
    kind: int
    root: int | None = None
    size: int | None = None
    mtime: int | None = None
    reason: str | None = None
    identity: int | None = None
    files: int | None = None


class _Files:
    """Columns of files that have not been written; `runs`: root, directory and number of those that came together."""

    def __init__(self) -> None:
        self.path: list[bytes] = []
        self.size: list[int | None] = []
        self.mtime: list[int | None] = []
        self.identity: list[int] = []
        self.runs: list[tuple[bytes, bytes, int]] = []


def _known(identities: list[int]) -> pa.Array | None:
    """The column of the identities of files, null for 0; None where all are."""
    if not any(identities):
        return None
    return pa.array([number or None for number in identities] if 0 in identities else identities, pa.int64())


def _key_columns(keys: dict[str, pa.Array], root: pa.Array) -> dict[str, pa.Array]:
    """Keys of some paths with the numbers of their roots: all null where that is."""
    absent, _ = root.buffers()
    some = {
        name: pa.Array.from_buffers(column.type, len(column), [absent, column.buffers()[1]])
        for name, column in keys.items()
    }
    return some | {ROOT.name: root}


def _array(values: Any, type_: pa.DataType, rows: int) -> pa.Array:
    if isinstance(values, pa.Array):
        return values
    return pa.nulls(rows, type_) if values is None else pa.array(values, type_)


def identity_hash(identity: object) -> int:
    """64 bits of what a storage calls a directory, the same in every process."""
    return int.from_bytes(hashlib.blake2b(repr(identity).encode(), digest_size=8).digest(), signed=True)
