"""What a run counts: for the site and for each root, as `summary.json` shows it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import duckdb

from dynamo_consistency import paths
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.kinds import EMPTY_DIRECTORY, MISMATCH, MISSING, ORPHAN, TWIN
from dynamo_consistency.run.database import LARGEST, byte_sum, literal

ComparisonCounts = dict[str, Any]


class _Rows(NamedTuple):
    """Which rows of which table are counted, the column of their sizes, and the root of each (null: not counted)."""

    table: str
    where: str = "TRUE"
    size: str = "size"
    root: str = "root_number(path)"


_SIDES = {
    "before": _Rows("inventory_before", root="root"),
    "after": _Rows("inventory_after", root="root"),
    "expected": _Rows("inventory_before", "NOT in_flight", root="root"),
    "files": _Rows("listing", "kind = 'file'", root="root"),
    "directories": _Rows("listing", "kind = 'directory'", root="root"),
    "holes": _Rows("(SELECT DISTINCT path FROM hole_entry)", "takes_part(path)", size="NULL"),
}
_HOLES_SHOWN = 20

_VERDICTS = {
    kind: _Rows(table, where, kind.size_column or "NULL")
    for kind, table, where in (
        (MISSING, "missing_verdict JOIN file USING (path)", "verdict = 'missing'"),
        (ORPHAN, "orphan_verdict", "verdict = 'orphan'"),
        (TWIN, "orphan_verdict", "verdict = 'twin'"),
        (MISMATCH, "mismatch_verdict", "verdict = 'mismatch'"),
        (EMPTY_DIRECTORY, "empty_directory_verdict", "TRUE"),
    )
}
_IN_HOLES = _Rows("missing_verdict", "verdict = 'hole'", "NULL")

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
    tables = _by_root(database, _SIDES)
    roots: dict[str, ComparisonCounts] = {}
    for number, root in enumerate(check.spec.listing.roots):
        before, after, files = (tables[side].get(number, (0, 0)) for side in ("before", "after", "files"))
        roots[root.path] = {
            "listedFiles": files[0],
            "listedDirectories": tables["directories"].get(number, (0, 0))[0],
            "listedBytes": files[1],
            "inventoryFiles": max(before[0], after[0]),
            "inventoryBytes": max(before[1], after[1]),
            "expectedFiles": tables["expected"].get(number, (0, 0))[0],
            "holes": tables["holes"].get(number, (0, 0))[0],
        }
    site: ComparisonCounts = {
        key: min(LARGEST, sum(root[key] for root in roots.values())) for key in next(iter(roots.values()))
    }
    snapshots = {side: sum(count for count, _ in tables[side].values()) for side in ("before", "after")}
    return site | {"snapshots": snapshots, "roots": roots}


def leave_out_directories(database: duckdb.DuckDBPyConnection, basics: ComparisonCounts) -> None:
    """Take from the files of `basics` what was listed as a file and is a directory (rule 15)."""
    rows = _Rows("listed", "path IN (FROM listed_as_file)")
    roots = list(basics["roots"].values())
    for number, (directories, size) in _by_root(database, {"directories": rows})["directories"].items():
        for entries in (basics, roots[number]):
            entries["listedFiles"] -= directories
            entries["listedBytes"] = max(0, entries["listedBytes"] - size)


def complete(database: duckdb.DuckDBPyConnection, basics: ComparisonCounts) -> ComparisonCounts:
    """`basics` with the findings, and with what was left alone and why."""
    result = basics | {"roots": {root: dict(entries) for root, entries in basics["roots"].items()}}
    verdicts = {kind.name: rows for kind, rows in _VERDICTS.items()}
    found = _by_root(database, verdicts | {"inHoles": _IN_HOLES})
    for kind in _VERDICTS:
        of_kind = found[kind.name]
        for number, entries in [*enumerate(result["roots"].values()), (None, result)]:
            rows = of_kind.values() if number is None else [of_kind.get(number, (0, 0))]
            entries[kind.name] = sum(row[0] for row in rows)
            if kind.bytes_name:
                entries[kind.bytes_name] = min(LARGEST, sum(row[1] for row in rows))
    for number, entries in enumerate(result["roots"].values()):
        entries["missingInHoles"] = found["inHoles"].get(number, (0, 0))[0]
    left_alone = " UNION ALL ".join(f"SELECT {literal(key)}, * FROM ({query})" for key, query in _LEFT_ALONE.items())
    result |= dict(database.execute(left_alone).fetchall())
    empty = database.execute("SELECT path FROM empty_top_directory ORDER BY path").fetchall()
    result["emptyTopDirectories"] = [paths.to_text(path) for (path,) in empty]
    aliases = database.execute(
        f"SELECT path, reason FROM hole_entry WHERE shard IS NULL ORDER BY path LIMIT {_HOLES_SHOWN}"
    ).fetchall()
    result["aliases"] = [{"path": paths.to_text(path), "reason": reason} for path, reason in aliases]
    return result


def _by_root(
    database: duckdb.DuckDBPyConnection, counted: Mapping[str, _Rows]
) -> dict[str, dict[int, tuple[int, int]]]:
    """{name: {number of the root: (rows, bytes)}} of what takes part in each of `counted`.

    Unknown sizes count nothing. All in one question: on a small site each costs more than its rows.
    """
    parts = [
        f"""SELECT {literal(name)}, {rows.root} AS number, count(*), {byte_sum(rows.size)}
            FROM {rows.table} WHERE {rows.where} AND number IS NOT NULL GROUP BY number"""
        for name, rows in counted.items()
    ]
    result: dict[str, dict[int, tuple[int, int]]] = {name: {} for name in counted}
    for name, number, count, total in database.execute(" UNION ALL ".join(parts)).fetchall():
        result[name][number] = (count, total)
    return result
