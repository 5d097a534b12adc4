"""Parquet files of runs that may be damaged: read as far as they can be, and named where not."""

from collections.abc import Iterator, Sequence
from typing import Any

from dynamo_consistency.errors import DamagedError
from dynamo_consistency.run.database import open_database
from dynamo_consistency.run.store.damage import tell_damage
from dynamo_consistency.run.store.run_directory import RunDirectory


def check_parquet(run: RunDirectory, name: str, columns: Sequence[str]) -> None:
    """Read `columns` of a Parquet file to the end. Raises DamagedError when it is not there or is damaged."""
    import duckdb

    if not run.exists(name):
        raise DamagedError(f"{run.url} has no {name}, although the run is complete")
    with run.reading(name) as path, open_database(tables=False) as database:
        try:
            database.execute(f"SELECT bit_xor(hash({', '.join(columns)})) FROM read_parquet(?)", [str(path)]).fetchall()
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as error:
            raise DamagedError(f"{run.url}/{name} is damaged: {_first_line(error)}") from None


def parquet_is_damaged(run: RunDirectory, name: str, columns: Sequence[str]) -> bool:
    """The same as a question; where it is damaged, people are told."""
    try:
        check_parquet(run, name, columns)
    except DamagedError as error:
        tell_damage(run, str(error))
        return True
    return False


def rows_of(
    run: RunDirectory, name: str, filters: Any, columns: Sequence[str] | None = None
) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet file that `filters`, as pyarrow knows them, let through; none where it is not there.

    None, and people are told, where it is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not run.exists(name):
        return
    with run.reading(name) as path:
        try:
            rows = pq.read_table(path, columns=None if columns is None else list(columns), filters=filters).to_pylist()
        except (pa.ArrowException, OSError) as error:
            tell_damage(run, f"{run.url}/{name} is damaged: {_first_line(error)}")
            return
    yield from rows


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]
