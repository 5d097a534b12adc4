"""Findings of a run, streamed to a person or a script."""

import contextlib
import csv
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from dynamo_consistency import paths
from dynamo_consistency.errors import ConfigurationError, DamagedError
from dynamo_consistency.kinds import FindingKind
from dynamo_consistency.run.store.run_directory import RunDirectory

FindingsFormat = Literal["text", "json", "csv"]


def write_findings(run: RunDirectory, kind: FindingKind, format_: FindingsFormat, out: BinaryIO) -> None:
    """Write all findings of a kind to `out`, in their order and with flat memory.

    text: one path a line, its bytes kept, with a line end inside a name written as \\n and a backslash as \\\\.
    json: one array, an object a line; csv: the same columns, with a header and the bytes of names kept. In JSON, bytes
    that are not UTF-8 become surrogate escapes. Raises as `reading_findings`.
    """
    writers = {"text": _write_text, "json": _write_json, "csv": _write_csv}
    with reading_findings(run, kind) as file:
        writers[format_](file, out)


@contextlib.contextmanager
def reading_findings(run: RunDirectory, kind: FindingKind) -> Iterator[pq.ParquetFile]:
    """The findings of a kind.

    Raises ConfigurationError where the check of `run` does not look for such, DamagedError when the file is garbled,
    also while it is read.
    """
    if kind.of_unmerged_area and not run.exists(kind.file):
        raise ConfigurationError(f"the check of run {run.run_id} of {run.site} has no unmerged area (spec.unmerged)")
    try:
        with run.reading(kind.file) as path, pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the output: Arrow's own have no number
            raise
        raise DamagedError(f"{run.url}/{kind.file} is damaged: {str(error).splitlines()[0]}") from None


def _rows(file: pq.ParquetFile) -> Iterator[dict[str, Any]]:
    for batch in file.iter_batches():
        yield from batch.to_pylist()


def _write_text(file: pq.ParquetFile, out: BinaryIO) -> None:
    for row in _rows(file):
        out.write(paths.one_line(row["path"]) + b"\n")


def _write_json(file: pq.ParquetFile, out: BinaryIO) -> None:
    separator = b"["
    for row in _rows(file):
        out.write(separator + b"\n" + json.dumps(row | {"path": paths.to_text(row["path"])}).encode())
        separator = b","
    out.write(b"[]\n" if separator == b"[" else b"\n]\n")


def _write_csv(file: pq.ParquetFile, out: BinaryIO) -> None:
    class _Text:
        def write(self, text: str) -> int:
            return out.write(paths.to_bytes(text))

    table = csv.writer(_Text(), lineterminator="\n")
    table.writerow(file.schema_arrow.names)
    for row in _rows(file):
        row["path"] = paths.to_text(row["path"])
        table.writerow("" if value is None else value for value in row.values())
