"""The comparison: two snapshots of the inventory and the listing become findings.

The rules are in `comparison.sql`; this file gives it its inputs, refuses what proves nothing, and writes the results.
"""

import contextlib
from functools import partial
from importlib import resources
from typing import Any

import duckdb

from dynamo_consistency import paths
from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import InvalidRunError
from dynamo_consistency.finding_columns import select_list
from dynamo_consistency.kinds import EMPTY_DIRECTORY, MISMATCH, MISSING, ORPHAN, TWIN
from dynamo_consistency.run.comparison import counts, filters
from dynamo_consistency.run.comparison.ancestors import find_listed_as_file
from dynamo_consistency.run.comparison.doubtful import find_doubtful
from dynamo_consistency.run.comparison.earlier_listings import find_what_stood
from dynamo_consistency.run.comparison.keyed import create_keyed
from dynamo_consistency.run.comparison.scope import create_scope, unmatched_excludes
from dynamo_consistency.run.database import PATH_MACROS, execute, literal, number_of_statements, open_database
from dynamo_consistency.run.listing.failed_shards import absent_shards
from dynamo_consistency.run.progress import StageProgress
from dynamo_consistency.run.records.notes import note
from dynamo_consistency.run.store.run_directory import DATASETS, UNMERGED_LISTING, RunDirectory, shard_name

COUNTS_FILE = "findings/counts.json"
_QUERIES = resources.files(__package__).joinpath("comparison.sql")
SNAPSHOTS = ("before", "after")

_OF_INVENTORY = {"dataset": "dataset", "block": "block", "group": '"group"'}
_OF_BACKEND = 'd.* EXCLUDE (path, key, tail, root, size, time, in_flight, dataset, block, "group")'


_MARK = "CASE WHEN path IN (FROM renamed) THEN 'renamed'{} END"
_OF_MISMATCH = "CASE WHEN path IN (FROM other_name) THEN 'other-name' END"
_OF_MISSING = _MARK.format(" WHEN path IN (SELECT path FROM missing_in_empty_directory) THEN 'empty-directory'")


def _select(**values: str) -> str:
    return select_list(path="path", root="root_of(path)", **values)


def _unknown_to_the_inventory(verdict: str, **values: str) -> str:
    columns = _select(site_size="site_size", mtime="mtime", **values)
    return f"SELECT {columns} FROM orphan_verdict WHERE verdict = '{verdict}' ORDER BY path"


_FINDINGS = {
    MISSING: f"""
        SELECT {_select(size="size", mark=_OF_MISSING, **_OF_INVENTORY)}, {_OF_BACKEND}
        FROM detail AS d WHERE path IN (SELECT path FROM missing_verdict WHERE verdict = 'missing') ORDER BY path""",
    MISMATCH: f"""
        SELECT {_select(size="d.size", site_size="v.site_size", mtime="s.mtime", mark=_OF_MISMATCH, **_OF_INVENTORY)},
               {_OF_BACKEND}
        FROM detail AS d
        JOIN mismatch_verdict AS v USING (path)
        JOIN (SELECT path, max(mtime) AS mtime FROM listed GROUP BY path) AS s USING (path)
        ORDER BY path""",
    ORPHAN: _unknown_to_the_inventory("orphan", mark=_MARK.format("")),
    TWIN: _unknown_to_the_inventory("twin"),
    EMPTY_DIRECTORY: f"""
        SELECT {_select(mtime="mtime")} FROM empty_directory_verdict ORDER BY path DESC""",
}


def compare(run: RunDirectory, backend: Backend) -> dict[str, Any]:
    """Write `findings/` of a run whose snapshots and listing are there; returns the counts, also for each root.

    Running it again gives the same. Raises InvalidRunError, with nothing written, when the inputs prove nothing.
    """
    if run.exists(COUNTS_FILE):
        return dict(run.read_json(COUNTS_FILE))
    check = run.check()
    with contextlib.ExitStack() as inputs:
        database = inputs.enter_context(open_database())
        absent, rows = _give_inputs(database, inputs, run, check)
        basics = counts.basics(database, check)
        _refuse_an_empty_inventory(database, basics)
        notes = unmatched_excludes(database, run, check)

        def ask_python() -> None:
            find_listed_as_file(database)
            find_what_stood(database, run)
            notes.extend(filters.ask(database, run, check, backend, absent))

        number = number_of_statements(_QUERIES) + len(_FINDINGS)
        progress = inputs.enter_context(StageProgress(f"{run.site}: comparison", "steps", number))
        steps = partial(find_doubtful, database, rows), ask_python
        execute(database, _QUERIES, *steps, tell=progress.advance)
        counts.leave_out_directories(database, basics)
        _refuse_roots_without_a_listing(database, basics)
        _refuse_a_site_without_files(database, basics)
        for kind, query in _FINDINGS.items():
            with run.writing(kind.file) as target:
                database.execute(f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)")
            progress.advance()
        result = counts.complete(database, basics)
        result["holes"] += len(absent)
        result["unplacedFiles"] = max(run.read_json(f"inventory/{side}.json").get("unplaced", 0) for side in SNAPSHOTS)
        note(run, "comparison", notes)
        run.write_json(COUNTS_FILE, result)
        return result


