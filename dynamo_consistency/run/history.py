"""What earlier runs of a site were, and what became of one file in them."""

from collections.abc import Iterator
from typing import Any

from dynamo_consistency import paths
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.run.directory import SUMMARY, RunDirectory, Store
from dynamo_consistency.run.summary import FINDINGS, fingerprint

SNAPSHOT = "inventory/before.json"


def read_summary(run: RunDirectory) -> dict[str, Any]:
    """The summary of a run; of one that is still going on, or that died, only what is known without it."""
    if run.exists(SUMMARY):
        return dict(run.read_json(SUMMARY))
    return {"site": run.site, "runId": run.run_id, "result": "Unfinished", "reason": "", "counts": {}}


def latest_complete(store: Store, site: str) -> RunDirectory | None:
    """The run whose findings are in force: the last complete one. Invalid and unfinished runs count for nothing."""
    runs = [run for run, _ in _complete_runs(store, site)]
    return runs[-1] if runs else None


def start_of(run: RunDirectory) -> float:
    """When a compared run began, in seconds since 1970: the time of its first snapshot."""
    return float(run.read_json(SNAPSHOT)["takenAt"])


def _order(run: RunDirectory) -> tuple[float, str]:
    """Runs in the order in which they began; of those of one second, in the order of their ids."""
    return start_of(run), run.run_id


def comparable_runs(store: Store, run: RunDirectory) -> list[RunDirectory]:
    """The complete runs before `run`, oldest first, back to the last change of what is compared with what.

    That is told by the check, and by what the backend said that it was. Invalid and unfinished runs neither count nor
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


def is_superseded(store: Store, run: RunDirectory) -> bool:
    """Is there a later complete run, whose findings are in force instead?"""
    began = _order(run)
    return any(_order(other) > began for other, _ in _complete_runs(store, run.site))


def _complete_runs(store: Store, site: str) -> Iterator[tuple[RunDirectory, dict[str, Any]]]:
    """Complete runs with their summaries, in the order in which they began."""
    runs = [(other, read_summary(other)) for other in store.runs(site)]
    complete = [item for item in runs if item[1]["result"] == "Complete"]
    yield from sorted(complete, key=lambda item: _order(item[0]))


def find_run(store: Store, site: str, run_id: str | None) -> RunDirectory:
    """The run that a person asks for: by its id, else the one whose findings are in force.

    Raises ConfigurationError when there is no such run, or when it is not complete and so has no findings.
    """
    run = latest_complete(store, site) if run_id is None else store.run(site, run_id)
    if run is None:
        raise ConfigurationError(
            f"{site} has no complete run in {store.url}; `dynamo-consistency history {site}` tells"
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


def history_of_path(store: Store, site: str, path: str) -> Iterator[dict[str, Any]]:
    """For each complete run, oldest first, in which `path` was found: as what, what was asked and answered, why not."""
    wanted = paths.normalise(paths.to_bytes(path))
    for run in store.runs(site):
        summary = read_summary(run)
        if summary["result"] != "Complete":
            continue
        actions = {row["kind"]: row for row in _rows_of(run, "actions.parquet", wanted)}
        for kind, name in FINDINGS.items():
            for row in _rows_of(run, name, wanted):
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
                    "reason": action.get("reason") or _why_not(summary, kind, action),
                    "askedAt": asked_at.isoformat() if asked_at else None,
                }


def _rows_of(run: RunDirectory, name: str, path: bytes) -> list[dict[str, Any]]:
    """Rows about one path; the files are sorted, so that all but one of their parts are passed over."""
    import pyarrow.parquet as pq

    if not run.exists(name):
        return []
    with run.reading(name) as file:
        return list(pq.read_table(file, filters=[("path", "=", path)]).to_pylist())


def _why_not(summary: dict[str, Any], kind: str, action: dict[str, Any]) -> str | None:
    """Why nothing was requested for a finding that the action did not take up: the gates, or no confirmation yet."""
    if action:
        return None
    closed = [gate["message"] for gate in summary["gates"] if gate["state"] != "Ready"]
    if closed:
        return "; ".join(closed)
    return "not confirmed by enough runs yet" if kind in summary["actions"] else f"{kind} are not enforced"
