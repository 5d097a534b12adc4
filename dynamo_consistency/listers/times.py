"""Which times and sizes that a storage shows are believed."""

import math

EPOCH_OF_FILES = 315_532_800
"""1980-01-01T00:00:00Z: at or before it a time is no time, but what a storage writes where it knows none."""
DAY = 86_400
_MOST_BYTES = 2**62
_INT64 = 2**63


def known_time(mtime: float | None, listed_at: float) -> int | None:
    """Seconds since 1970, rounded up; None for what is no time: too early, or more than a day after `listed_at`."""
    if mtime is None or not math.isfinite(mtime) or not -_INT64 <= mtime < _INT64:
        return None
    seconds = math.ceil(mtime)
    return seconds if EPOCH_OF_FILES < seconds <= listed_at + DAY else None


def known_size(size: int | None) -> int | None:
    """Bytes; None for what no file has."""
    return size if size is not None and 0 <= size < _MOST_BYTES else None
