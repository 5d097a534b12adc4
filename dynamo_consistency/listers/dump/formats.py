"""The formats of dumps: each gives its columns as they are written, in batches, and the lines that have no columns."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dynamo_consistency import paths
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump.cells import Cells, first_cells, without_directories
from dynamo_consistency.listers.dump.columns import Layout
from dynamo_consistency.listers.dump.json_lines import json_lines
from dynamo_consistency.listers.dump.lines import entry_batches, trimmed
from dynamo_consistency.listers.dump.opening import opened, random_access
from dynamo_consistency.listers.dump.other_formats import SAMPLE, refuse_odd_cells
from dynamo_consistency.listers.dump.patterns import pattern_lines
from dynamo_consistency.listers.dump.ready_made import format_of
from dynamo_consistency.listers.dump.separated import separated
from dynamo_consistency.listers.dump.syncat import syncat
from dynamo_consistency.listers.dump.text import TextStream
from dynamo_consistency.listers.dump.values import AROUND, is_text, texts

Reader = Callable[[Layout], Iterator[Cells]]

_ROWS = 50_000
_IN_CELLS = ("parquet", "jsonl", "syncat", "list")
_AROUND = re.compile(AROUND)  # of bytes as latin-1
_SAME = {"eos-find": "eos", "hadoop": "spacemon"}
_PLAIN = ("tsv", "pipe", "csv", "paths", "rce")


def read_cells(layout: Layout, reader: Reader | None = None) -> Iterator[Cells]:
    """The dump in batches, memory flat; lines that are of directories are left out. `reader`: of a format of your own.

    Raises ListingError when it cannot be read to its end, or does not look like its format.
    """
    judged = False
    for cells in (reader or _FORMATS.get(layout.format, pattern_lines))(layout):
        some = _trimmed(cells) if layout.trim and layout.format in _IN_CELLS else cells
        if not judged and len(some.columns["path"]) + len(some.unread):
            judge_first(some, layout)
            judged = True
        yield without_directories(some)


def _trimmed(cells: Cells) -> Cells:
    """Database clients pad texts in whatever format they write."""
    columns = {
        meaning: trimmed(texts(column)) if is_text(column) else column for meaning, column in cells.columns.items()
    }
    return Cells(columns, cells.unread)


def judge_first(cells: Cells, layout: Layout) -> None:
    """Raises ListingError where the first batch shows that the list is in another format than `layout` says."""
    lines = [cell for cell in [*cells.unread[:1], *first_cells(cells, "path", 1)] if cell]
    other = None if layout.format in _IN_CELLS else next(filter(None, map(format_of, lines)), None)
    if other and layout.format not in ("line", other, _SAME.get(other)):
        raise ListingError(
            f"the dump {layout.name} looks like {other}: {paths.to_text(lines[0][:200])!r}; set format: {other}"
        )
    sample = {meaning: first_cells(cells, meaning, SAMPLE) for meaning, c in cells.columns.items() if is_text(c)}
    refuse_odd_cells(sample, layout.name, trimmed=layout.trim, plain=layout.format in _PLAIN)


def _paths(layout: Layout) -> Iterator[Cells]:
    for lines in entry_batches(layout):
        yield Cells({"path": trimmed(lines) if layout.trim else lines}, [])


def _csv(layout: Layout) -> Iterator[Cells]:
    """Quoted as usual; latin-1 stands for bytes. A wrong quote makes all that follows doubtful: it is an error."""
    with opened(layout.url) as stream:
        raw = io.BufferedReader(_Raw(TextStream(stream, layout.name)), 1 << 20)
        text = io.TextIOWrapper(raw, encoding="latin-1", newline="")
        rows = _rows(text, layout)
        for first in islice(rows, 1):
            positions = layout.positions([cell.encode("latin-1") for cell in first])
            everything = rows if layout.has_header else chain([first], rows)
            while batch := list(islice(everything, _ROWS)):
                complete = [row for row in batch if len(row) == len(first)]
                unread = [",".join(row).encode("latin-1") for row in batch if len(row) != len(first)]
                columns = {
                    meaning: pa.array([row[index].encode("latin-1") for row in complete], pa.large_binary())
                    for meaning, index in positions.items()
                }
                yield Cells(columns, unread)


def _rows(text: io.TextIOWrapper, layout: Layout) -> Iterator[list[str]]:
    """The rows of a csv that are entries. Raises ListingError where a cell has swallowed lines: a stray quote."""
    for _ in range(layout.skip_lines):
        text.readline()
    delimiter, comment = layout.delimiter.decode("latin-1"), layout.comment.decode("latin-1")
    lines = (line for line in text if not line.startswith(comment)) if comment else text
    reader = csv.reader(lines, strict=True, delimiter=delimiter)
    line_number = 0
    for row in _quoted_well(reader, layout.name):
        if reader.line_num > line_number + 1:
            _refuse_swallowed_lines(row, layout.name)
        line_number = reader.line_num
        yield [_AROUND.sub("", cell) for cell in row] if layout.trim else row


def _quoted_well(reader: Iterator[list[str]], name: str) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise ListingError(
            f"the dump {name} cannot be read wholly: a quote in it is wrong ({error}); its writer must quote cells "
            "with quotes in them, or leave out quotes (format tsv)"
        ) from None


def _refuse_swallowed_lines(row: list[str], name: str) -> None:
    """A name may have a line end; a cell with a line end and a slash after it is what two stray quotes enclose."""
    for cell in row:
        if "/" in cell.partition("\n")[2] or "/" in cell.partition("\r")[2]:
            raise ListingError(
                f"the dump {name} has a quote that ends on another line: {cell[:200]!r}; its writer must quote cells "
                "with quotes in them, or leave out quotes (format tsv)"
            )


class _Raw(io.RawIOBase):
    """A text stream for Python's own readers."""

    def __init__(self, stream: TextStream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _parquet(layout: Layout) -> Iterator[Cells]:
    with random_access(layout.url) as file:
        table = pq.ParquetFile(file)
        there = table.schema_arrow.names
        wanted = dict(layout.columns or {name: name for name in layout.defaults if name in there})
        lacking = [str(name) for name in wanted.values() if name not in there]
        if lacking or "path" not in wanted:
            raise ListingError(
                f"the dump {layout.name} has no column {', '.join(lacking) or 'path'}; it has {', '.join(there)}"
            )
        for batch in table.iter_batches(_ROWS, columns=[str(name) for name in wanted.values()], use_threads=False):
            yield Cells({meaning: batch.column(str(name)) for meaning, name in wanted.items()}, [])


_FORMATS: dict[str, Reader] = {
    "tsv": separated,
    "pipe": separated,
    "csv": _csv,
    "paths": _paths,
    "parquet": _parquet,
    "jsonl": json_lines,
    "syncat": syncat,
}
