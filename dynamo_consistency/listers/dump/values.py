"""Cells as numbers and texts; each function also says which cells it could not read."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency.columns import has_only
from dynamo_consistency.listers.times import whole_seconds

NULL_TEXTS = ("", "null", "NULL", "Null", "None", "\\N", "N/A")
"""How databases write that they know nothing."""
AROUND = "^(?:[ \\t\\r\\v\\f]|\\xc2\\xa0)+|(?:[ \\t\\r\\v\\f]|\\xc2\\xa0)+$"
"""A pattern for the blanks around a cell, with the bytes of a no-break space."""
_TEXTS = (pa.binary(), pa.large_binary(), pa.binary_view(), pa.string(), pa.large_string(), pa.string_view())
_BYTES = r"^[0-9]{1,18}$"


class Values(NamedTuple):
    """`values`, null where the cell is empty or unreadable; `ok`, false where it is unreadable. Both of one length."""

    values: pa.Array
    ok: pa.Array


def sizes(column: pa.Array) -> Values:
    """Sizes in bytes (int64), which are not negative; an empty or null cell means unknown."""
    if is_text(column):
        cells = texts(column)
        return plain_numbers(cells, 1, 18) or numbers(without_null(cells), _BYTES)
    values = whole(column)
    return only(values, pc.greater_equal(values, 0))


def whole(column: pa.Array) -> pa.Array:
    """Numbers of any type, rounded up, as int64; null where they do not fit, or are no numbers (nan)."""
    try:
        return (column if pa.types.is_integer(column.type) else pc.ceil(column)).cast(pa.int64())
    except pa.ArrowInvalid:
        return pa.array(map(whole_seconds, column.to_pylist()), pa.int64())


def column_of(columns: Mapping[str, pa.Array], meaning: str, read: Callable[[pa.Array], Values]) -> Values:
    """The values of a column of some lines, which have a `path`; unknown where the list does not have it."""
    if meaning in columns:
        return read(columns[meaning])
    length = len(columns["path"])
    return Values(pa.nulls(length, pa.int64()), pa.repeat(True, length))


def texts(column: pa.Array) -> pa.Array:
    """A column of strings as bytes."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.binary())


def without_null(cells: pa.Array) -> pa.Array:
    """Cells of bytes of which some may say `null` in one of the ways in which databases write it."""
    nulls = pa.array([text.encode() for text in NULL_TEXTS], cells.type)
    return pc.if_else(pc.is_in(cells, nulls), None, cells)


def is_text(column: pa.Array) -> bool:
    """Are these cells as they are written, and not of a type of Parquet?"""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    return kind in _TEXTS


def numbers(cells: pa.Array, pattern: str) -> Values:
    """The whole numbers that fit the pattern; fractions are rounded up. `cells`: bytes, null where they are empty."""
    readable = pc.fill_null(pc.match_substring_regex(cells, pattern), False)
    empty = pc.is_null(cells)
    digits = pc.if_else(readable, cells, None)
    if pc.any(pc.match_substring(digits, b".")).as_py():
        more = pc.match_substring_regex(digits, r"\.0*[1-9]").cast(pa.int64())
        digits = pc.replace_substring_regex(digits, r"\..*", "")
        return Values(pc.add(digits.cast(pa.string()).cast(pa.int64()), more), pc.or_(readable, empty))
    values = digits.cast(pa.string()).cast(pa.int64())
    return Values(values, pc.or_(readable, empty))


def plain_numbers(cells: pa.Array, least: int, most: int) -> Values | None:
    """The numbers where each cell has so many digits and nothing else; None where any is otherwise."""
    if not len(cells) or cells.null_count or not has_only(cells, b"0", b"9"):
        return None
    lengths = pc.min_max(pc.binary_length(cells)).as_py()
    if lengths["min"] < least or lengths["max"] > most:
        return None
    return Values(cells.cast(pa.string()).cast(pa.int64()), pa.repeat(True, len(cells)))


def only(values: pa.Array, ok: pa.Array) -> Values:
    """`values` where `ok`; null is always."""
    ok = pc.or_kleene(ok, pc.is_null(values))
    return Values(pc.if_else(ok, values, None), ok)