def _give_inputs(
    database: duckdb.DuckDBPyConnection, inputs: contextlib.ExitStack, run: RunDirectory, check: SiteConsistencyCheck
) -> tuple[list[int], int]:
    """(shards that are not there and need not be, rows of snapshots and listing)."""
    snapshots = {}
    for snapshot in SNAPSHOTS:
        _require(run, f"inventory/{snapshot}.json", "the inventory snapshot is not there; run the snapshot stage")
        snapshots[snapshot] = str(inputs.enter_context(run.reading(f"inventory/{snapshot}.parquet")))
    database.execute(PATH_MACROS)
    database.execute("CREATE TABLE shard (shard INTEGER, listed_at BIGINT)")
    parts = {}
    absent = absent_shards(run, check.spec.listing)
    for shard in sorted(set(range(check.spec.listing.shards)) - set(absent)):
        name = shard_name(shard)
        database.execute("INSERT INTO shard VALUES (?, ?)", [shard, run.read_json(f"{name}.json")["listedAt"]])
        parts[shard] = str(inputs.enter_context(run.reading(f"{name}.parquet")))
    area = [name for name in (UNMERGED_LISTING,) if run.exists(name)]
    elsewhere = [str(inputs.enter_context(run.reading(name))) for name in area]
    create_scope(database, check)
    rows = create_keyed(database, snapshots, parts, elsewhere)
    pending = run.read_json(DATASETS)["deletionRequests"]
    database.execute("SET VARIABLE deletion_requests = ?::VARCHAR[]", [sorted(set(pending))])
    database.execute("SET VARIABLE ignore_age = ?::BIGINT", [check.spec.comparison.ignore_age_seconds])
    return absent, rows


def _require(run: RunDirectory, name: str, otherwise: str) -> None:
    if not run.exists(name):
        raise InvalidRunError(otherwise)


def _refuse_an_empty_inventory(database: duckdb.DuckDBPyConnection, basics: dict[str, Any]) -> None:
    """An inventory without a file below the roots makes everything at the site an orphan."""
    for snapshot, entries in basics["snapshots"].items():
        if entries == 0:
            raise InvalidRunError(
                f"the inventory is empty: the snapshot {snapshot} the listing has no file below the roots; "
                "check the roots, and that the inventory is the right one"
            )


def _refuse_roots_without_a_listing(database: duckdb.DuckDBPyConnection, basics: dict[str, Any]) -> None:
    """A root that no shard, or not every shard, could list proves nothing about the files expected there."""
    for root, entries in basics["roots"].items():
        reason = _hole_over(database, paths.to_bytes(root))
        if reason and entries["inventoryFiles"] > 0:
            raise InvalidRunError(
                f"the root {root} could not be listed at all ({reason}), although the inventory has "
                f"{entries['inventoryFiles']} files there"
            )


def _refuse_a_site_without_files(database: duckdb.DuckDBPyConnection, basics: dict[str, Any]) -> None:
    """No file listed, and some expected where the listing claims to have looked: it has looked somewhere else."""
    if basics["listedFiles"] > 0:
        return
    row = database.execute("SELECT count(*) FROM expected_where_listed").fetchone()
    if row and row[0] > 0:
        raise InvalidRunError(
            f"no file was listed although the inventory expects {row[0]}; check the prefix and the doors of the site"
        )


def _hole_over(database: duckdb.DuckDBPyConnection, root: bytes) -> str | None:
    """Why the root itself, or a directory above it, is a hole in some shard; None when it is not."""
    components = root.strip(b"/").split(b"/")
    above = [b"/", *(b"/" + b"/".join(components[:depth]) for depth in range(1, len(components) + 1))]
    row = database.execute(
        "SELECT reason FROM hole WHERE path IN (SELECT unnest(?::BLOB[])) LIMIT 1", [above]
    ).fetchone()
    return None if row is None else str(row[0])
