"""What earlier runs of a site were, and what became of one file in them."""

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from dynamo_consistency import paths
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.kinds import FINDING_KINDS
from dynamo_consistency.run.records.summary import fingerprint
from dynamo_consistency.run.store.run_directory import SUMMARY, RunDirectory, RunStore

SNAPSHOT = "inventory/before.json"
ACTIONS = "actions.parquet"
"""What a run asked for."""
FOLLOWED = "followed.parquet"
"""What a run observed of the requests of earlier ones."""
WITHDRAWN = "withdrawn.parquet"
"""Requests of earlier runs whose reason has gone, and what became of the wish to withdraw them."""


def read_summary(run: RunDirectory) -> dict[str, Any]:
    """The summary of a run; of one that is still going on, or that died, only what is known without it."""
    if run.exists(SUMMARY):
        return dict(run.read_json(SUMMARY))
    return {"site": run.site, "runId": run.run_id, "result": "Unfinished", "reason": "", "counts": {}}


def latest_complete(store: RunStore, site: str) -> RunDirectory | None:
    """The run whose findings are in force: the last complete one. Invalid and unfinished runs count for nothing."""
    runs = [run for run, _ in _complete_runs(store, site)]
    return runs[-1] if runs else None


def start_of(run: RunDirectory) -> float:
    """When a compared run began, in seconds since 1970: the time of its first snapshot."""
    return float(run.read_json(SNAPSHOT)["takenAt"])


def _order(run: RunDirectory) -> tuple[float, str]:
    """Runs in the order in which they began; of those of one second, in the order of their ids."""
    return start_of(run), run.run_id


def comparable_runs(store: RunStore, run: RunDirectory) -> list[RunDirectory]:
    """The complete runs before `run`, oldest first, back to the last change of what is compared with what.

    The check says so, and the backend's description of itself. Invalid and unfinished runs neither count nor
    reset.
    """
    wanted = fingerprint(run.check()), run.read_json(SNAPSHOT)["description"]
    began = _order(run)
    comparable: list[RunDirectory] = []
    for other, summary in _complete_runs(store, run.site):
        if _order(other) >= began:
            continue
        if (summary.get("fingerprint"), summary["snapshots"]["before"]["description"]) != wanted:
            comparable.clear()
        else:
            comparable.append(other)
    return comparable


def complete_before(store: RunStore, run: RunDirectory) -> list[RunDirectory]:
    """The complete runs before `run`, oldest first, whatever they compared."""
    began = _order(run)
    return [other for other, _ in _complete_runs(store, run.site) if _order(other) < began]


def last_before(store: RunStore, run: RunDirectory) -> RunDirectory | None:
    """The last of them."""
    return next(reversed(complete_before(store, run)), None)


def is_superseded(store: RunStore, run: RunDirectory) -> bool:
    """Is there a later complete run, whose findings are in force instead?"""
    began = _order(run)
    return any(_order(other) > began for other, _ in _complete_runs(store, run.site))


def _complete_runs(store: RunStore, site: str) -> Iterator[tuple[RunDirectory, dict[str, Any]]]:
    """Complete runs with their summaries, in the order in which they began."""
    runs = [(other, read_summary(other)) for other in store.runs(site)]
    complete = [item for item in runs if item[1]["result"] == "Complete"]
    yield from sorted(complete, key=lambda item: _order(item[0]))


def find_run(store: RunStore, site: str, run_id: str | None) -> RunDirectory:
    """The run that a person asks for: by its id, else the one whose findings are in force.

    Raises ConfigurationError when there is no such run, or when it is not complete and so has no findings.
    """
    run = latest_complete(store, site) if run_id is None else store.run(site, run_id)
    if run is None:
        raise ConfigurationError(
            f"{site} has no complete run in {store.url}; `dynamo-consistency history {site}` shows its runs"
        )
    known = [other.run_id for other in store.runs(site)]
    if run.run_id not in known:
        raise ConfigurationError(
            f"{site} has no run {run_id} in {store.url}; its runs are {', '.join(known) or 'none'}"
        )
    result = read_summary(run)["result"]
    if result != "Complete":
        raise ConfigurationError(f"run {run.run_id} of {site} is {result} and has no findings")
    return run


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
                    "startTime": summary["startTime"],
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
        files = {str(stack.enter_context(run.reading(name))): run.run_id for run in runs if run.exists(name)}
        if files:
            query = f"SELECT filename, {columns} FROM read_parquet(?, filename = true) WHERE path = ?"
            result = stack.enter_context(open_database()).execute(query, [list(files), path])
            names = [column[0] for column in result.description]
            for row in result.fetchall():
                rows[files[row[0]]].append(dict(zip(names, row, strict=True)))
    return rows


def _why_not(summary: dict[str, Any], kind: str, action: dict[str, Any]) -> str | None:
    """Why nothing was requested for a finding that the action did not take up: the gates, or no confirmation yet."""
    if action:
        return None
    closed = [gate["message"] for gate in summary["gates"] if gate["state"] != "Ready"]
    if closed:
        return "; ".join(closed)
    return "not confirmed by enough runs yet" if kind in summary["actions"] else f"{kind} are not enforced"
