"""What is asked of a whole column at once, because that is much faster than cell by cell."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_LARGE = ("large_binary", "large_string")
_SUMMED_SAFELY = 2**40  # bytes of one file, of which a column has fewer than 2**23


def joined(column: "pa.Array") -> bytes:
    """The cells of a column of bytes or text, one directly behind the other: to look for what hardly any cell has.

    What a cell has is in it. What is in it may also be of two neighbours, or of a cell that is null.
    """
    _, offsets, data = column.buffers()
    if not len(column) or data is None:
        return b""
    ends = memoryview(offsets).cast("B").cast("q" if str(column.type) in _LARGE else "i")
    first, last = ends[column.offset], ends[column.offset + len(column)]
    return bytes(data.slice(first, last - first).to_pybytes())


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
