"""DuckDB as the stages use it: in memory up to a bound, spilling to a scratch folder; and how to write its literals."""

import contextlib
import tempfile
from collections.abc import Iterator

import duckdb

from dynamo_consistency import paths
from dynamo_consistency.run.memory import memory_limit


@contextlib.contextmanager
def open_database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that spills to a scratch folder; a part of the memory is left to Python and Arrow."""
    with tempfile.TemporaryDirectory(prefix="dynamo-consistency-") as scratch, duckdb.connect() as database:
        database.execute(f"SET memory_limit = '{memory_limit() * 6 // 10 // 2**20}MiB'")
        database.execute(f"SET temp_directory = {literal(scratch)}")
        database.execute("SET preserve_insertion_order = false")
        yield database


def within(column: str, directory: bytes) -> str:
    """The condition that the path in `column` is strictly below `directory`."""
    first, past = paths.subtree(directory)
    return f"({column} >= {blob(first)} AND {column} < {blob(past)})"


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def blob(path: bytes) -> str:
    return "'" + "".join(f"\\x{byte:02X}" for byte in path) + "'::BLOB"
