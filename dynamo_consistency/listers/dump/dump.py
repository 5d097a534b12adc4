"""A dump as a listing: LFNs with size and time, in batches, with an account of what could not be read."""

import math
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency import paths
from dynamo_consistency.check import DumpSource
from dynamo_consistency.check.rules import path_rules
from dynamo_consistency.columns import filtered
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump.cells import Cells
from dynamo_consistency.listers.dump.columns import Layout
from dynamo_consistency.listers.dump.formats import read_cells
from dynamo_consistency.listers.dump.lfns import is_relative, lfns
from dynamo_consistency.listers.dump.moments import Written, times
from dynamo_consistency.listers.dump.opening import as_listing_error, shown
from dynamo_consistency.listers.dump.parts import Parts, parts_of, refuse_empty_part, refuse_if_old
from dynamo_consistency.listers.dump.placed import lfns_by_rules
from dynamo_consistency.listers.dump.unread import paths_and_directories
from dynamo_consistency.listers.dump.values import column_of, sizes, texts
from dynamo_consistency.listers.times import far_ahead

SCHEMA = pa.schema(
    [pa.field("path", pa.binary(), nullable=False), pa.field("size", pa.int64()), pa.field("mtime", pa.int64())]
)
_MOST_NOTES = 100
_MOST_HOLES = 100_000


