"""A dump as a listing: LFNs with size and time, in batches, with an account of what could not be read."""

import math
from collections.abc import Iterator
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency import paths
from dynamo_consistency.check import DumpSource
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump import parsing
from dynamo_consistency.listers.dump.columns import Layout
from dynamo_consistency.listers.dump.formats import Cells, read_cells
from dynamo_consistency.listers.dump.opening import as_listing_error, date_of, shown

SCHEMA = pa.schema(
    [pa.field("path", pa.binary(), nullable=False), pa.field("size", pa.int64()), pa.field("mtime", pa.int64())]
)
_MOST_NOTES = 100
_MOST_HOLES = 100_000


class Dump:
    """A site's list of its files, to be read once.

    `date` (seconds since 1970) is the `now` of the listing. While and after `batches` is read: `lines`, `bad_lines`,
    `notes` (the first bad lines, for people), and `holes`: directories (LFNs) below which a line could not be read, so
    that nothing there may be reported as missing.
    """

    def __init__(self, source: DumpSource) -> None:
        """Raises ListingError when the dump is not there or nothing tells its date."""
        self.source = source
        self.name = shown(source.url)
        self.date = date_of(source.url, source.date)
        self.lines = 0
        self.bad_lines = 0
        self.notes: list[str] = []
        self.holes: set[bytes] = set()
        self._files = 0
        self._relative: bool | None = None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The files, in batches of `SCHEMA`: `path` (LFN), `size` (bytes), `mtime` (seconds since 1970); null: unknown.

        A line with a readable path but an unreadable size or time is a bad line; its file is there, without a size and
        as young as the dump, so that it is left alone. Raises ListingError for a dump that is cut short, corrupt, empty
        or has too many bad lines; what came before is then worth nothing.
        """
        layout = Layout(self.source.url, self.name, self.source.format, self.source.columns)
        with as_listing_error(self.source.url):
            for cells in read_cells(layout):
                yield self._batch(cells)
        self._judge()

    def _batch(self, cells: Cells) -> pa.RecordBatch:
        if self._relative is None and len(cells.columns["path"]):
            self._relative = parsing.is_relative(cells.columns["path"])
        path, path_ok = parsing.lfns(cells.columns["path"], self.source.prefix, bool(self._relative))
        size, size_ok = _column(cells, "size")
        mtime, mtime_ok = _column(cells, "days" if "days" in cells.columns else "mtime")
        sound = pc.and_(size_ok, mtime_ok)
        self._account(cells, path_ok, sound)
        size = pc.if_else(sound, size, None)
        mtime = pc.if_else(sound, mtime, math.ceil(self.date))
        batch = pa.RecordBatch.from_arrays([path, size, mtime], schema=SCHEMA).filter(path_ok)
        self._files += len(batch)
        return batch

    def _account(self, cells: Cells, path_ok: pa.Array, sound: pa.Array) -> None:
        column = parsing.texts(cells.columns["path"])
        self.lines += len(column) + len(cells.unread)
        lost = [path or b"" for path in column.filter(pc.invert(path_ok)).to_pylist()]
        blurred = column.filter(pc.and_(path_ok, pc.invert(sound))).to_pylist()
        self.bad_lines += len(cells.unread) + len(lost) + len(blurred)
        for reason, lines in (
            ("does not have the columns", cells.unread),
            ("has no path of a file below the prefix", lost),
            ("has an unreadable size or time", blurred),
        ):
            room = _MOST_NOTES - len(self.notes)
            self.notes += [f"a line {reason}: {paths.to_text(line[:500])!r}" for line in lines[:room]]
        for line in chain(cells.unread, lost):
            self._mark_hole(line)
        if len(self.holes) > _MOST_HOLES:
            raise ListingError(f"the dump {self.name} has unreadable lines in more than {_MOST_HOLES} directories")

    def _mark_hole(self, line: bytes) -> None:
        """A line that could not be read names some file in a directory; nothing in that is missing for sure."""
        before = paths.to_bytes(self.source.prefix)
        directory = paths.normalise(b"/" + line if self._relative else line).rpartition(b"/")[0]
        if paths.is_below(directory, before or b"/"):
            self.holes.add(directory[len(before) :])

    def _judge(self) -> None:
        if self.bad_lines > self.source.max_bad_line_fraction * self.lines:
            raise ListingError(
                f"{self.bad_lines} of {self.lines} lines of the dump {self.name} cannot be read, more than "
                f"maxBadLineFraction; look at its format, columns and prefix; first: {self.notes[0]}"
            )
        if not self._files:
            raise ListingError(f"the dump {self.name} is empty; a site without a single file is not believed")


def _column(cells: Cells, meaning: str) -> parsing.Values:
    """The values of a column; unknown where the dump does not have it."""
    if meaning not in cells.columns:
        length = len(cells.columns["path"])
        return parsing.Values(pa.nulls(length, pa.int64()), pa.repeat(True, length))
    read = {"size": parsing.sizes, "mtime": parsing.times, "days": parsing.days}[meaning]
    return read(cells.columns[meaning])
