"""What is asked of a whole column at once, because that is much faster than cell by cell."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import pyarrow as pa

Rows = TypeVar("Rows", "pa.Array", "pa.RecordBatch")
_LARGE = ("large_binary", "large_string")
_SAMPLE, _ROWS_OF_EACH = 100, 4
_SUMMED_SAFELY = 2**40  # bytes of one file, of which a column has fewer than 2**23


def joined(column: "pa.Array") -> bytes:
    """The cells of a column of bytes or text, one directly behind the other: to look for what hardly any cell has.

    What a cell has is in it. What is in it may also be of two neighbours, or of a cell that is null.
    """
    return bytes(_data(column))


def _data(column: "pa.Array") -> memoryview:
    _, offsets, data = column.buffers()
    if not len(column) or data is None:
        return memoryview(b"")
    ends = memoryview(offsets).cast("B").cast("q" if str(column.type) in _LARGE else "i")
    return memoryview(data)[ends[column.offset] : ends[column.offset + len(column)]]


def _numbers(data: memoryview, kind: "pa.DataType") -> "pa.Array":
    """Bytes as numbers of this type; what is left over at the end is not in it."""
    import pyarrow as pa

    return pa.Array.from_buffers(kind, len(data) * 8 // kind.bit_width, [None, pa.py_buffer(data)])


def has_only(column: "pa.Array", first: bytes, last: bytes) -> bool:
    """Is each byte of `joined` one of those from `first` to `last`?"""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.min_max(_numbers(_data(column), pa.uint8())).as_py()
    return found["min"] is None or (found["min"] >= ord(first) and found["max"] <= ord(last))


def has_odd_names(column: "pa.Array") -> bool:
    """Is there `//` or `/.` in `joined`? That takes a third of the time of a regular expression, as hardly any has.

    Pairs of bytes are numbers, once from the first byte and once from the second. Dot and slash differ in the last bit.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    data = _data(column)
    for pairs in (_numbers(data, pa.uint16()), _numbers(data[1:], pa.uint16())):
        others = pc.bit_wise_and(pc.bit_wise_xor(pairs, _number(b"/.")), _number(b"\xff\xfe"))
        if pc.min(others).as_py() == 0:
            return True
    return False


def _number(pair: bytes) -> "pa.Scalar":
    import pyarrow as pa

    return pa.scalar(int.from_bytes(pair, sys.byteorder), pa.uint16())


def filtered(rows: "Rows", mask: "pa.Array") -> "Rows":
    """The rows for which `mask` is true; where it is for all, without a copy."""
    import pyarrow.compute as pc

    return rows if pc.all(mask).as_py() else rows.filter(mask)


def total(sizes: "pa.Array") -> int:
    """Their sum; negative and unknown ones count nothing. Arrow's own sum goes round where it is too large."""
    import pyarrow.compute as pc

    known = pc.max_element_wise(sizes, 0)
    if (pc.max(known).as_py() or 0) < _SUMMED_SAFELY:
        return pc.sum(known).as_py() or 0
    return sum(known.to_pylist())


def labels(values: "pa.Array", places: "pa.Array") -> "pa.DictionaryArray":
    """What stands at each of some places; each value is once in the dictionary."""
    import pyarrow as pa

    few = values.dictionary_encode()
    return pa.DictionaryArray.from_arrays(few.indices.take(places), few.dictionary)


def directories_above(paths: "pa.Array") -> "Iterator[pa.Array]":
    """What some paths lie in, level by level, each directory once a level; absolute ones, without the root of all."""
    import pyarrow.compute as pc

    while len(paths):
        parents = pc.unique(pc.list_element(pc.split_pattern(paths, b"/", max_splits=1, reverse=True), 0))
        paths = parents.filter(pc.match_substring(parents, b"/"))
        yield paths


def before_slash(paths: "pa.Array", number: int) -> "pa.Array":
    """What stands before the slash of this number in each path; the path where it has fewer."""
    import pyarrow.compute as pc

    # a regular expression takes twice as long
    return pc.binary_join(pc.list_slice(pc.split_pattern(paths, b"/", max_splits=number), 0, number), b"/")


def few_before_slash(paths: "pa.Array", number: int) -> "pa.DictionaryArray | None":
    """The same as labels; None where a path has fewer slashes, and where there are too many for it to be quick.

    Nearly all are about as long as the longest of the first rows. So much is cut out of each path, and of what is equal
    then, only one is looked into: that takes a fifth of the time.
    """
    import pyarrow.compute as pc

    longest = pc.max(pc.binary_length(before_slash(paths[:_SAMPLE], number))).as_py() or 0
    cut = pc.binary_slice(paths, 0, longest + 1).dictionary_encode()
    if not 0 < len(cut.dictionary) * _ROWS_OF_EACH <= len(paths):
        return None
    if pc.min(pc.count_substring(cut.dictionary, b"/")).as_py() < number:
        return None
    return labels(before_slash(cut.dictionary, number), cut.indices)
