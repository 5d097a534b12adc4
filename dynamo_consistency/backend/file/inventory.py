"""An inventory dump as batches of `INVENTORY_COLUMNS`.

A file that is lost here would look like an orphan at the site. So a line without a readable path ends the reading,
where a site's own dump may have some; a line whose size or time cannot be read leaves its file alone, as in flight.
"""

import contextlib
import logging
import time
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency import paths
from dynamo_consistency.backend.blocks import UNSUBSCRIBED
from dynamo_consistency.backend.contract import INVENTORY_COLUMNS
from dynamo_consistency.backend.file import cells
from dynamo_consistency.backend.file.options import InventorySource
from dynamo_consistency.backend.file.rse import refuse_if_unclear
from dynamo_consistency.backend.file.version import is_local, version_of_files
from dynamo_consistency.errors import BackendError, ListingError
from dynamo_consistency.listers.dump.cells import Cells
from dynamo_consistency.listers.dump.lfns import is_relative, lfns
from dynamo_consistency.listers.dump.moments import Written, times
from dynamo_consistency.listers.dump.opening import as_listing_error, shown
from dynamo_consistency.listers.dump.parts import Parts, parts_of, refuse_empty_part
from dynamo_consistency.listers.dump.values import NULL_TEXTS, Values, column_of, sizes, texts
from dynamo_consistency.listers.times import far_ahead

log = logging.getLogger(__name__)

EXTRAS = ("scope", "name", "checksum")
AVAILABLE_STATES = ("A", "AVAILABLE")
COMPLETE = ("", "1", "true", "yes")
_MOST_IN_DOUBT, _FEW_ROWS = 0.5, 10


