"""The findings and the listing of a run as DuckDB views, so that no report needs them in memory."""

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import duckdb

from dynamo_consistency.kinds import FINDING_KINDS, MISSING, FindingKind
from dynamo_consistency.run.database import PATH_MACROS, memory_limit
from dynamo_consistency.run.listing.listing_view import create_listing
from dynamo_consistency.run.store.leftovers import scratch_folder
from dynamo_consistency.run.store.run_directory import UNMERGED_LISTING, RunDirectory, shard_name

BATCH_ROWS = 10_000
_SHARD = re.compile(r"listing/shard-\d+\.json")
_MOST_MEMORY = 256 * 2**20  # reports sort and group; more than this is spilled to disk

_HOLES = "CREATE VIEW hole AS SELECT path, min(reason) AS reason FROM hole_entry GROUP BY path"


class Tables:
    """Views of complete files: one for each kind of finding, named like its file, then `listing` and its `hole`s."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.names: set[str] = set()
        self.tell: Callable[[int], None] = lambda number: None
        """Called with the number of rows of each batch."""

    def add_findings(self, kind: FindingKind, file: str) -> None:
        self._connection.read_parquet(file).create_view(kind.file_name)
        self.names.add(kind.file_name)

    def add_listing(self, files: Sequence[str], elsewhere: Sequence[str]) -> None:
        self._connection.execute(PATH_MACROS)
        create_listing(self._connection, dict(enumerate(files)), elsewhere)
        self._connection.execute(_HOLES)
        self.names.add("listing")

    def columns(self, kind: FindingKind) -> set[str]:
        """Those of a kind's findings; runs of former versions have fewer."""
        return {name for name, *_ in self.rows(f"DESCRIBE {kind.file_name}")}

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """A result that is known to be short."""
        return self._connection.execute(sql, list(parameters)).fetchall()

    def batches(self, sql: str) -> Iterator[list[tuple[Any, ...]]]:
        """A result of any length, in batches of rows."""
        result = self._connection.execute(sql)
        while rows := result.fetchmany(BATCH_ROWS):
            yield rows
            self.tell(len(rows))

    def lines(self) -> int:
        """About how many rows all reports take: each finding once, and missing files twice more for their blocks."""
        found = [kind for kind in FINDING_KINDS if kind.file_name in self.names]
        numbers = {kind: self.rows(f"SELECT count(*) FROM {kind.file_name}")[0][0] for kind in found}
        return int(sum(numbers.values()) + 2 * numbers.get(MISSING, 0))


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
                tables.add_findings(kind, str(stack.enter_context(run.reading(kind.file))))
        if listing := _complete_listing(run):
            files = [str(stack.enter_context(run.reading(name))) for name in listing]
            elsewhere = [name for name in (UNMERGED_LISTING,) if run.exists(name)]
            tables.add_listing(files, [str(stack.enter_context(run.reading(name))) for name in elsewhere])
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
