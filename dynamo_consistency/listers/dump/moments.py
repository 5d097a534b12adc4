"""Times of a list as seconds since 1970, in whatever unit, pattern and zone they are written. Never rounded down."""

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency.check import ListFile
from dynamo_consistency.listers.dump.columns import Layout
from dynamo_consistency.listers.dump.values import (
    Values,
    is_text,
    numbers,
    only,
    plain_numbers,
    texts,
    whole,
    without_null,
)

_DAY = 86400
_DAYS = r"^[0-9]{1,5}$"
_MOST_DAYS = 10**5
# Shorter numbers are days or something else: taken for seconds they would make every file look old.
_SECONDS = r"^(0|[0-9]{9,15})(\.[0-9]*)?$"
_DIGITS_OF_SECONDS = (9, 15)
_LEAST_SECONDS = 10**8
_PER_SECOND = {"ms": 1000, "us": 1_000_000}
_DIGITS = r"^[0-9]{1,18}(\.[0-9]*)?$"
_USUAL = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")
_DATE_ONLY, _TO_THE_MINUTE = len("2026-11-22"), len("2026-11-22 04:30")


class Written(NamedTuple):
    """How times are written.

    `unit` is as `timeFormat` says it, None for seconds or ISO 8601; `zone` counts where they say none.
    """

    unit: str | None = None
    zone: ZoneInfo = ZoneInfo("UTC")

    @classmethod
    def of(cls, source: ListFile, layout: Layout) -> "Written":
        """What the source says, else the format."""
        unit = source.time_format or (layout.pattern.times if layout.pattern else None)
        return cls(unit, ZoneInfo(source.time_zone))


def times(column: pa.Array, written: Written = Written()) -> Values:  # noqa: B008 (it cannot be changed)
    """Seconds since 1970; an empty or null cell means unknown.

    Fractions are rounded up, and a date, day or minute means its end, so that no file looks older than it is. A time
    that a clock shows twice, or not at all, is the later one.
    """
    if not is_text(column):
        return _of_type(column, written)
    cells = texts(column)
    if written.unit in (None, "s"):
        return plain_numbers(cells, *_DIGITS_OF_SECONDS) or _seconds(without_null(cells), written)
    cells = without_null(cells)
    if written.unit in _PER_SECOND:
        return _fractions(cells, _PER_SECOND[written.unit])
    if written.unit == "days":
        number, ok = numbers(cells, _DAYS)
        return Values(_end_of_day(number), ok)
    return _with_pattern(cells, written)


def _seconds(cells: pa.Array, written: Written) -> Values:
    seconds = numbers(cells, _SECONDS)
    if written.unit == "s" or pc.all(seconds.ok).as_py():
        return seconds
    return _with_dates(cells, seconds, written)


def _of_type(column: pa.Array, written: Written) -> Values:
    if pa.types.is_date(column.type):
        return only(_end_of_day(column.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())), pa.scalar(True))
    if pa.types.is_temporal(column.type):
        full = pa.timestamp("s", tz=getattr(column.type, "tz", None))
        rounded = pc.ceil_temporal(column, unit="second").cast(full, safe=False)
        return only(_in_zone(rounded, written) if full.tz is None else rounded.cast(pa.int64()), pa.scalar(True))
    if written.unit in _PER_SECOND:
        column = pc.divide(column.cast(pa.float64()), _PER_SECOND[written.unit])
    elif written.unit == "days":
        days = whole(column)
        return only(_end_of_day(pc.if_else(pc.less(pc.abs(days), _MOST_DAYS), days, None)), pa.scalar(True))
    seconds = whole(column)
    return only(seconds, pc.or_(pc.equal(seconds, 0), pc.greater_equal(seconds, _LEAST_SECONDS)))


def _fractions(cells: pa.Array, per_second: int) -> Values:
    """From thousandths or millionths of a second."""
    number, ok = numbers(cells, _DIGITS)
    seconds = pc.divide(pc.add(number, per_second - 1), per_second)
    likely = pc.fill_null(pc.or_(pc.equal(seconds, 0), pc.greater_equal(seconds, _LEAST_SECONDS)), True)
    return Values(pc.if_else(likely, seconds, None), pc.and_(ok, likely))


def _end_of_day(number: pa.Array) -> pa.Array:
    return pc.add(pc.multiply(number, _DAY), _DAY - 1)


def _in_zone(moments: pa.Array, written: Written) -> pa.Array:
    """Seconds since 1970 of moments without a zone."""
    if written.zone.key == "UTC":
        return moments.cast(pa.int64())
    there = pc.assume_timezone(moments, written.zone.key, ambiguous="latest", nonexistent="latest")
    return there.cast(pa.int64())


def _with_dates(cells: pa.Array, seconds: Values, written: Written) -> Values:
    """`seconds`, and the cells that are no numbers read as dates; databases write all their dates alike."""
    dates = pc.if_else(seconds.ok, None, cells)
    alike = (_alike(dates, form, written) for form in _USUAL)
    found = next((times for times in alike if times is not None), None)
    if found is None:
        found = _one_by_one(dates, lambda cell: _date_seconds(cell, written.zone))
    return Values(pc.coalesce(seconds.values, found), pc.or_(seconds.ok, pc.is_valid(found)))


def _alike(cells: pa.Array, form: str, written: Written) -> pa.Array | None:
    """The cells read by a pattern; None unless all of them are written by it to the letter."""
    try:
        text = cells.cast(pa.string())
    except pa.ArrowInvalid:
        return None
    moments = pc.strptime(text, format=form, unit="s", error_is_null=True)
    if moments.null_count != text.null_count or not pc.all(pc.equal(pc.strftime(moments, format=form), text)).as_py():
        return None
    return pc.add(_in_zone(moments, written), _precision(form) - 1)


def _with_pattern(cells: pa.Array, written: Written) -> Values:
    """Times by the pattern of a person. Those with a zone in them, or with names of months, are read one by one."""
    form = str(written.unit)
    found = None if re.search("%[^YmdHMSTFj]", form) else _alike(cells, form, written)
    if found is None:
        found = _one_by_one(cells, lambda cell: _by_pattern(cell, form, written.zone))
    return Values(found, pc.or_(pc.is_null(cells), pc.is_valid(found)))


def _one_by_one(cells: pa.Array, read: Callable[[bytes], int | None]) -> pa.Array:
    return pa.array([None if cell is None else read(cell) for cell in cells.to_pylist()], pa.int64())


def _precision(form: str) -> int:
    """How many seconds a time by this pattern leaves open."""
    if re.search("%[STcXs]", form):
        return 1
    return 60 if "%M" in form else 3600 if re.search("%[HI]", form) else _DAY


def _by_pattern(cell: bytes, form: str, zone: ZoneInfo) -> int | None:
    try:
        when = datetime.strptime(cell.decode("ascii"), form)
        return _latest(when, zone) + _precision(form) - 1
    except (ValueError, OverflowError):
        return None


def _date_seconds(cell: bytes, zone: ZoneInfo) -> int | None:
    """A date without a time, or a minute, means its end: the file is no younger than that."""
    try:
        seconds = _latest(datetime.fromisoformat(cell.decode("ascii")), zone)
    except (ValueError, OverflowError):
        return None
    if len(cell) <= _DATE_ONLY:
        return seconds + _DAY - 1
    return seconds + 59 if len(cell) == _TO_THE_MINUTE else seconds


def _latest(when: datetime, zone: ZoneInfo) -> int:
    moments = [when] if when.tzinfo else [when.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
    return math.ceil(max(moment.timestamp() for moment in moments))