class InventoryDump:
    """The dump of one site, to be read once by `batches`."""

    def __init__(self, source: InventorySource, site: str, is_part: bool = False) -> None:
        """`is_part`: one of several files that make a dump, which may have nothing of the site."""
        self._source = source
        self._is_part = is_part
        self._rse = source.rse or site
        self._relative: bool | None = None
        self._rows = self._in_doubt = 0
        self._other_rse: str | None = None
        self._parts: Parts | None = None

    @property
    def name(self) -> str:
        """For messages."""
        return self._parts.name if self._parts else ", ".join(map(shown, self._source.urls))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """`INVENTORY_COLUMNS`, then those of `EXTRAS` that the dump has; memory is flat.

        Raises BackendError for a dump that is too old, cut short, corrupt or empty, that has a line without a readable
        path, or none of the RSE: what came before is then worth nothing.
        """
        with _as_backend_error():
            self._parts = parts_of(self._source)
            self._refuse_if_old(self._parts)
            for url in self._parts.urls:
                yield from self._part(url, self._parts)
            self._check_rows()

    def content_version(self) -> str | None:
        """See `contract.VersionedInventory`."""
        if not is_local(self._source):
            return None
        with _as_backend_error():
            parts = self._parts = parts_of(self._source)
            self._refuse_if_old(parts)
            return version_of_files(self._rse, self._source, parts.urls)

    def _part(self, url: str, parts: Parts) -> Iterator[pa.RecordBatch]:
        layout = cells.layout_of(self._source, url, shown(url))
        written = Written.of(self._source, layout)
        read = False
        with as_listing_error(url):
            for some in cells.read(self._source, layout):
                read = True
                yield from self._batch(some, written)
        if not read:
            refuse_empty_part(parts, url)

    def _refuse_if_old(self, parts: Parts) -> None:
        age = time.time() - parts.date
        if age > self._source.max_age_seconds:
            raise BackendError(
                f"the inventory dump {self.name} is {age / 3600:.0f} hours old, more than maxAgeSeconds allows; "
                "publish a new one, or raise maxAgeSeconds and the check's ignoreAgeSeconds together"
            )

    def _batch(self, some: Cells, written: Written) -> Iterator[pa.RecordBatch]:
        if some.unread:
            raise self._unreadable("does not have the columns", some.unread[0])
        columns = self._of_rse(some.columns)
        if not len(columns["path"]):
            return
        path = self._lfns(columns["path"])
        size, size_ok = column_of(columns, "size", sizes)
        changed, changed_ok = _times(columns, written)
        sound = pc.and_(size_ok, changed_ok)
        group = _texts(columns, "group")
        unsubscribed = pc.fill_null(pc.equal(group, UNSUBSCRIBED), False)
        in_flight = pc.or_(pc.or_(pc.invert(sound), unsubscribed), pc.invert(_is_there(columns)))
        self._rows += len(path)
        self._in_doubt += len(path) - (pc.sum(sound).as_py() or 0)
        known = {
            "path": path,
            "size": size,
            "time": changed,
            "in_flight": in_flight,
            "dataset": _texts(columns, "dataset"),
            "block": _texts(columns, "block"),
            "group": pc.if_else(unsubscribed, None, group),
        }
        extras = [name for name in EXTRAS if name in columns]
        schema = pa.schema([*INVENTORY_COLUMNS, *(pa.field(name, pa.string()) for name in extras)])
        arrays = [*known.values(), *(_texts(columns, name) for name in extras)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _of_rse(self, columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
        """The rows of our RSE, where the dump says whose they are."""
        if "rse" not in columns:
            return columns
        names = _texts(columns, "rse")
        ours = pc.fill_null(pc.equal(names, self._rse), False)
        if pc.all(ours).as_py():
            return columns
        others = names.filter(pc.invert(ours))
        refuse_if_unclear(others, self._rse, self.name)
        self._other_rse = self._other_rse or others[0].as_py()
        return {meaning: column.filter(ours) for meaning, column in columns.items()}

    def _lfns(self, column: pa.Array) -> pa.Array:
        if self._relative is None:
            self._relative = is_relative(column)
        path, ok = lfns(column, self._source.prefix, self._relative)
        if not pc.all(ok).as_py():
            (line, *_) = texts(column).filter(pc.invert(ok)).to_pylist()
            raise self._unreadable("has no path of a file below the prefix", line or b"")
        return path

    def _unreadable(self, reason: str, line: bytes) -> BackendError:
        return BackendError(
            f"a line of the inventory dump {self.name} {reason}: {paths.to_text(line[:500])!r}; look at its format, "
            "columns and prefix (nothing is read, because a file whose line is lost would look like an orphan)"
        )

    def _check_rows(self) -> None:
        if self._in_doubt:
            log.warning("%d lines of %s have an unreadable size or time; in flight", self._in_doubt, self.name)
        if self._rows >= _FEW_ROWS and self._in_doubt > _MOST_IN_DOUBT * self._rows:
            raise BackendError(
                f"{self._in_doubt} of {self._rows} lines of the inventory dump {self.name} have an unreadable size or "
                "time, or a time after tomorrow; look at its columns, and at timeFormat (ms?)"
            )
        if self._is_part:
            return
        if not self._rows and self._other_rse:
            raise BackendError(
                f"the inventory dump {self.name} has nothing of the RSE {self._rse}, but of {self._other_rse}; set rse"
            )
        if not self._rows:
            raise BackendError(f"the inventory dump {self.name} is empty; an inventory without a file is not believed")


@contextlib.contextmanager
def _as_backend_error() -> Iterator[None]:
    """The readers are the dump lister's, but what they complain about here is the inventory."""
    try:
        yield
    except ListingError as error:
        raise BackendError(f"the inventory cannot be read: {error}") from error


def _texts(columns: dict[str, pa.Array], meaning: str) -> pa.Array:
    """A column as text; null where it is empty or not there. Bytes that are not text are escaped."""
    if meaning not in columns:
        return pa.nulls(len(columns["path"]), pa.string())
    text = _decoded(columns[meaning])
    return pc.if_else(pc.is_in(text, pa.array(NULL_TEXTS[:1] if meaning == "name" else NULL_TEXTS)), None, text)


def _decoded(column: pa.Array) -> pa.Array:
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        return column.cast(pa.string())
    raw = texts(column)
    try:
        return raw.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([cell and cell.decode("utf-8", "backslashreplace") for cell in raw.to_pylist()], pa.string())


def _is_there(columns: dict[str, pa.Array]) -> pa.Array:
    """Does the inventory say that the complete file is at the site? Anything that is not a clear yes counts as no."""
    there = pa.repeat(True, len(columns["path"]))
    if "state" in columns:
        there = pc.is_in(_decoded(columns["state"]), pa.array(AVAILABLE_STATES))
    if "complete" in columns:
        there = pc.and_(there, pc.is_in(pc.utf8_lower(_decoded(columns["complete"])), pa.array(COMPLETE)))
    return there


def _times(columns: dict[str, pa.Array], written: Written) -> Values:
    """Time of the last change; of the creation where there was none since. A time after tomorrow is none."""
    changed = column_of(columns, "time", lambda column: times(column, written))
    if "created" in columns and changed.values.null_count:
        unchanged = pc.and_(pc.is_null(changed.values), changed.ok)
        created = times(pc.if_else(unchanged, columns["created"], None), written)
        changed = Values(pc.coalesce(changed.values, created.values), pc.and_(changed.ok, created.ok))
    return Values(changed.values, pc.and_(changed.ok, pc.invert(far_ahead(changed.values, time.time()))))
