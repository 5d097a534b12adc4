"""What of the unmerged area may go, as findings of the run: files and logs, then directories, the deepest first."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
from collections.abc import Collection, Iterable, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

from dynamo_consistency import paths
from dynamo_consistency.check import SiteConsistencyCheck, Unmerged
from dynamo_consistency.errors import DamagedError
from dynamo_consistency.finding_columns import UNMERGED_TYPE, select_list
from dynamo_consistency.kinds import UNMERGED
from dynamo_consistency.run.database import (
    LARGEST,
    PATH_MACROS,
    SqlRow,
    byte_sum,
    execute,
    fill,
    literal,
    open_database,
    within,
)
from dynamo_consistency.run.listing.holes import OTHER_NAMES
from dynamo_consistency.run.listing.listing_view import create_listing
from dynamo_consistency.run.store.damage import tell_damage
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.run.unmerged.area import AREA_FILE, load_protected, read_area
from dynamo_consistency.run.unmerged.listing import LISTING
from dynamo_consistency.run.unmerged.protected_list import ProtectedList
from dynamo_consistency.run.unmerged.rules import Subtrees, UnmergedRules, cleaned

if TYPE_CHECKING:
    import duckdb  # only its types: what lists an unmerged area does without it, and stays small

log = logging.getLogger(__name__)

_HOLES_SHOWN = 20
_OUTSIDE_SHOWN = 5
_SHARDS = "listing/shard-"
_QUERIES = resources.files(__package__).joinpath("unmerged.sql")

_FINDINGS = f"""
    SELECT {select_list(path="path", site_size="site_size", mtime="mtime", root="root_of(path)")},
           type AS {UNMERGED_TYPE.name}
    FROM finding
    ORDER BY type = 'directory', CASE WHEN type = 'directory' THEN len(string_split(path::VARCHAR, '/')) END DESC, path
