"""Rule 13: the one form of all spellings of a name (`paths.folded`), and what was known of that before.

Names of ASCII alone, without an escape, are folded by SQL.
"""

import duckdb

from dynamo_consistency import paths
from dynamo_consistency.kinds import MISSING
from dynamo_consistency.run.database import SqlRow, columns_of, fill
from dynamo_consistency.run.records.damage import parquet_is_damaged
from dynamo_consistency.run.records.history import complete_before
from dynamo_consistency.run.store.run_directory import RunDirectory

_NOT_PLAIN = r"regexp_matches(path::VARCHAR, '\\x|%|/ | /| $')"
"""As text, what is not printable ASCII is an escape, and so is a backslash."""
_QUESTION = f"""
    SELECT path FROM unpaired
    WHERE {_NOT_PLAIN} AND EXISTS (FROM unpaired WHERE absent) AND EXISTS (FROM unpaired WHERE NOT absent)
"""


def fold_names(database: duckdb.DuckDBPyConnection) -> None:
    """Fill the table `folded` for what has no counterpart at the other side."""

    def spellings(rows: list[SqlRow]) -> list[SqlRow]:
        return [(path, paths.folded(path)) for (path,) in rows]

    fill(database, "folded", _QUESTION, spellings)


def _readable(run: RunDirectory) -> bool:
    return run.exists(MISSING.file) and not parquet_is_damaged(run, MISSING.file, ["path"])


def remember_renamed(database: duckdb.DuckDBPyConnection, run: RunDirectory) -> None:
    """Fill the table `renamed_before` with the missing files that the last complete run of this check marked `renamed`.

    A directory that answers empty today shows neither name, and so does not prove that the other one has gone.
    """
    last = next(filter(_readable, reversed(complete_before(run.store, run))), None)
    if last is None:
        return
    with last.reading(MISSING.file) as path:
        if "mark" in columns_of(database, str(path)):
            database.execute(
                "INSERT INTO renamed_before SELECT path FROM read_parquet(?) WHERE mark = 'renamed'", [str(path)]
            )
