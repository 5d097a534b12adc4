"""What a replica means for the comparison.

    A, no tombstone, or locked          expected: it must be there
    A, tombstone to come                expected: Rucio may let it go one day
    A, tombstone passed, not locked     in flight: it may be deleted at any time, or in months
    C                                   in flight: it is being copied or uploaded
    U                                   in flight: its transfer failed, or it is lost and on its way out
    B                                   in flight: it is being deleted
    D                                   in flight: it was declared bad, and the necromancer has not seen it
    T                                   in flight: known not to be readable now
    anything else                       in flight: we do not know it

Whatever its state, a replica is in flight while a request has the RSE as its destination, while a declaration that it
is bad is open, and while its path is in quarantine, for then the dark reaper deletes it.
"""

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

AVAILABLE = "A"
BAD = "B"
"""Of a declaration: the necromancer, or the transfer, is not through with it."""


def are_expected(
    states: pa.StringArray, lock_counts: pa.Int64Array, tombstones: pa.TimestampArray, now: datetime
) -> pa.BooleanArray:
    """Does each replica alone say that the file must be there? `now` and `tombstones` are UTC without a zone."""
    stays = pc.or_(pc.is_null(tombstones), pc.fill_null(pc.greater(tombstones, pa.scalar(now, tombstones.type)), False))
    locked = pc.fill_null(pc.greater(lock_counts, 0), False)
    return pc.and_(pc.fill_null(pc.equal(states, AVAILABLE), False), pc.or_(stays, locked))
