"""Rule 11 as SQL: what of a site takes part in its comparison; and what a check leaves out that is not there."""

import duckdb

from dynamo_consistency import paths
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.run.database import blob, literal, within
from dynamo_consistency.run.store.run_directory import RunDirectory, shard_name


def create_scope(database: duckdb.DuckDBPyConnection, check: SiteConsistencyCheck) -> None:
    """Create the tables `root` and `excluded`, and the macros `root_of`, `root_number` and `takes_part`."""
    listing = check.spec.listing
    for table, directories in (("root", [root.path for root in listing.roots]), ("excluded", listing.exclude)):
        database.execute(f"CREATE TABLE {table} (path BLOB)")
        for directory in directories:
            database.execute(f"INSERT INTO {table} VALUES (?)", [paths.to_bytes(directory)])
    below = [within("path", paths.to_bytes(root.path)) for root in listing.roots]
    names = " ".join(
        f"WHEN {is_below} THEN {literal(root.path)}" for is_below, root in zip(below, listing.roots, strict=True)
    )
    numbers = " ".join(f"WHEN {is_below} THEN {number}" for number, is_below in enumerate(below))
    outside = " OR ".join(_in(paths.to_bytes(path)) for path in listing.exclude) or "FALSE"
    database.execute(f"""
        CREATE MACRO root_of(path) AS CASE {names} END;
        CREATE MACRO root_number(path) AS CASE {numbers} END;
        CREATE MACRO takes_part(path) AS (root_number(path) IS NOT NULL AND NOT ({outside}));
    """)


def unmatched_excludes(
    database: duckdb.DuckDBPyConnection, run: RunDirectory, check: SiteConsistencyCheck
) -> list[str]:
    """A sentence for each excluded directory that no shard has met and that the inventory has no file in."""
    reports = [f"{shard_name(shard)}.json" for shard in range(check.spec.listing.shards)]
    listed = [run.read_json(name) for name in reports if run.exists(name)]
    if not check.spec.listing.exclude or not all("excluded" in report for report in listed):
        return []
    met = {path for report in listed for path in report["excluded"]}
    unmet = [path for path in check.spec.listing.exclude if path not in met]
    for snapshot in ("inventory_before", "inventory_after"):
        if unmet:
            columns = ", ".join(f"coalesce(bool_or({_in(paths.to_bytes(path))}), FALSE)" for path in unmet)
            has = database.execute(f"SELECT {columns} FROM {snapshot} WHERE root IS NULL").fetchone() or ()
            unmet = [path for path, there in zip(unmet, has, strict=True) if not there]
    return [f"the excluded directory {path} is neither at the site nor in the inventory" for path in unmet]


def _in(directory: bytes) -> str:
    return f"path = {blob(directory)} OR {within('path', directory)}"
