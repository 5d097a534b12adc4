"""What became of one file in the runs of a site."""

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dynamo_consistency import paths
from dynamo_consistency.kinds import FINDING_KINDS, KIND_BY_NAME
from dynamo_consistency.run.records.history import ACTIONS, FOLLOWED, WITHDRAWN
from dynamo_consistency.run.records.summary_file import read_summary
from dynamo_consistency.run.store.damage import tell_damage
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

if TYPE_CHECKING:
    import duckdb


def history_of_path(store: RunStore, site: str, path: str) -> Iterator[dict[str, Any]]:
    """For each complete run, oldest first, in which `path` was found: as what, what was asked and answered, why not.

    `became`: what a later run observed of the request; `withdrawn`, or `outliving`: it could not be withdrawn when its
    reason was gone, which `reason` says then.
    """
    wanted = paths.normalise(paths.to_bytes(path))
    runs = [(run, summary) for run in store.runs(site) if (summary := read_summary(run))["result"] == "Complete"]
    found = {
        kind.name: _rows_of([run for run, _ in runs], kind.file, wanted, "size, site_size, dataset")
        for kind in FINDING_KINDS
    }
    acted = _rows_of([run for run, _ in runs], ACTIONS, wanted, _ACTED)
    followed = _rows_of([run for run, _ in runs], FOLLOWED, wanted, "run_id, became")
    became = {row["run_id"]: row["became"] for run, _ in runs for row in followed[run.run_id]}
    taken_back = _rows_of([run for run, _ in runs], WITHDRAWN, wanted, "run_id, outcome, reason")
    why_gone = {row["run_id"]: row for run, _ in runs for row in taken_back[run.run_id]}
    became |= {run_id: _WITHDRAWN.get(row["outcome"]) or became.get(run_id) for run_id, row in why_gone.items()}
    for run, summary in runs:
        actions = {row["kind"]: row for row in acted[run.run_id]}
        for kind, rows in found.items():
            for row in rows[run.run_id]:
                action = actions.get(kind, {})
                asked_at = action.get("asked_at")
                yield {
                    "runId": run.run_id,
                    "startTime": summary.get("startTime", ""),
                    "kind": kind,
                    "size": row["size"],
                    "siteSize": row["site_size"],
                    "dataset": row["dataset"],
                    "request": action.get("request"),
                    "outcome": action.get("outcome"),
                    "became": became.get(run.run_id) if asked_at is not None else None,
                    "reason": action.get("reason")
                    or _why_not(summary, kind, action)
                    or (why_gone.get(run.run_id, {}).get("reason") if asked_at is not None else None),
                    "askedAt": None if asked_at is None else datetime.fromtimestamp(asked_at, UTC).isoformat(),
                }


_WITHDRAWN = {"withdrawn": "withdrawn", "cannot": "outliving"}
_ACTED = "kind, request, outcome, reason, epoch_ms(asked_at) / 1000 AS asked_at"


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


def _why_not(summary: dict[str, Any], kind: str, action: dict[str, Any]) -> str | None:
    """Why nothing was requested for a finding that the action did not take up: the gates, or no confirmation yet."""
    if action:
        return None
    closed = [gate["message"] for gate in summary["gates"] if gate["state"] != "Ready"]
    if closed:
        return "; ".join(closed)
    return (
        "not confirmed by enough runs yet"
        if kind in summary["actions"]
        else f"{KIND_BY_NAME[kind].word} are not enforced"
    )
