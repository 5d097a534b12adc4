"""The findings and the listing of a run as DuckDB views, so that no report needs them in memory."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import duckdb

from dynamo_consistency.kinds import FINDING_KINDS
from dynamo_consistency.run.database import memory_limit
from dynamo_consistency.run.listing.holes import HOLE_ENTRIES
from dynamo_consistency.run.store.leftovers import scratch_folder
from dynamo_consistency.run.store.run_directory import RunDirectory, shard_name

BATCH_ROWS = 10_000
_SHARD = re.compile(r"listing/shard-\d+\.json")
_MOST_MEMORY = 256 * 2**20  # reports sort and group; more than this is spilled to disk

_HOLES = "CREATE VIEW hole AS SELECT path, min(reason) AS reason FROM hole_entry GROUP BY path"


class Tables:
    """Views of complete files: one for each kind of finding, named like its file, then `listing` and its `hole`s."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.names: set[str] = set()

    def add(self, name: str, files: Sequence[str]) -> None:
        self._connection.read_parquet(list(files)).create_view(name)
        self.names.add(name)
        if name == "listing":
            self._connection.execute(HOLE_ENTRIES)
            self._connection.execute(_HOLES)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """A result that is known to be short."""
        return self._connection.execute(sql, list(parameters)).fetchall()

    def batches(self, sql: str) -> Iterator[list[tuple[Any, ...]]]:
        """A result of any length, in batches of rows."""
        result = self._connection.execute(sql)
        while rows := result.fetchmany(BATCH_ROWS):
            yield rows


@contextlib.contextmanager
def open_tables(run: RunDirectory) -> Iterator[Tables]:
    """The tables of `run`, valid inside the block. An unfinished listing is none: its shards are not shown."""
    with contextlib.ExitStack() as stack:
        spill = stack.enter_context(scratch_folder())
        memory = f"{min(_MOST_MEMORY, memory_limit() // 2) // 2**20}MiB"
        settings: dict[str, Any] = {"memory_limit": memory, "temp_directory": str(spill)}
        tables = Tables(stack.enter_context(duckdb.connect(config=settings)))
        for kind in FINDING_KINDS:
            if run.exists(kind.file):
                tables.add(kind.file_name, [str(stack.enter_context(run.reading(kind.file)))])
        if listing := _complete_listing(run):
            tables.add("listing", [str(stack.enter_context(run.reading(name))) for name in listing])
        yield tables


def shards(run: RunDirectory) -> list[dict[str, Any]]:
    """What each finished shard says of itself, in order of their numbers."""
    return [run.read_json(name) for name in run.names("listing") if _SHARD.fullmatch(name)]


def _complete_listing(run: RunDirectory) -> list[str]:
    """The files of the listing, or none when a shard has not come to its end or was removed to save room.

    Shards that the check lets fail may be lacking.
    """
    finished = shards(run)
    files = [f"{shard_name(shard['shard'])}.parquet" for shard in finished]
    allowed = run.check().spec.listing.max_failed_shards
    enough = bool(finished) and len(finished) >= finished[0]["shards"] - allowed
    return files if enough and all(run.exists(file) for file in files) else []
