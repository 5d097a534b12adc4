"""What became of one file in the runs of a site."""

import contextlib
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from dynamo_consistency import paths
from dynamo_consistency.kinds import FINDING_KINDS, KIND_BY_NAME
from dynamo_consistency.run.records.history import ACTIONS, FOLLOWED, WITHDRAWN
from dynamo_consistency.run.records.summary_file import read_summary
from dynamo_consistency.run.store.damage import tell_damage
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

if TYPE_CHECKING:
    import duckdb


class RunFacts(NamedTuple):
    """What a complete run says of all its findings. closed: the sentences of gates that are not Ready; acted_on: the
    kinds that its action took up."""

    run_id: str
    start_time: str
    closed: Sequence[str]
    acted_on: Container[str]


RowsByRun = Mapping[str, Sequence[Mapping[str, Any]]]


class PathRows(NamedTuple):
    """Rows about some paths by the run that wrote them: of the findings of each kind, and of what was done.

    Columns: `path` and those of `FOUND`, `ACTED`, `FOLLOWED_ROWS` and `WITHDRAWN_ROWS`.
    """

    found: Mapping[str, RowsByRun]
    acted: RowsByRun
    followed: RowsByRun
    withdrawn: RowsByRun


def history_of_path(store: RunStore, site: str, path: str) -> Iterator[dict[str, Any]]:
    """For each complete run, oldest first, in which `path` was found: as what, what was asked and answered, why not.

    `became`: what a later run observed of the request; `withdrawn`, or `outliving`: it could not be withdrawn when its
    reason was gone, which `reason` says then.
    """
    wanted = paths.normalise(paths.to_bytes(path))
    complete = [(run, summary) for run in store.runs(site) if (summary := read_summary(run))["result"] == "Complete"]
    runs = [run for run, _ in complete]
    rows = PathRows(
        found={kind.name: _rows_of(runs, kind.file, wanted, FOUND) for kind in FINDING_KINDS},
        acted=_rows_of(runs, ACTIONS, wanted, ACTED),
        followed=_rows_of(runs, FOLLOWED, wanted, FOLLOWED_ROWS),
        withdrawn=_rows_of(runs, WITHDRAWN, wanted, WITHDRAWN_ROWS),
    )
    for row in joined([_facts(run, summary) for run, summary in complete], rows):
        del row["path"]
        yield row


def _facts(run: RunDirectory, summary: dict[str, Any]) -> RunFacts:
    closed = [gate["message"] for gate in summary["gates"] if gate["state"] != "Ready"]
    return RunFacts(run.run_id, summary.get("startTime", ""), closed, summary["actions"])


def joined(runs: Iterable[RunFacts], rows: PathRows) -> Iterator[dict[str, Any]]:
    """What `history_of_path` tells, of all paths that `rows` are about: by run, then by kind."""
    became = {(row["run_id"], row["path"]): row["became"] for of_run in rows.followed.values() for row in of_run}
    why_gone = {(row["run_id"], row["path"]): row for of_run in rows.withdrawn.values() for row in of_run}
    became |= {key: _WITHDRAWN.get(row["outcome"]) or became.get(key) for key, row in why_gone.items()}
    for run in runs:
        actions = {(row["kind"], row["path"]): row for row in rows.acted.get(run.run_id, ())}
        for kind, of_kind in rows.found.items():
            for row in of_kind.get(run.run_id, ()):
                action, key = actions.get((kind, row["path"]), {}), (run.run_id, row["path"])
                asked_at = action.get("asked_at")
                yield {
                    "path": row["path"],
                    "runId": run.run_id,
                    "startTime": run.start_time,
                    "kind": kind,
                    "size": row["size"],
                    "siteSize": row["site_size"],
                    "dataset": row["dataset"],
                    "request": action.get("request"),
                    "outcome": action.get("outcome"),
                    "became": became.get(key) if asked_at is not None else None,
                    "reason": action.get("reason")
                    or _why_not(run, kind, action)
                    or (why_gone.get(key, {}).get("reason") if asked_at is not None else None),
                    "askedAt": None if asked_at is None else datetime.fromtimestamp(asked_at, UTC).isoformat(),
                }


_WITHDRAWN = {"withdrawn": "withdrawn", "cannot": "outliving"}
FOUND = "path, size, site_size, dataset"
ACTED = "path, kind, request, outcome, reason, epoch_ms(asked_at) / 1000 AS asked_at"
FOLLOWED_ROWS = "path, run_id, became"
WITHDRAWN_ROWS = "path, run_id, outcome, reason"


def _rows_of(
    runs: Sequence[RunDirectory], name: str, path: bytes, columns: str
) -> defaultdict[str, list[dict[str, Any]]]:
    """{run id: rows about `path`} from the file `name` of all runs that have it, by one query."""
    from dynamo_consistency.run.database import open_database

    rows = defaultdict(list)
    with contextlib.ExitStack() as stack:
        files = {str(stack.enter_context(run.reading(name))): run for run in runs if run.exists(name)}
        database = stack.enter_context(open_database(tables=False))
        for found in _found_in(database, files, f"SELECT filename, {columns} FROM {_NAMED} WHERE path = ?", path):
            rows[files[found.pop("filename")].run_id].append(found)
    return rows


_NAMED = "read_parquet(?, filename = true)"


def _found_in(
    database: "duckdb.DuckDBPyConnection", files: dict[str, RunDirectory], query: str, path: bytes
) -> Iterator[dict[str, Any]]:
    """The rows of all files by one query or, where one of them is damaged, of each that is not."""
    import duckdb

    try:
        yield from _fetched(database, query, [list(files), path]) if files else ()
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        if len(files) == 1:
            [(file, run)] = files.items()
            tell_damage(run, f"{file} is damaged: {str(error).partition(chr(10))[0]}")
            return
        for file, run in files.items():
            yield from _found_in(database, {file: run}, query, path)


def _fetched(database: "duckdb.DuckDBPyConnection", query: str, values: list[Any]) -> list[dict[str, Any]]:
    result = database.execute(query, values)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _why_not(run: RunFacts, kind: str, action: Mapping[str, Any]) -> str | None:
    """Why nothing was requested for a finding that the action did not take up: the gates, or no confirmation yet."""
    if action:
        return None
    if run.closed:
        return "; ".join(run.closed)
    return "not confirmed by enough runs yet" if kind in run.acted_on else f"{KIND_BY_NAME[kind].word} are not enforced"
