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
from dynamo_consistency.errors import BackendError, ListingError
from dynamo_consistency.listers.dump import parsing
from dynamo_consistency.listers.dump.formats import Cells
from dynamo_consistency.listers.dump.opening import as_listing_error, date_of, shown
from dynamo_consistency.listers.dump.whole_file import whole_file

log = logging.getLogger(__name__)

EXTRAS = ("scope", "name", "checksum")
AVAILABLE_STATES = ("A", "AVAILABLE")
COMPLETE = ("", "1", "true", "yes")
_DATE = "%Y-%m-%d %H:%M:%S"
NULL_TEXTS = ("", "null", "NULL", "None", "\\N")


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
        self.name = shown(source.url)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """`INVENTORY_COLUMNS`, then those of `EXTRAS` that the dump has; memory is flat.

        Raises BackendError for a dump that is too old, cut short, corrupt or empty, that has a line without a readable
        path, or none of the RSE: what came before is then worth nothing.
        """
        with _as_backend_error():
            self._refuse_if_old()
            with as_listing_error(self._source.url):
                for some in cells.read(self._source):
                    yield from self._batch(some)
            self._check_rows()

    def date(self) -> float:
        """When the dump was taken, in seconds since 1970. Raises BackendError when nothing tells."""
        with _as_backend_error():
            return date_of(self._source.url, self._source.date)

    def _refuse_if_old(self) -> None:
        age = time.time() - self.date()
        if age > self._source.max_age_seconds:
            raise BackendError(
                f"the inventory dump {self.name} is {age / 3600:.0f} hours old, more than maxAgeSeconds allows; "
                "publish a new one, or raise maxAgeSeconds and the check's ignoreAgeSeconds together"
            )

    def _batch(self, some: Cells) -> Iterator[pa.RecordBatch]:
        if some.unread:
            raise self._unreadable("does not have the columns", some.unread[0])
        columns = self._of_rse(some.columns)
        if not len(columns["path"]):
            return
        path = self._lfns(columns["path"])
        size, size_ok = _numbers(columns, "size")
        changed, changed_ok = _times(columns)
        sound = pc.and_(size_ok, changed_ok)
        group = _texts(columns, "group")
        unsubscribed = pc.fill_null(pc.equal(group, UNSUBSCRIBED), False)
        in_flight = pc.or_(pc.or_(pc.invert(sound), unsubscribed), pc.invert(_is_there(columns)))
        self._rows += len(path)
        self._in_doubt += len(path) - pc.sum(sound).as_py()
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
        refuse_if_unclear(names.filter(pc.invert(ours)), self._rse, self.name)
        self._other_rse = self._other_rse or next(iter(names.filter(pc.invert(ours)).to_pylist()), None)
        return {meaning: column.filter(ours) for meaning, column in columns.items()}

    def _lfns(self, column: pa.Array) -> pa.Array:
        if self._relative is None:
            self._relative = parsing.is_relative(column)
        path, ok = parsing.lfns(column, self._source.prefix, self._relative)
        if not pc.all(ok).as_py():
            (line, *_) = parsing.texts(column).filter(pc.invert(ok)).to_pylist()
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
    raw = parsing.texts(column)
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


def _numbers(columns: dict[str, pa.Array], meaning: str) -> parsing.Values:
    if meaning not in columns:
        return _unknown(len(columns["path"]))
    return parsing.sizes(_without_null(columns[meaning]))


def _times(columns: dict[str, pa.Array]) -> parsing.Values:
    """Time of the last change; of the creation where there was none since."""
    if "days" in columns:
        return parsing.days(columns["days"])
    changed = _dates(_without_null(columns["time"])) if "time" in columns else _unknown(len(columns["path"]))
    if "created" not in columns or changed.values.null_count == 0:
        return changed
    unchanged = pc.and_(pc.is_null(changed.values), changed.ok)
    created = _dates(pc.if_else(unchanged, _without_null(columns["created"]), None))
    return parsing.Values(pc.coalesce(changed.values, created.values), pc.and_(changed.ok, created.ok))


def _dates(column: pa.Array) -> parsing.Values:
    """Seconds since 1970. Databases write all their dates alike; a column with any other is read cell by cell."""
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        text = _decoded(column)
        seconds = pc.strptime(text, format=_DATE, unit="s", error_is_null=True)
        if seconds.null_count == text.null_count and pc.all(pc.equal(pc.strftime(seconds, format=_DATE), text)).as_py():
            return parsing.Values(seconds.cast(pa.int64()), pa.repeat(True, len(text)))
    return parsing.times(column)


def _without_null(column: pa.Array) -> pa.Array:
    """A column whose cells may say `null` in one of the ways in which databases write it."""
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return pc.if_else(pc.is_in(column, pa.array(NULL_TEXTS).cast(column.type)), None, column)
    return column


def _unknown(length: int) -> parsing.Values:
    return parsing.Values(pa.nulls(length, pa.int64()), pa.repeat(True, length))


def read_datasets(path: str) -> set[str]:
    """The datasets of a file; lines that start with `#` are comments.

    Raises BackendError when it cannot be read, is empty or lacks its last line end: a list that was cut short protects
    too little. A list of nothing says so in a comment.
    """
    try:
        with whole_file(path, f"the list of datasets {path}") as file:
            text = file.read().decode("utf-8")
    except ListingError as error:
        raise BackendError(str(error)) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BackendError(f"the list of datasets {path} cannot be read: {reason}") from None
    if not text.endswith("\n"):
        raise BackendError(
            f"the list of datasets {path} is empty or was cut short: its last line must end; if there are none, "
            "write the line `# none`"
        )
    lines = (line.strip() for line in text.split("\n"))
    return {line for line in lines if line and not line.startswith("#")}
