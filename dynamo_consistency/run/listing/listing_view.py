"""The listing of a run as DuckDB sees it: the rows of all its shards, and what of them is a hole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from dynamo_consistency.listers.times import NO_TIME_BEFORE
from dynamo_consistency.run.database import columns_of, create_input, literal
from dynamo_consistency.run.listing.holes import HOLE_ENTRIES, OTHER_NAMES

if TYPE_CHECKING:
    import duckdb

_TIME = f"CASE WHEN kind <> 'file' OR mtime > {NO_TIME_BEFORE} THEN mtime END AS mtime"
"""Rule 3 does not rest on whoever wrote the listing: no file is old by a time of before 1980."""
_COLUMNS = f"path, kind, size, {_TIME}, reason"


def create_listing(
    database: duckdb.DuckDBPyConnection, files: Mapping[int, str], elsewhere: Iterable[str] = (), more: str = ""
) -> None:
    """Create `listing`, a table or a view, of `files`, by shard, and `alias` and `hole_entry` of it.

    `elsewhere`: files of other listings of the same site, in which a directory may stand under another name. `more`:
    further columns, such as `, key`.
    """
    rows = [
        f"SELECT {shard} AS shard, {_COLUMNS}, {_identity(database, file)}{more} FROM read_parquet({literal(file)})"
        for shard, file in files.items()
    ]
    create_input(database, "listing", " UNION ALL ".join(rows), files.values())
    others = [
        f"SELECT path, kind, size, mtime, {_identity(database, file)} FROM read_parquet({literal(file)})"
        for file in elsewhere
    ]
    database.execute("CREATE VIEW listed_elsewhere AS " + (" UNION ALL ".join(others) or _NOTHING))
    database.execute(HOLE_ENTRIES + OTHER_NAMES)


_NOTHING = "SELECT path, kind, size, mtime, identity FROM listing WHERE FALSE"


def _identity(database: duckdb.DuckDBPyConnection, file: str) -> str:
    """The column of identities; listings of former versions have none."""
    return "identity" if "identity" in columns_of(database, file) else "NULL::BIGINT AS identity"
