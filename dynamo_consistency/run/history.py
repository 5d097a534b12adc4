"""What earlier runs of a site were, and what became of one file in them."""

from collections.abc import Iterator
from typing import Any

from dynamo_consistency import paths
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.run.directory import SUMMARY, RunDirectory, Store
from dynamo_consistency.run.summary import FINDINGS


def read_summary(run: RunDirectory) -> dict[str, Any]:
    """The summary of a run; of one that is still going on, or that died, only what is known without it."""
    if run.exists(SUMMARY):
        return dict(run.read_json(SUMMARY))
    return {"site": run.site, "runId": run.run_id, "result": "Unfinished", "reason": "", "counts": {}}


def latest_complete(store: Store, site: str) -> RunDirectory | None:
    """The run whose findings are in force: the last complete one. Invalid and unfinished runs count for nothing."""
    for run in reversed(store.runs(site)):
        if read_summary(run)["result"] == "Complete":
            return run
    return None


def find_run(store: Store, site: str, run_id: str | None) -> RunDirectory:
    """The run that a person asks for: by its id, else the one whose findings are in force.

    Raises ConfigurationError when there is no such run, or when it is not complete and so has no findings.
    """
    run = latest_complete(store, site) if run_id is None else store.run(site, run_id)
    if run is None:
        raise ConfigurationError(f"{site} has no complete run in {store.url}; `dynamo-consistency history {site}` tells")
    known = [other.run_id for other in store.runs(site)]
    if run.run_id not in known:
        raise ConfigurationError(f"{site} has no run {run_id} in {store.url}; its runs are {', '.join(known) or 'none'}")
    result = read_summary(run)["result"]
    if result != "Complete":
        raise ConfigurationError(f"run {run.run_id} of {site} is {result} and has no findings")
    return run


def history_of_path(store: Store, site: str, path: str) -> Iterator[dict[str, Any]]:
    """For each complete run, oldest first, in which `path` was found: run id, time, kind, and its sizes."""
    import pyarrow.parquet as pq

    wanted = paths.normalise(paths.to_bytes(path))
    for run in store.runs(site):
        summary = read_summary(run)
        if summary["result"] != "Complete":
            continue
        for kind, name in FINDINGS.items():
            with run.reading(name) as file:
                rows = pq.read_table(file, filters=[("path", "=", wanted)]).to_pylist()
            for row in rows:
                yield {
                    "runId": run.run_id,
                    "startTime": summary["startTime"],
                    "kind": kind,
                    "size": row["size"],
                    "siteSize": row["site_size"],
                    "dataset": row["dataset"],
                }
