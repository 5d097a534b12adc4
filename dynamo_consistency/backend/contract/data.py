"""What passes between the engine and a backend: columns of an inventory, and what is known of files and requests."""

from datetime import UTC, datetime
from typing import Literal, NamedTuple

import pyarrow as pa

INVENTORY_COLUMNS = pa.schema(
    [
        pa.field("path", pa.binary()),  # LFN; null: a file whose path is not known
        pa.field("size", pa.int64()),  # bytes; null or negative: unknown
        pa.field("time", pa.int64()),  # seconds since 1970 of the entry's last change; null: unknown, long ago
        pa.field("in_flight", pa.bool_(), nullable=False),  # incomplete, unsubscribed, being transferred or deleted
        pa.field("dataset", pa.string()),  # null: unknown
        pa.field("block", pa.string()),
        pa.field("group", pa.string()),
    ]
)
"""Columns of a streamed inventory, in this order. A backend may add columns of its own after them (scope, name,
checksum, …): they travel with a finding to its registry."""

LABEL = pa.dictionary(pa.int32(), pa.string())
"""A type in which dataset, block and group may be streamed as well: most files share theirs with many others."""

ListedFile = tuple[str | bytes, int, datetime | None]
"""A file as `list_files` of a backend gives it: LFN, bytes (negative: unknown), time of its last change.

None is an unknown time, long ago; the public `inventory.list_files`, and our own backends, give `LONG_AGO` for it.
"""

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of a file of which the inventory knows none."""


class Known(NamedTuple):
    """What an inventory says of one file at a site, when it is asked for it by name; the columns are those of a stream.

    Where it has several entries of one file, one of them in flight is enough.
    """

    size: int | None
    in_flight: bool
    dataset: str | None
    time: int | None = None


class Outcome(NamedTuple):
    """What became of one request.

    requested: it is now waiting in the registry; waiting: it was there already and nothing was written; refused: the
    registry will not take it, and `message` says why in a sentence.
    """

    path: bytes
    outcome: Literal["requested", "waiting", "refused"]
    message: str = ""


class Asked(NamedTuple):
    """A request that an earlier run has made; `asked_at` in seconds since 1970."""

    path: bytes
    request: Literal["transfer", "delete"]
    run_id: str
    asked_at: float


Became = Literal["recovered", "lost", "queued", "removed", "kept", "unknown"]
"""What became of a request. recovered: the file is at the site again; lost: the inventory has given it up; queued: on
its way; removed: the file is gone from the site; kept: the registry has dropped the request and left the file."""

Withdrawn = Literal["withdrawn", "done", "unknown", "cannot"]
"""What became of the wish to withdraw a request. withdrawn: nothing of it waits any more; done: it was carried out
before, or is being carried out; unknown: the registry has no such request of ours; cannot: it still waits."""
