"""Rule 3 for files of unknown age: old is what stood, with its size, in a listing that is the ignore age older."""

import contextlib

import duckdb

from dynamo_consistency.errors import DamagedError
from dynamo_consistency.run.database import literal
from dynamo_consistency.run.records.history import comparable_runs
from dynamo_consistency.run.store.damage import tell_damage
from dynamo_consistency.run.store.run_directory import RunDirectory, shard_name

_DOUBTFUL = "looked_at WHERE of_unknown_age AND NOT young AND site_size IS NOT NULL AND path NOT IN (FROM stood)"


def find_what_stood(database: duckdb.DuckDBPyConnection, run: RunDirectory) -> None:
    """Fill the table `stood`, from the listings of complete runs of this check that are still there.

    The latest comes first: it knows most of the files, and those that it knows need not be looked for again.
    """
    if not _some(database):
        return
    [began] = database.execute("SELECT min(listed_at) FROM shard").fetchone() or (0,)
    newest_allowed = began - run.check().spec.comparison.ignore_age_seconds
    for earlier in reversed(comparable_runs(run.store, run)):
        try:
            files = _listing(earlier, newest_allowed)
            if files and _some(database):
                _look_into(database, earlier, files)
        except duckdb.OutOfMemoryException:
            raise
        except (DamagedError, KeyError, TypeError, duckdb.Error) as error:
            tell_damage(earlier, f"its listing is damaged: {str(error).partition(chr(10))[0]}")


def _some(database: duckdb.DuckDBPyConnection) -> bool:
    return database.execute(f"SELECT 1 FROM {_DOUBTFUL} LIMIT 1").fetchone() is not None


def _listing(earlier: RunDirectory, newest_allowed: int) -> list[str]:
    """The files of a listing that had come to its end by then; none where retention has removed one of them.

    A file may be younger than the beginning of the listing that met it. A dump is of one time, however long it is read.
    """
    listing = earlier.check().spec.listing
    by_dump = listing.source is not None and listing.source.dump is not None
    shards = [name for name in map(shard_name, range(listing.shards)) if earlier.exists(f"{name}.json")]
    for report in (earlier.read_json(f"{name}.json") for name in shards):
        if report["listedAt"] + (0 if by_dump else report["elapsedSeconds"]) > newest_allowed:
            return []
    files = [f"{name}.parquet" for name in shards]
    return files if all(map(earlier.exists, files)) else []


def _look_into(database: duckdb.DuckDBPyConnection, earlier: RunDirectory, files: list[str]) -> None:
    with contextlib.ExitStack() as inputs:
        names = ", ".join(literal(str(inputs.enter_context(earlier.reading(file)))) for file in files)
        database.execute(f"""
            INSERT INTO stood SELECT DISTINCT f.path
            FROM (FROM {_DOUBTFUL}) AS f
            JOIN read_parquet([{names}]) AS e ON e.kind = 'file' AND e.path = f.path AND e.size = f.site_size
        """)