class Dump:
    """A site's list of its files, to be read once.

    `date` (seconds since 1970) is the `now` of the listing. While and after `batches` is read: `lines`; `directories`,
    lines that end with a slash; `bad_lines`; `notes`, the first of these, for people; `holes`: directories (LFNs) of
    which a line could not be read; and `unlisted`: what such a line names as a whole. What is there is not missing.
    """

    def __init__(self, source: DumpSource, parts: Parts | None = None, roots: Sequence[bytes] = (b"/",)) -> None:
        """`parts`: what `source.url` meant before; by default what it means now. `roots`: LFNs that are of interest.

        Raises ListingError when the dump is not there, is older than `maxAgeSeconds`, or nothing tells its date.
        """
        self.source = source
        self.parts = parts or parts_of(source)
        self._roots = roots
        refuse_if_old(self.parts, source.max_age_seconds)
        self.name = self.parts.name
        self.date = self.parts.date
        self.lines = self.directories = 0
        self.bad_lines = 0
        self.notes: list[str] = []
        self.holes: set[bytes] = set()
        self.unlisted: set[bytes] = set()
        self._files = 0
        self._ahead = 0
        self._relative: bool | None = None
        self._columns: set[str] | None = None
        self._rules = path_rules(source.rules) if source.rules else None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The files, in batches of `SCHEMA`: `path` (LFN), `size` (bytes), `mtime` (seconds since 1970); null: unknown.

        A line with a readable path but an unreadable size or time is a bad line; its file is there, without a size and
        as young as the dump, so that it is left alone. Raises ListingError for a dump that is cut short, corrupt, empty
        or has too many bad lines; what came before is then worth nothing.
        """
        for url in self.parts.urls:
            yield from self._part(url)
        self._judge()

    def _part(self, url: str) -> Iterator[pa.RecordBatch]:
        layout = Layout.of(self.source, url, shown(url))
        written = Written.of(self.source, layout)
        read = False
        with as_listing_error(url):
            for cells in read_cells(layout):
                read = True
                self._refuse_other_columns(set(cells.columns), layout.name)
                yield self._batch(cells, written)
        if not read:
            refuse_empty_part(self.parts, url)

    def _refuse_other_columns(self, columns: set[str], name: str) -> None:
        self._columns = self._columns or columns
        if columns != self._columns:
            raise ListingError(f"the part {name} of the dump has other columns than the parts before")

    def _batch(self, cells: Cells, written: Written) -> pa.RecordBatch:
        cells = self._without_directories(cells)
        if self._relative is None and len(cells.columns["path"]):
            self._relative = is_relative(cells.columns["path"])
        path, path_ok = lfns(cells.columns["path"], self.source.prefix, bool(self._relative))
        size, size_ok = column_of(cells.columns, "size", sizes)
        mtime, mtime_ok = column_of(cells.columns, "mtime", lambda column: times(column, written))
        ahead = far_ahead(mtime, self.date)
        self._ahead += pc.sum(ahead).as_py() or 0
        sound = pc.and_(pc.and_(size_ok, mtime_ok), pc.invert(ahead))
        self._account(cells, path_ok, sound)
        size = pc.if_else(sound, size, None)
        mtime = pc.if_else(sound, mtime, math.ceil(self.date))
        if self._rules is not None:
            path = lfns_by_rules(path, self._rules)
            path, path_ok = pc.fill_null(path, b""), pc.and_(path_ok, pc.is_valid(path))
        batch = filtered(pa.RecordBatch.from_arrays([path, size, mtime], schema=SCHEMA), path_ok)
        self._files += len(batch)
        return batch

    def _without_directories(self, cells: Cells) -> Cells:
        """A path that ends with a slash is a directory, whoever writes it."""
        is_file = pc.invert(pc.ends_with(pc.fill_null(texts(cells.columns["path"]), b""), b"/"))
        if pc.all(is_file).as_py():
            return cells
        directories = len(is_file) - (pc.sum(is_file).as_py() or 0)
        self.directories += directories
        self.lines += directories
        return Cells({meaning: column.filter(is_file) for meaning, column in cells.columns.items()}, cells.unread)

    def _account(self, cells: Cells, path_ok: pa.Array, sound: pa.Array) -> None:
        column = texts(cells.columns["path"])
        self.lines += len(column) + len(cells.unread)
        outside = pc.fill_null(column.filter(pc.invert(path_ok)), b"")
        lost = outside.to_pylist()
        blurred = column.filter(pc.and_(path_ok, pc.invert(sound))).to_pylist()
        self.bad_lines += len(cells.unread) + len(lost) + len(blurred)
        for reason, lines in (
            ("does not have the columns", cells.unread),
            ("has no path of a file below the prefix", lost),
            ("has an unreadable size or time", blurred),
        ):
            room = _MOST_NOTES - len(self.notes)
            self.notes += [f"a line {reason}: {paths.to_text(line[:500])!r}" for line in lines[:room]]
        for line in chain(cells.unread, outside.filter(self._may_matter(outside)).to_pylist()):
            self._mark_holes(line)
        if len(self.holes) + len(self.unlisted) > _MOST_HOLES:
            raise ListingError(f"the dump {self.name} has unreadable lines about more than {_MOST_HOLES} paths")

    def _mark_holes(self, line: bytes) -> None:
        """A line that could not be read may be about any path in it; nothing there is missing for sure."""
        whole, directories = paths_and_directories(line, relative=bool(self._relative))
        self.unlisted.update(chain.from_iterable(map(self._lfns, whole)))
        self.holes.update(chain.from_iterable(map(self._lfns, directories)))

    def _may_matter(self, outside: pa.Array) -> pa.Array:
        """Which of some paths outside of the prefix may be of interest: of another VO's there may be very many."""
        texts_of_interest = [paths.to_bytes(self.source.prefix), *self._roots]
        has_one = reduce(pc.or_, (pc.match_substring(outside, text) for text in texts_of_interest))
        return pc.or_(has_one, pc.invert(pc.starts_with(outside, b"/")))

    def _lfns(self, directory: bytes) -> list[bytes]:
        """Of what is in or below `directory`, which may be written without the prefix of the others."""
        before = paths.to_bytes(self.source.prefix) or b"/"
        if not paths.overlap(directory, before):
            of_interest = self._rules is None and any(paths.overlap(directory, root) for root in self._roots)
            return [directory] if of_interest else []
        below = directory[len(before.rstrip(b"/")) :] or b"/"
        return [below] if self._rules is None else self._rules.lfns_around(below)

    def _judge(self) -> None:
        if self.bad_lines > self.source.max_bad_line_fraction * self.lines:
            after = f", {self._ahead} of them with a time after it (is timeFormat: ms meant?)" if self._ahead else ""
            raise ListingError(
                f"{self.bad_lines} of {self.lines} lines of the dump {self.name} cannot be read, more than "
                f"maxBadLineFraction{after}; look at its format, columns and prefix; first: {self.notes[0]}"
            )
        if not self._files:
            raise ListingError(f"the dump {self.name} is empty; a site without a single file is not believed")
