"""The comparison: two snapshots of the inventory and the listing become findings.

The rules are in `comparison.sql`; this file gives it its inputs, refuses what proves nothing, and writes the results.
"""

import contextlib
from importlib import resources
from typing import Any

import duckdb

from dynamo_consistency import paths
from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import InvalidRunError
from dynamo_consistency.finding_columns import select_list
from dynamo_consistency.kinds import EMPTY_DIRECTORY, MISMATCH, MISSING, ORPHAN
from dynamo_consistency.run.comparison import counts, filters
from dynamo_consistency.run.database import blob, execute, literal, open_database, within
from dynamo_consistency.run.listing.failed_shards import absent_shards
from dynamo_consistency.run.listing.holes import HOLE_ENTRIES
from dynamo_consistency.run.store.run_directory import RunDirectory, shard_name

COUNTS_FILE = "findings/counts.json"
_QUERIES = resources.files(__package__).joinpath("comparison.sql")
SNAPSHOTS = ("before", "after")

_DETAILS = """SELECT DISTINCT ON (path) * FROM (
    SELECT * FROM inventory_after WHERE path IN (SELECT path FROM {verdict} WHERE verdict = '{kind}'))"""
_OF_INVENTORY = {"dataset": "dataset", "block": "block", "group": '"group"'}
_OF_BACKEND = '{}* EXCLUDE (path, size, time, in_flight, dataset, block, "group")'


def _select(**values: str) -> str:
    return select_list(path="path", root="root_of(path)", **values)


_FINDINGS = {
    MISSING: f"""
        SELECT {_select(size="size", **_OF_INVENTORY)}, {_OF_BACKEND.format("")}
        FROM ({_DETAILS.format(verdict="missing_verdict", kind="missing")}) ORDER BY path""",
    MISMATCH: f"""
        SELECT {_select(size="d.size", site_size="v.site_size", mtime="s.mtime", **_OF_INVENTORY)},
               {_OF_BACKEND.format("d.")}
        FROM ({_DETAILS.format(verdict="mismatch_verdict", kind="mismatch")}) AS d
        JOIN mismatch_verdict AS v USING (path)
        JOIN (SELECT path, max(mtime) AS mtime FROM listing
              WHERE kind = 'file' AND path IN (SELECT path FROM mismatch_verdict) GROUP BY path) AS s USING (path)
        ORDER BY path""",
    ORPHAN: f"""
        SELECT {_select(site_size="site_size", mtime="mtime")}
        FROM orphan_verdict WHERE verdict = 'orphan' ORDER BY path""",
    EMPTY_DIRECTORY: f"""
        SELECT {_select(mtime="d.mtime")}
        FROM empty_directory_verdict
        JOIN (SELECT path, max(mtime) AS mtime FROM listing WHERE kind = 'directory' GROUP BY path) AS d USING (path)
        ORDER BY path DESC""",
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
        absent = _give_inputs(database, inputs, run, check)
        basics = counts.basics(database, check)
        _refuse_an_empty_inventory(database, basics)
        execute(database, _QUERIES, lambda: filters.ask(database, run, check, backend, absent))
        _refuse_roots_without_a_listing(database, basics)
        _refuse_a_site_without_files(database, basics)
        for kind, query in _FINDINGS.items():
            with run.writing(kind.file) as target:
                database.execute(f"COPY ({query}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)")
        result = counts.complete(database, basics)
        result["holes"] += len(absent)
        result["unplacedFiles"] = max(run.read_json(f"inventory/{side}.json").get("unplaced", 0) for side in SNAPSHOTS)
        run.write_json(COUNTS_FILE, result)
        return result


def _give_inputs(
    database: duckdb.DuckDBPyConnection, inputs: contextlib.ExitStack, run: RunDirectory, check: SiteConsistencyCheck
) -> list[int]:
    """Returns the shards that are not there, and need not be."""
    for snapshot in SNAPSHOTS:
        _require(run, f"inventory/{snapshot}.json", "the inventory snapshot is not there; run the snapshot stage")
        path = inputs.enter_context(run.reading(f"inventory/{snapshot}.parquet"))
        database.execute(f"CREATE VIEW inventory_{snapshot} AS FROM read_parquet({literal(str(path))})")
    database.execute("CREATE TABLE shard (shard INTEGER, listed_at BIGINT)")
    parts = []
    absent = absent_shards(run, check.spec.listing)
    for shard in sorted(set(range(check.spec.listing.shards)) - set(absent)):
        name = shard_name(shard)
        database.execute("INSERT INTO shard VALUES (?, ?)", [shard, run.read_json(f"{name}.json")["listedAt"]])
        path = inputs.enter_context(run.reading(f"{name}.parquet"))
        parts.append(f"SELECT {shard} AS shard, * FROM read_parquet({literal(str(path))})")
    database.execute("CREATE VIEW listing AS " + " UNION ALL ".join(parts))
    database.execute(HOLE_ENTRIES)
    listing = check.spec.listing
    for table, directories in (("root", [root.path for root in listing.roots]), ("excluded", listing.exclude)):
        database.execute(f"CREATE TABLE {table} (path BLOB)")
        for directory in directories:
            database.execute(f"INSERT INTO {table} VALUES (?)", [paths.to_bytes(directory)])
    database.execute(_scope_macros(check))
    _set(database, "ignore_age", check.spec.comparison.ignore_age_seconds)
    _set(database, "taken_before", run.read_json("inventory/before.json")["takenAt"])
    return absent


def _require(run: RunDirectory, name: str, otherwise: str) -> None:
    if not run.exists(name):
        raise InvalidRunError(otherwise)


def _scope_macros(check: SiteConsistencyCheck) -> str:
    """Rule 11 as SQL: which root a path is below, and whether it takes part."""
    cases = " ".join(
        f"WHEN {within('path', paths.to_bytes(root.path))} THEN {literal(root.path)}"
        for root in check.spec.listing.roots
    )
    excluded = [paths.to_bytes(path) for path in check.spec.listing.exclude]
    outside = " OR ".join(f"path = {blob(path)} OR {within('path', path)}" for path in excluded) or "FALSE"
    return f"""
        CREATE MACRO root_of(path) AS CASE {cases} END;
        CREATE MACRO takes_part(path) AS (root_of(path) IS NOT NULL AND NOT ({outside}));
    """


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


def _set(database: duckdb.DuckDBPyConnection, variable: str, value: int) -> None:
    database.execute(f"SET VARIABLE {variable} = ?::BIGINT", [value])
