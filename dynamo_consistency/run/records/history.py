"""What earlier runs of a site were, and what became of one file in them."""

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from dynamo_consistency import paths
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.kinds import FINDING_KINDS
from dynamo_consistency.run.records.complete_runs import (
    SNAPSHOT,
    CompleteRun,
    complete_runs,
    own_times_are_believed,
    start_of,
    times_are_believed,
    up_to_now,
)
from dynamo_consistency.run.records.summary import fingerprint
from dynamo_consistency.run.records.summary_file import read_summary
from dynamo_consistency.run.store.damage import tell_damage
from dynamo_consistency.run.store.owner import Owner
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

if TYPE_CHECKING:
    import duckdb

__all__ = [
    "ACTIONS",
    "FOLLOWED",
    "SNAPSHOT",
    "WITHDRAWN",
    "comparable_runs",
    "complete_before",
    "find_run",
    "history_of_path",
    "last_before",
    "latest_complete",
    "neighbours",
    "read_summary",
    "start_of",
]

ACTIONS = "actions.parquet"
"""What a run asked for."""
FOLLOWED = "followed.parquet"
"""What a run observed of the requests of earlier ones."""
WITHDRAWN = "withdrawn.parquet"
"""Requests of earlier runs whose reason has gone, and what became of the wish to withdraw them."""


def latest_complete(store: RunStore, site: str, owner: Owner | None = None) -> RunDirectory | None:
    """The run of a check (None: of any check of the site) whose findings are in force: the last complete one.

    Invalid, unfinished and damaged runs count for nothing, nor do those that are dated after now.
    """
    runs = up_to_now(complete_runs(store, site, owner))
    return runs[-1].run if runs else None


class Neighbours(NamedTuple):
    """The complete runs of a check around one of its runs, read once; `comparable_runs`, `complete_before`."""

    comparable: list[RunDirectory]
    before: list[RunDirectory]
    is_superseded: bool
    """Is there a later one, whose findings are in force instead?"""


def neighbours(store: RunStore, run: RunDirectory) -> Neighbours:
    """All of them at once: in an object store each look at a run is a request."""
    everything = complete_runs(store, run.site, run.owner)
    believed = up_to_now(everything)
    return Neighbours(
        comparable=_comparable(run, everything),
        before=[other.run for other in _before(run, believed)],
        is_superseded=_is_superseded(run, believed),
    )


def comparable_runs(store: RunStore, run: RunDirectory) -> list[RunDirectory]:
    """The complete runs of the same check before `run`, oldest first, back to the last change of what is compared.

    The check says so, and the backend's description of itself. Invalid, unfinished and damaged runs neither count nor
    reset; nor do those whose times cannot be believed. A run whose own times cannot be, as they lie after now or not
    in order, has none.
    """
    return _comparable(run, complete_runs(store, run.site, run.owner))


def _comparable(run: RunDirectory, everything: list[CompleteRun]) -> list[RunDirectory]:
    wanted = fingerprint(run.check()), run.read_json(SNAPSHOT)["description"]
    comparable: list[RunDirectory] = []
    for other in _before(run, up_to_now(everything)):
        if (other.summary.get("fingerprint"), _description(other)) != wanted:
            comparable.clear()
        elif times_are_believed(other, everything):
            comparable.append(other.run)
    return comparable if own_times_are_believed(run) else []


def complete_before(store: RunStore, run: RunDirectory) -> list[RunDirectory]:
    """The complete runs of the same check before `run`, oldest first, whatever they compared."""
    return [other.run for other in _before(run, up_to_now(complete_runs(store, run.site, run.owner)))]


def last_before(store: RunStore, run: RunDirectory) -> RunDirectory | None:
    """The last of them."""
    return next(reversed(complete_before(store, run)), None)


def _is_superseded(run: RunDirectory, runs: list[CompleteRun]) -> bool:
    began = _order(run)
    return any(other.order > began for other in runs)


def _before(run: RunDirectory, runs: list[CompleteRun]) -> list[CompleteRun]:
    began = _order(run)
    return [other for other in runs if other.order < began]


def _order(run: RunDirectory) -> tuple[float, str]:
    return start_of(run), run.run_id


def _description(one: CompleteRun) -> str | None:
    """The backend, as it described itself to the run."""
    snapshots = one.summary.get("snapshots")
    before = snapshots.get("before") if isinstance(snapshots, dict) else None
    return before.get("description") if isinstance(before, dict) else None


def find_run(store: RunStore, site: str, run_id: str | None, owner: Owner | None = None) -> RunDirectory:
    """The run that a person asks for: by its id or the beginning of it, else the one whose findings are in force.

    `owner`: only its runs will do. Raises ConfigurationError when there is no such run, when the beginning is that of
    several, when the run is of another check, or is not complete and so has no findings.
    """
    run = latest_complete(store, site, owner) if run_id is None else _named(store, site, run_id)
    if run is None:
        raise ConfigurationError(
            f"{site} has no complete run in {store.url}; `dynamo-consistency history {site}` shows its runs"
        )
    if owner is not None:
        run.belongs_to(owner)
    summary = read_summary(run)
    if summary["result"] != "Complete":
        raise ConfigurationError(f"run {run.run_id} of {site} is {summary['result']} and has no findings")
    return run


def _named(store: RunStore, site: str, run_id: str) -> RunDirectory:
    known = {run.run_id: run for run in store.runs(site)}
    meant = [run_id] if run_id in known else [name for name in known if run_id and name.startswith(run_id)]
    if len(meant) > 1:
        raise ConfigurationError(f"{run_id} is the beginning of several runs of {site}: {', '.join(meant)}")
    if not meant:
        raise ConfigurationError(
            f"{site} has no run {run_id} in {store.url}; its runs are {', '.join(known) or 'none'}"
        )
    return known[meant[0]]


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
        database = stack.enter_context(open_database())
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
    return "not confirmed by enough runs yet" if kind in summary["actions"] else f"{kind} are not enforced"