"""
_LEFT_ALONE = ("young", "protected", "excluded", "ignored", "hole", "registered")


def find_unmerged(run: RunDirectory, earlier: Sequence[RunDirectory] = ()) -> dict[str, Any] | None:
    """Write `findings/unmerged.*` of a compared run; returns what the `.json` holds, None where there is no area.

    Where it is not certain what is protected, or the area was not listed, there are no findings, and `trouble` says so;
    the rest of the run is valid. Running it again gives the same. `earlier`: the complete runs before, oldest first; a
    list of protected directories much shorter than in the last of them that could read it is not believed.
    """
    check = run.check()
    unmerged = cleaned(check)
    if unmerged is None:
        return None
    if run.exists(AREA_FILE):
        return read_area(run)
    (protected, outside, _), problem = ProtectedList(frozenset()), _problem_of_listing(run, unmerged)
    if not problem:
        (protected, outside, _), problem = load_protected(unmerged, earlier)
    if problem:
        log.warning("nothing of %s is deleted: %s", unmerged.path, problem)
    result = {
        "path": unmerged.path,
        "trouble": problem,
        "protectedDirectories": len(protected),
        "notes": _notes(unmerged, outside),
        "fingerprint": _fingerprint(unmerged),
    }
    result |= _write(run, check, UnmergedRules(check, unmerged, protected), protected, judge=not problem)
    run.write_json(AREA_FILE, result)
    return result


def _notes(unmerged: Unmerged, outside: Collection[bytes]) -> list[str]:
    """What somebody should see about the list of protected directories."""
    if not outside:
        return []
    first = ", ".join(paths.to_text(path) for path in sorted(outside)[:_OUTSIDE_SHOWN])
    return [
        f"{len(outside)} lines of the list of protected directories are outside {unmerged.path} and protect nothing "
        f"there: {first}"
    ]


def comparable(run: RunDirectory, earlier: Sequence[RunDirectory]) -> list[RunDirectory]:
    """Those of the `earlier` runs, oldest first, whose findings in the area confirm those of `run`.

    A change of its rules starts the count anew; a run in which nothing could be judged neither counts nor resets.
    """
    now = read_area(run)
    counted: list[RunDirectory] = []
    for other in earlier:
        try:
            then = read_area(other)
        except DamagedError as error:
            tell_damage(other, str(error))
            continue
        if now is None or then is None or then["fingerprint"] != now["fingerprint"]:
            counted.clear()
        elif not then["trouble"]:
            counted.append(other)
    return counted


def _fingerprint(unmerged: Unmerged) -> str:
    rules = unmerged.model_dump(mode="json", include={"path", "min_age_seconds", "logs", "exclude", "protected_from"})
    return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()[:16]


def _problem_of_listing(run: RunDirectory, unmerged: Unmerged) -> str:
    """Why the listing of the area shows nothing of it; empty when it does."""
    if not run.exists(f"{LISTING}.json"):
        return f"{unmerged.path} was not listed; the listing stage of shard 0 does it"
    for hole in run.read_json(f"{LISTING}.json")["holes"]:
        if hole["path"] == unmerged.path:
            return f"{unmerged.path} could not be listed: {hole['reason']}"
    return ""


def _write(
    run: RunDirectory, check: SiteConsistencyCheck, rules: UnmergedRules, protected: Iterable[bytes], *, judge: bool
) -> dict[str, Any]:
    """Write the findings file, an empty one where nothing may be judged; returns the numbers."""
    listing = run.read_json(f"{LISTING}.json") if run.exists(f"{LISTING}.json") else None
    with contextlib.ExitStack() as inputs:
        database = inputs.enter_context(open_database())
        _give_listing(database, inputs, run, judge=judge)
        _give_tables(database, inputs, run, rules, protected)
        listed_at = listing["listedAt"] if listing else 0
        execute(database, _QUERIES, lambda: _rule(database, rules, listed_at))
        with run.writing(UNMERGED.file) as target:
            database.execute(f"COPY ({_FINDINGS}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)")
        return _numbers(database) | {
            "listed": listing["counts"] if listing else {"files": 0, "directories": 0, "holes": 0, "bytes": 0},
            "holes": listing["holes"][:_HOLES_SHOWN] if listing else [],
        }


def _give_listing(
    database: duckdb.DuckDBPyConnection, inputs: contextlib.ExitStack, run: RunDirectory, *, judge: bool
) -> None:
    """Views `listing`, `hole_entry`, `named`, `site_file`; what a shard met by another name is a hole here as well."""
    database.execute(PATH_MACROS)
    if not judge:
        database.execute("CREATE TABLE listing (path BLOB, kind VARCHAR, size BIGINT, mtime BIGINT, reason VARCHAR)")
        database.execute("CREATE TABLE hole_entry (path BLOB)")
        database.execute("CREATE TABLE named (path BLOB, kind VARCHAR, size BIGINT, mtime BIGINT, identity BIGINT)")
        database.execute(OTHER_NAMES)
        database.execute("CREATE TABLE site_file (path BLOB, size BIGINT, mtime BIGINT)")
        return
    shards = [name for name in run.names("listing") if name.startswith(_SHARDS) and name.endswith(".parquet")]
    area, *roots = (str(inputs.enter_context(run.reading(name))) for name in (f"{LISTING}.parquet", *shards))
    create_listing(database, {0: area}, roots)
    files = f"read_parquet([{', '.join(map(literal, roots))}]) WHERE kind = 'file'" if roots else "listing WHERE FALSE"
    database.execute(f"CREATE VIEW site_file AS SELECT path, size, mtime FROM {files}")


def _give_tables(
    database: duckdb.DuckDBPyConnection,
    inputs: contextlib.ExitStack,
    run: RunDirectory,
    rules: UnmergedRules,
    protected: Iterable[bytes],
) -> None:
    in_areas = " OR ".join(within("path", area) for area in rules.areas)
    snapshots = [inputs.enter_context(run.reading(f"inventory/{name}.parquet")) for name in ("before", "after")]
    both = " UNION ALL ".join(f"SELECT path, size FROM read_parquet({literal(str(name))})" for name in snapshots)
    database.execute(f"CREATE VIEW inventory AS {both}")
    database.execute(f"CREATE TABLE known AS SELECT DISTINCT path FROM inventory WHERE {in_areas}")
    for table, directories in (("protected", protected), ("fixed", [*rules.areas, *rules.logs])):
        database.execute(f"CREATE TABLE {table} AS SELECT unnest(?::BLOB[]) AS path", [sorted(directories)])
    cases = " ".join(f"WHEN {within('path', area)} THEN {literal(paths.to_text(area))}" for area in rules.areas)
    database.execute(f"CREATE MACRO root_of(path) AS CASE {cases} END")


def _rule(database: duckdb.DuckDBPyConnection, rules: UnmergedRules, listed_at: int) -> None:
    """Fill the table `ruled`."""
    holes = database.execute(
        "SELECT path FROM listing WHERE kind = 'seen' UNION SELECT path FROM hole_entry"
    ).fetchall()
    in_hole = Subtrees(path for (path,) in holes)

    def ruling(path: bytes, kind: str, mtime: int | None) -> str:
        if rules.is_young(path, mtime, listed_at):
            return "young"
        if keeper := rules.keeper(path):
            return keeper
        if in_hole.cover(path):
            return "hole"
        return "log" if kind == "file" and rules.is_log(path) else kind

    def rulings(rows: list[SqlRow]) -> list[SqlRow]:
        return [(path, kind, ruling(path, kind, mtime)) for path, kind, mtime in rows]

    fill(database, "ruled", "SELECT path, kind, mtime FROM entry", rulings)


def _numbers(database: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    rows = database.execute(f"SELECT type, count(*), {byte_sum('site_size')} FROM finding GROUP BY type").fetchall()
    found = {kind: count for kind, count, _ in rows}
    kept = database.execute("SELECT verdict, count(*) FROM judged WHERE kind = 'file' GROUP BY verdict").fetchall()
    return {
        "unmerged": sum(found.values()),
        "unmergedBytes": min(LARGEST, sum(size for _, _, size in rows)),
        "files": found.get("file", 0),
        "logs": found.get("log", 0),
        "directories": found.get("directory", 0),
        "leftAlone": {reason: dict(kept).get(reason, 0) for reason in _LEFT_ALONE},
    }
