"""Cells of a dump as values: LFNs, sizes and times. Each function also returns which cells it could not read."""

import math
from datetime import UTC, datetime
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency import paths
from dynamo_consistency.listers.times import whole_seconds

_DAY = 86400
_NO_NAME = r"/\.\.?(/|$)"  # a component that is no name
_BYTES = r"^[0-9]{1,18}$"
_DAYS = r"^[0-9]{1,5}$"
# Shorter numbers are days or something else: taken for seconds they would make every file look old.
_SECONDS = r"^(0|[0-9]{9,15})(\.[0-9]*)?$"
_LEAST_SECONDS = 10**8
_DATE_ONLY = len("2026-11-22")


class Values(NamedTuple):
    """`values`, null where the cell is empty or unreadable; `ok`, false where it is unreadable. Both of one length."""

    values: pa.Array
    ok: pa.Array


def is_relative(column: pa.Array) -> bool:
    """Are the paths written without the leading slash? The first one decides; all others must be alike."""
    first = texts(column)[:1].to_pylist()
    return bool(first) and not (first[0] or b"/").startswith(b"/")


def lfns(column: pa.Array, prefix: str = "", relative: bool = False) -> Values:
    """The LFNs of the paths that start with `prefix`, which is cut off at a component boundary."""
    raw = pc.fill_null(texts(column), b"")
    alike = pc.xor(pc.starts_with(raw, b"/"), relative)
    if relative:
        raw = pc.binary_join_element_wise(b"", raw, b"/")
    while pc.any(pc.match_substring(raw, b"//")).as_py():
        raw = pc.replace_substring(raw, b"//", b"/")
    before = paths.to_bytes(prefix)
    inside = pc.and_(alike, pc.starts_with(raw, before + b"/"))
    ok = pc.and_(inside, pc.invert(pc.ends_with(raw, b"/")))
    if pc.any(pc.match_substring(raw, b"/.")).as_py():
        ok = pc.and_(ok, pc.invert(pc.match_substring_regex(raw, _NO_NAME)))
    # only where ok, the first occurrence is the one at the start (binary_slice fails on some arrays: arrow 26)
    return Values(pc.replace_substring(raw, before, b"", max_replacements=1) if before else raw, ok)


def sizes(column: pa.Array) -> Values:
    """Sizes in bytes (int64), which are not negative; an empty cell means unknown."""
    if _is_text(column):
        return _numbers(texts(column), _BYTES)
    numbers = _whole(column)
    return _only(numbers, pc.greater_equal(numbers, 0))


def times(column: pa.Array) -> Values:
    """Seconds since 1970, from seconds or from ISO 8601 (UTC unless it says otherwise); an empty cell means unknown.

    Fractions are rounded up, so that no file looks older than it is.
    """
    if _is_text(column):
        seconds = _numbers(texts(column), _SECONDS)
        return seconds if pc.all(seconds.ok).as_py() else _with_dates(texts(column), seconds)
    if pa.types.is_date(column.type):
        return _only(_end_of_day(column.cast(pa.date32()).cast(pa.int32()).cast(pa.int64())), pa.scalar(True))
    if pa.types.is_temporal(column.type):
        full = pa.timestamp("s", tz=getattr(column.type, "tz", None))
        return _only(pc.ceil_temporal(column, unit="second").cast(full, safe=False).cast(pa.int64()), pa.scalar(True))
    numbers = _whole(column)
    return _only(numbers, pc.or_(pc.equal(numbers, 0), pc.greater_equal(numbers, _LEAST_SECONDS)))


def days(column: pa.Array) -> Values:
    """Seconds since 1970 of the end of a day that is given in days since 1970: the file is no younger than that."""
    number, ok = _numbers(texts(column), _DAYS)
    return Values(_end_of_day(number), ok)


def _whole(column: pa.Array) -> pa.Array:
    """Numbers of any type, rounded up, as int64; null where they do not fit, or are no numbers (nan)."""
    try:
        return (column if pa.types.is_integer(column.type) else pc.ceil(column)).cast(pa.int64())
    except pa.ArrowInvalid:
        return pa.array(map(whole_seconds, column.to_pylist()), pa.int64())


def _end_of_day(number: pa.Array) -> pa.Array:
    return pc.add(pc.multiply(number, _DAY), _DAY - 1)


def texts(column: pa.Array) -> pa.Array:
    """A column of strings as bytes."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.binary())


def _is_text(column: pa.Array) -> bool:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return kind in (pa.binary(), pa.large_binary(), pa.string(), pa.large_string())


def _numbers(cells: pa.Array, pattern: str) -> Values:
    readable = pc.fill_null(pc.match_substring_regex(cells, pattern), False)
    empty = pc.fill_null(pc.equal(pc.binary_length(cells), 0), True)
    digits = pc.if_else(readable, cells, None)
    fraction = pc.match_substring(digits, b".")
    if pc.any(fraction).as_py():
        digits = pc.replace_substring_regex(digits, r"\..*", "")
    numbers = pc.add(digits.cast(pa.string()).cast(pa.int64()), fraction.cast(pa.int64()))
    return Values(numbers, pc.or_(readable, empty))


def _with_dates(cells: pa.Array, seconds: Values) -> Values:
    """`seconds`, and the cells that are no numbers read as dates."""
    dates = pc.if_else(seconds.ok, None, cells)
    times_found = pa.array(
        [_date_seconds(cell) if cell is not None else None for cell in dates.to_pylist()], pa.int64()
    )
    return Values(pc.coalesce(seconds.values, times_found), pc.or_(seconds.ok, pc.is_valid(times_found)))


def _date_seconds(cell: bytes) -> int | None:
    """A date without a time means its end: the file is no younger than that."""
    try:
        when = datetime.fromisoformat(cell.decode("ascii"))
    except ValueError:
        return None
    seconds = math.ceil((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
    return seconds + _DAY - 1 if len(cell) <= _DATE_ONLY else seconds


def _only(values: pa.Array, ok: pa.Array) -> Values:
    ok = pc.or_kleene(ok, pc.is_null(values))
    return Values(pc.if_else(ok, values, None), ok)
