"""Which keys are doubtful: those that the two snapshots and the site do not have equally often, with one size.

The problem: a hash table of all keys takes as long as everything else, and memory for each of 10^8 keys. Sums over
buckets of some keys take neither: of most buckets the sum is nothing, and all keys in them are done with. Only the keys
in the others are looked at one by one.
"""

import duckdb

from dynamo_consistency.run.database import memory_limit

_KEY_BITS = 64
_FEW_ROWS = 1_000_000
"""For so many rows a hash table does."""
_ROWS_IN_BUCKET = 48
_BYTES_OF_BUCKET = 1024
"""That it takes at most of all memory."""

_OF_ALL = "INSERT INTO doubtful SELECT key FROM weighed GROUP BY key HAVING sum(weight) <> 0"
_OF_RANGE = """
    INSERT INTO doubtful
    WITH piece AS NOT MATERIALIZED (
      SELECT key, weight, key >> {shift} AS bucket FROM weighed WHERE key BETWEEN {first} AND {last}
    ),
    uneven AS MATERIALIZED (SELECT bucket FROM piece GROUP BY bucket HAVING sum(weight) <> 0)
    SELECT key FROM piece WHERE bucket IN (FROM uneven) GROUP BY key HAVING sum(weight) <> 0
"""


def find_doubtful(database: duckdb.DuckDBPyConnection, rows: int) -> None:
    """Fill the table `doubtful`; `rows`: of all three lists together.

    In as many ranges of keys, one after the other, as the memory for their buckets asks for.
    """
    if rows < _FEW_ROWS:
        database.execute(_OF_ALL)
        return
    bits = (rows // _ROWS_IN_BUCKET).bit_length()
    bits_of_range = max(0, bits - (memory_limit() // _BYTES_OF_BUCKET).bit_length() + 1)
    size = 1 << (_KEY_BITS - bits_of_range)
    for first in range(0, 1 << _KEY_BITS, size):
        database.execute(_OF_RANGE.format(shift=_KEY_BITS - bits, first=first, last=first + size - 1))
