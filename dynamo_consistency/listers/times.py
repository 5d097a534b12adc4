"""Which times and sizes of a storage can be what they say. What cannot is unknown, and an unknown age is young.

Storages write 0, the year 1 or a day of 1979 where they know no time; a broken clock or file system writes anything.
"""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

NO_TIME_BEFORE = 315_532_800
"""1980-01-01T00:00:00Z: at or before it no file of a grid was written."""
MOST_SECONDS_AHEAD = 86_400
"""A clock that is further ahead than that tells nothing."""
SIZES_END = 1 << 62
"""No file has so many bytes; sums of sizes below it are far from the end of 64 bits as long as they are few."""

_END = 1 << 63


def known_time(mtime: float | None, listed_at: float) -> int | None:
    """`mtime` in seconds since 1970, rounded up, as of a listing that began at `listed_at`; None: not known.

    None for what is no number, at or before 1980, or more than a day after the listing.
    """
    if mtime is None or not NO_TIME_BEFORE < mtime <= listed_at + MOST_SECONDS_AHEAD:  # also false for nan
        return None
    return math.ceil(mtime)


def known_size(size: int | None) -> int | None:
    """`size` in bytes; None where it is not known: negative, or more than any file has."""
    return size if size is not None and 0 <= size < SIZES_END else None


def whole_seconds(mtime: float | None) -> int | None:
    """What foreign code gives as a time, in whole seconds, rounded up: in doubt a file is younger, and left alone.

    None for what is no number of seconds in 64 bits. Raises TypeError for what is no number at all.
    """
    if mtime is None or not -_END <= mtime < _END:
        return None
    return math.ceil(mtime)


def whole_bytes(size: float | None) -> int | None:
    """What foreign code gives as a size; None for an unknown one, -1 for example. Raises as `whole_seconds` does."""
    return int(size) if size is not None and not isinstance(size, bool) and 0 <= size < _END else None


def each_known_time(mtimes: list[int | None], listed_at: float) -> list[int | None]:
    """`known_time` of each, quickly where all are known."""
    if mtimes and None not in mtimes:
        times: list[int] = mtimes  # type: ignore[assignment]
        if min(times) > NO_TIME_BEFORE and max(times) <= listed_at + MOST_SECONDS_AHEAD:
            return mtimes
    return [known_time(mtime, listed_at) for mtime in mtimes]


def each_known_size(sizes: list[int | None]) -> list[int | None]:
    """`known_size` of each, quickly where all are known."""
    if sizes and None not in sizes:
        known: list[int] = sizes  # type: ignore[assignment]
        if min(known) >= 0 and max(known) < SIZES_END:
            return sizes
    return [known_size(size) for size in sizes]


def known_times(mtimes: "pa.Array", listed_at: float) -> "pa.Array":
    """`known_time` for a column of whole seconds."""
    import pyarrow as pa
    import pyarrow.compute as pc

    latest = math.floor(listed_at) + MOST_SECONDS_AHEAD
    known = pc.and_(pc.greater(mtimes, NO_TIME_BEFORE), pc.less_equal(mtimes, latest))
    return pc.if_else(known, mtimes, pa.scalar(None, pa.int64()))


def far_ahead(mtimes: "pa.Array", listed_at: float) -> "pa.Array":
    """Which of some whole seconds are more than a day after the listing, as no clock tells them; not the unknown."""
    import pyarrow.compute as pc

    return pc.fill_null(pc.greater(mtimes, math.floor(listed_at) + MOST_SECONDS_AHEAD), False)


def known_sizes(sizes: "pa.Array") -> "pa.Array":
    """`known_size` for a column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pc.and_(pc.greater_equal(sizes, 0), pc.less(sizes, SIZES_END))
    return pc.if_else(known, sizes, pa.scalar(None, pa.int64()))
