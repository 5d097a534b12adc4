"""What a run counts: for the site and for each root, as `summary.json` shows it."""

from typing import Any

import duckdb

from dynamo_consistency import paths
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.kinds import EMPTY_DIRECTORY, MISMATCH, MISSING, ORPHAN, TWIN
from dynamo_consistency.run.database import LARGEST, byte_sum

ComparisonCounts = dict[str, Any]

_SIDES = {
    "before": ("inventory_before", "TRUE"),
    "after": ("inventory_after", "TRUE"),
    "files": ("listing", "kind = 'file'"),
    "directories": ("listing", "kind = 'directory'"),
    "holes": ("(SELECT DISTINCT path, NULL::BIGINT AS size FROM hole_entry)", "TRUE"),
}
_HOLES_SHOWN = 20

_VERDICTS = {
    MISSING: ("missing_verdict JOIN file USING (path)", "verdict = 'missing'"),
    ORPHAN: ("orphan_verdict", "verdict = 'orphan'"),
    TWIN: ("orphan_verdict", "verdict = 'twin'"),
    MISMATCH: ("mismatch_verdict", "verdict = 'mismatch'"),
    EMPTY_DIRECTORY: ("empty_directory_verdict", "TRUE"),
}

_LEFT_ALONE = {
    "missingInHoles": "SELECT count(*) FROM missing_verdict WHERE verdict = 'hole'",
    "missingInEmptyDirectories": "SELECT count(*) FROM missing_in_empty_directory",
    "renamed": """
        SELECT count(*) FROM renamed WHERE path IN (SELECT path FROM missing_verdict WHERE verdict = 'missing')
            OR path IN (SELECT path FROM orphan_verdict WHERE verdict = 'orphan')""",
    "missingDeletionPending": "SELECT count(*) FROM missing_verdict WHERE verdict = 'deletion'",
    "youngFiles": "SELECT count(*) FROM orphan_verdict WHERE verdict = 'young'",
    "orphansInHoles": "SELECT count(*) FROM orphan_verdict WHERE verdict = 'hole'",
    "ignoredFiles": "SELECT count(*) FROM orphan_verdict WHERE verdict = 'ignored'",
    "protectedFiles": "SELECT count(*) FROM orphan_verdict WHERE verdict = 'protected'",
    "inventoryDuplicates": "SELECT coalesce(sum(greatest(before - 1, after - 1, 0)), 0)::BIGINT FROM file",
    "listedDuplicates": "SELECT coalesce(sum(greatest(at_site - 1, 0)), 0)::BIGINT FROM file",
    "holes": "SELECT count(DISTINCT path) FROM hole",
}


def basics(database: duckdb.DuckDBPyConnection, check: SiteConsistencyCheck) -> ComparisonCounts:
    """What both sides have, before any comparison: entries and bytes, for the site and for each root."""
    tables = {side: _by_root(database, source, where) for side, (source, where) in _SIDES.items()}
    expected = _by_root(database, "inventory_before", "NOT in_flight")
    roots: dict[str, ComparisonCounts] = {}
    for root in (root.path for root in check.spec.listing.roots):
        before, after, files = (tables[side].get(root, (0, 0)) for side in ("before", "after", "files"))
        roots[root] = {
            "listedFiles": files[0],
            "listedDirectories": tables["directories"].get(root, (0, 0))[0],
            "listedBytes": files[1],
            "inventoryFiles": max(before[0], after[0]),
            "inventoryBytes": max(before[1], after[1]),
            "expectedFiles": expected.get(root, (0, 0))[0],
            "holes": tables["holes"].get(root, (0, 0))[0],
        }
    site: ComparisonCounts = {
        key: min(LARGEST, sum(root[key] for root in roots.values())) for key in next(iter(roots.values()))
    }
    snapshots = {side: sum(count for count, _ in tables[side].values()) for side in ("before", "after")}
    return site | {"snapshots": snapshots, "roots": roots}


def leave_out_directories(database: duckdb.DuckDBPyConnection, basics: ComparisonCounts) -> None:
    """Take from the files of `basics` what was listed as a file and is a directory (rule 15)."""
    for root, (directories, size) in _by_root(
        database, "listing", "kind = 'file' AND path IN (FROM listed_as_file)"
    ).items():
        for entries in (basics, basics["roots"][root]):
            entries["listedFiles"] -= directories
            entries["listedBytes"] = max(0, entries["listedBytes"] - size)


def complete(database: duckdb.DuckDBPyConnection, basics: ComparisonCounts) -> ComparisonCounts:
    """`basics` with the findings, and with what was left alone and why."""
    result = basics | {"roots": {root: dict(entries) for root, entries in basics["roots"].items()}}
    for kind, (table, where) in _VERDICTS.items():
        found = _by_root(database, table, where, kind.size_column or "NULL")
        for root, entries in [*result["roots"].items(), (None, result)]:
            rows = found.values() if root is None else [found.get(root, (0, 0))]
            entries[kind.name] = sum(row[0] for row in rows)
            if kind.bytes_name:
                entries[kind.bytes_name] = min(LARGEST, sum(row[1] for row in rows))
    in_holes = _by_root(database, "missing_verdict JOIN file USING (path)", "verdict = 'hole'")
    for root, entries in result["roots"].items():
        entries["missingInHoles"] = in_holes.get(root, (0, 0))[0]
    for key, query in _LEFT_ALONE.items():
        row = database.execute(query).fetchone()
        result[key] = row[0] if row else 0
    empty = database.execute("SELECT path FROM empty_top_directory ORDER BY path").fetchall()
    result["emptyTopDirectories"] = [paths.to_text(path) for (path,) in empty]
    aliases = database.execute(
        f"SELECT path, reason FROM hole_entry WHERE shard IS NULL ORDER BY path LIMIT {_HOLES_SHOWN}"
    ).fetchall()
    result["aliases"] = [{"path": paths.to_text(path), "reason": reason} for path, reason in aliases]
    return result


def _by_root(
    database: duckdb.DuckDBPyConnection, source: str, where: str, size: str = "size"
) -> dict[str, tuple[int, int]]:
    """{root: (rows, bytes)} of what takes part in `source`; unknown sizes count nothing. A root counts as in itself."""
    rows = database.execute(
        f"""SELECT root_of(path) AS root, count(*), {byte_sum(size)}
            FROM {source} WHERE {where} AND takes_part(path) GROUP BY root"""
    ).fetchall()
    return {root: (count, total) for root, count, total in rows}
