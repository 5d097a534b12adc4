"""The formats of dumps: each gives its columns as they are written, in batches, and the lines that have no columns."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump.columns import Layout
from dynamo_consistency.listers.dump.lines import line_batches
from dynamo_consistency.listers.dump.opening import opened, random_access

_ROWS = 50_000
_RAL = r"^(?P<path>.*\S)[ \t](?P<size>[^ \t]+)[ \t](?P<days>[^ \t]+)$"


@dataclass(frozen=True, slots=True)
class Cells:
    """Some lines of a dump. `columns`: meaning → array, bytes from text formats and typed from Parquet, all of one
    length. `unread`: the lines that do not have the columns."""

    columns: dict[str, pa.Array]
    unread: list[bytes]


def read_cells(layout: Layout) -> Iterator[Cells]:
    """The dump in batches, memory flat. Raises ListingError when it cannot be read to its end."""
    return _FORMATS[layout.format](layout)


def _separated(separator: bytes) -> Callable[[Layout], Iterator[Cells]]:
    """The first line decides how many columns there are; there is no quoting."""

    def read(layout: Layout) -> Iterator[Cells]:
        head: list[bytes] = []
        with opened(layout.url) as stream:
            for lines in line_batches(stream, layout.name):
                body = lines
                if not head:
                    head = lines[0].as_py().split(separator)
                    positions = layout.positions(head)
                    body = lines[1:] if layout.has_header else lines
                yield _split(body, separator, len(head), positions)

    return read


def _split(lines: pa.Array, separator: bytes, width: int, positions: dict[str, int]) -> Cells:
    cells = pc.split_pattern(lines, separator)
    complete = pc.equal(pc.list_value_length(cells), width)
    unread = lines.filter(pc.invert(complete)).to_pylist()
    cells = cells.filter(complete) if unread else cells
    return Cells({meaning: pc.list_element(cells, index) for meaning, index in positions.items()}, unread)


def _paths(layout: Layout) -> Iterator[Cells]:
    with opened(layout.url) as stream:
        for lines in line_batches(stream, layout.name):
            yield Cells({"path": lines}, [])


def _ral(layout: Layout) -> Iterator[Cells]:
    """`lfn size days`, one tab or blank between them; the LFN may hold blanks. `days` counts from 1970."""
    with opened(layout.url) as stream:
        for lines in line_batches(stream, layout.name):
            fields = pc.extract_regex(lines, _RAL)
            unread = lines.filter(pc.is_null(fields)).to_pylist()
            names = ("path", "size", "days")
            yield Cells({name: pc.struct_field(fields.drop_null(), name) for name in names}, unread)


def _csv(layout: Layout) -> Iterator[Cells]:
    """Quoted as usual; latin-1 stands for bytes. A wrong quote makes all that follows doubtful: it is an error."""
    with opened(layout.url) as stream:
        text = io.TextIOWrapper(
            io.BufferedReader(_EndSeen(stream, layout.name), 1 << 20), encoding="latin-1", newline=""
        )
        rows = csv.reader(text, strict=True)
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


class _EndSeen(io.RawIOBase):
    """Hands a stream through, and refuses one whose last byte is no line end: it was cut short."""

    def __init__(self, stream: Any, name: str) -> None:
        self._stream = stream
        self._name = name
        self._last = b"\n"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = bytes(self._stream.read(len(buffer)))
        if not data and self._last != b"\n":
            raise ListingError(f"the last line of the dump {self._name} has no line end: the dump was cut short")
        self._last = data[-1:] or self._last
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


_FORMATS: dict[str, Callable[[Layout], Iterator[Cells]]] = {
    "tsv": _separated(b"\t"),
    "pipe": _separated(b"|"),
    "csv": _csv,
    "ral": _ral,
    "paths": _paths,
    "parquet": _parquet,
}
