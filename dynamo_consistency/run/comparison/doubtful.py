"""Which keys are doubtful: those that the two snapshots and the site do not have once each, with one size.

The problem: a hash table of all rows takes as long as everything else, and memory for each of 10^8 keys. Sums over
buckets of some keys take neither: of most buckets the sum is nothing, and all keys in them are had equally often. Only
the keys in the others are looked at one by one. What all have equally often, but several times (rule 10), the first
snapshot has several times: its keys alone are few enough for a hash table, in several parts.
"""

from collections.abc import Iterator

import duckdb

from dynamo_consistency.run.database import memory_limit

_KEY_BITS = 64
_FEW_ROWS = 1_000_000
"""For so many rows a hash table does."""
_ROWS_IN_BUCKET = 48
_BYTES_OF_BUCKET = 1024
"""That it takes at most of all memory."""
_BYTES_OF_KEY = 256
"""The same, of a key of the first snapshot; with half of it the peak is twice as high, and the time the same."""

_OF_ALL = "INSERT INTO doubtful SELECT key FROM weighed GROUP BY key HAVING sum(weight) <> 0 OR count(*) <> 3"
_UNEVEN = """
    INSERT INTO doubtful
    WITH piece AS NOT MATERIALIZED (
      SELECT key, weight, key >> {shift} AS bucket FROM weighed WHERE key BETWEEN {first} AND {last}
    ),
    uneven AS MATERIALIZED (SELECT bucket FROM piece GROUP BY bucket HAVING sum(weight) <> 0)
    SELECT key FROM piece WHERE bucket IN (FROM uneven) GROUP BY key HAVING sum(weight) <> 0
"""
_SEVERAL_TIMES = """
    INSERT INTO doubtful
    SELECT key FROM inventory_before WHERE root IS NOT NULL AND key BETWEEN {first} AND {last}
    GROUP BY key HAVING count(*) > 1
"""


def find_doubtful(database: duckdb.DuckDBPyConnection, rows: int) -> None:
    """Fill the table `doubtful`, some twice; `rows`: of all three lists together.

    In as many ranges of keys, one after the other, as the memory for what is held of each asks for.
    """
    if rows < _FEW_ROWS:
        database.execute(_OF_ALL)
        return
    bits = (rows // _ROWS_IN_BUCKET).bit_length()
    for first, last in _ranges(bits, _BYTES_OF_BUCKET):
        database.execute(_UNEVEN.format(shift=_KEY_BITS - bits, first=first, last=last))
    for first, last in _ranges((rows // 3).bit_length(), _BYTES_OF_KEY):
        database.execute(_SEVERAL_TIMES.format(first=first, last=last))


def _ranges(bits: int, size: int) -> Iterator[tuple[int, int]]:
    """(first, last key) of ranges for which 2^bits things of this size, of all keys, suffice the memory."""
    bits_of_range = max(0, bits - (memory_limit() // size).bit_length() + 1)
    keys = 1 << (_KEY_BITS - bits_of_range)
    for first in range(0, 1 << _KEY_BITS, keys):
        yield first, first + keys - 1
