"""Why the reason for a request is gone, by what a complete run has found; where that is not known, it is not."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import duckdb

from dynamo_consistency import paths
from dynamo_consistency.kinds import KIND_BY_NAME, UNMERGED
from dynamo_consistency.run.action.waiting_requests import WaitingRequest
from dynamo_consistency.run.database import PATH_MACROS, columns_of, literal, open_database
from dynamo_consistency.run.gates.confirmation import OTHER_NAME, RENAMED, UNMARKED
from dynamo_consistency.run.listing.failed_shards import absent_shards
from dynamo_consistency.run.listing.listing_view import create_listing
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.run.unmerged import read_area
from dynamo_consistency.run.unmerged.rules import Subtrees

CLAIMED = "the inventory has it now"
EXCLUDED = "it is in an excluded directory now"
BACK = "it is at the site again, with the size that the inventory has"
MARKED = {
    RENAMED: "it is at the site under another spelling of its name",
    OTHER_NAME: "another name at the site leads to the same file",
}
UNKNOWN = "the inventory has it no more"
GONE = "it is no more at the site"
NO_FINDING = "it is no more what was found"

_BOTH = "SELECT path, size FROM read_parquet({before}) UNION ALL SELECT path, size FROM read_parquet({after})"

Sizes = Mapping[bytes, Sequence[int | None]]
"""Of each path all sizes that are told, in bytes; None: not known."""


@dataclass(frozen=True)
class Seen:
    """What a run knows of some paths.

    standing: (kind, path) of the requests whose finding is in the run as well; marks: of those that are marked as never
    acted on, the mark;
    unseen: directories of which the listing does not show everything; covered: those that were listed at all.
    """

    standing: frozenset[tuple[str, bytes]] = frozenset()
    marks: Mapping[tuple[str, bytes], str] = field(default_factory=dict)
    known: Sizes = field(default_factory=dict)
    listed: Sizes = field(default_factory=dict)
    covered: Subtrees = field(default_factory=lambda: Subtrees((b"/",)))
    unseen: Subtrees = field(default_factory=lambda: Subtrees(()))
    excluded: Subtrees = field(default_factory=lambda: Subtrees(()))


def why_gone(request: WaitingRequest, seen: Seen) -> str:
    """Why the reason of a request is gone; empty when it stands, or when that cannot be told."""
    path, finding = request.asked.path, (request.kind, request.asked.path)
    if request.kind != UNMERGED.name and seen.excluded.cover(path):
        return EXCLUDED
    if request.asked.request == "transfer":
        return _of_transfer(path, finding in seen.standing, seen.marks.get(finding), seen)
    if path in seen.known:
        return CLAIMED
    if finding in seen.standing:
        return ""
    if path in seen.listed:
        return NO_FINDING
    return GONE if seen.covered.cover(path) and not seen.unseen.cover(path) else ""


def _of_transfer(path: bytes, stands: bool, mark: str | None, seen: Seen) -> str:
    """A file that is being fetched is in flight, and so no finding: one that is there needs nothing any more, nor does
    one that nobody wants there."""
    if mark is not None:
        return MARKED[mark]
    if path not in seen.known:
        return UNKNOWN
    return BACK if not stands and _same_size(seen.listed.get(path, ()), seen.known.get(path, ())) else ""


def _same_size(listed: Sequence[int | None], known: Sequence[int | None]) -> bool:
    """Is a file there and known, of a size that may be the one that is known?"""
    return bool(listed and known) and (None in known or None in listed or bool(set(listed) & set(known)))


def look_at(run: RunDirectory, requests: Sequence[WaitingRequest]) -> Seen:
    """What `run`, which is compared, knows of the requested paths."""
    with contextlib.ExitStack() as files, open_database() as database:
        database.execute(
            "CREATE TABLE wanted AS SELECT DISTINCT unnest(?::BLOB[]) AS path",
            [[request.asked.path for request in requests]],
        )
        both = {side: _file(files, run, f"inventory/{side}.parquet") for side in ("before", "after")}
        known = _sizes(database, _BOTH.format(**both))
        _give_listing(database, files, run)
        listed = _sizes(database, "SELECT path, size FROM listing WHERE kind IN ('file', 'directory')")
        standing, marks = _findings(database, files, run, requests)
        holes = _holes_above(database, requests)
    return Seen(standing, marks, known, listed, **_trees(run, holes))


def _trees(run: RunDirectory, holes: list[bytes]) -> dict[str, Subtrees]:
    spec, area = run.check().spec, read_area(run)
    unmerged = spec.unmerged.areas if spec.unmerged else []
    judged = area is not None and not area["trouble"]
    covered = [*(root.path for root in spec.listing.roots), *(unmerged if judged else ())]
    unseen = [*holes, *map(paths.to_bytes, () if judged else unmerged)]
    if absent_shards(run, spec.listing):
        unseen.append(b"/")
    excluded = map(paths.to_bytes, spec.listing.exclude)
    return {
        "covered": Subtrees(map(paths.to_bytes, covered)),
        "unseen": Subtrees(unseen),
        "excluded": Subtrees(excluded),
    }


def _file(files: contextlib.ExitStack, run: RunDirectory, name: str) -> str:
    return literal(str(files.enter_context(run.reading(name))))


def _sizes(database: duckdb.DuckDBPyConnection, source: str) -> Sizes:
    query = f"SELECT path, list(DISTINCT coalesce(size, -1)) FROM ({source}) WHERE path IN (FROM wanted) GROUP BY path"
    return {path: [size if size >= 0 else None for size in sizes] for path, sizes in database.execute(query).fetchall()}


def _give_listing(database: duckdb.DuckDBPyConnection, files: contextlib.ExitStack, run: RunDirectory) -> None:
    names = [name for name in run.names("listing") if name.endswith(".parquet")]
    database.execute(PATH_MACROS)
    create_listing(database, {part: str(files.enter_context(run.reading(name))) for part, name in enumerate(names)})


def _holes_above(database: duckdb.DuckDBPyConnection, requests: Sequence[WaitingRequest]) -> list[bytes]:
    """Holes that are a requested path, or above one."""
    above: set[bytes] = set()
    for request in requests:
        path = request.asked.path
        while path not in above:
            above.add(path)
            path = path.rpartition(b"/")[0] or b"/"
    database.execute("CREATE TABLE above AS SELECT unnest(?::BLOB[]) AS path", [sorted(above)])
    rows = database.execute("SELECT DISTINCT path FROM hole_entry WHERE path IN (FROM above)").fetchall()
    return [path for (path,) in rows]


def _findings(
    database: duckdb.DuckDBPyConnection,
    files: contextlib.ExitStack,
    run: RunDirectory,
    requests: Sequence[WaitingRequest],
) -> tuple[frozenset[tuple[str, bytes]], dict[tuple[str, bytes], str]]:
    """(standing, marks), see `Seen`. A finding is the same by what confirms it."""

    def group(request: WaitingRequest) -> tuple[str, str]:
        return request.kind, request.asked.run_id

    standing: set[tuple[str, bytes]] = set()
    marks: dict[tuple[str, bytes], str] = {}
    for (name, run_id), some in groupby(sorted(requests, key=group), group):
        kind, then = KIND_BY_NAME[name], run.store.run(run.site, run_id)
        if not run.exists(kind.file):
            continue
        asked, now = [request.asked.path for request in some], str(files.enter_context(run.reading(kind.file)))
        mark = f"CASE WHEN NOT ({UNMARKED}) THEN mark END" if "mark" in columns_of(database, now) else "NULL"
        same = " AND ".join(f"e.{column} IS NOT DISTINCT FROM f.{column}" for column in kind.same_columns)
        earlier = "TRUE"
        if then.exists(kind.file):
            earlier = f"EXISTS (FROM read_parquet({_file(files, then, kind.file)}) AS e WHERE {same})"
        rows = database.execute(
            f"""SELECT path, {mark}, {earlier}
                FROM read_parquet({literal(now)}) AS f WHERE path IN (SELECT unnest(?::BLOB[]))""",
            [asked],
        ).fetchall()
        marks |= {(name, path): mark for path, mark, _ in rows if mark}
        standing |= {(name, path) for path, mark, is_same in rows if is_same and not mark}
    return frozenset(standing), marks
