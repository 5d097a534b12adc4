"""The stages in their order: what `dynamo-consistency run` does, and what the Jobs of a cluster do one by one."""

import logging
import time
from typing import Any

from dynamo_consistency.backend import optional_features
from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import BackendError, ConfigurationError, ConsistencyError, InvalidRunError, ListingError
from dynamo_consistency.run.action import act
from dynamo_consistency.run.action.died import complete_records
from dynamo_consistency.run.action.followup import follow_up
from dynamo_consistency.run.action.withdrawal import withdraw_outlived
from dynamo_consistency.run.comparison.comparison import compare
from dynamo_consistency.run.database import memory_limit
from dynamo_consistency.run.gates import evaluate, gather
from dynamo_consistency.run.listing.failed_shards import absent_shards
from dynamo_consistency.run.listing.progress import Progress
from dynamo_consistency.run.local_listing import list_site, list_unmerged_area, shards_here
from dynamo_consistency.run.records import notes
from dynamo_consistency.run.records import summary as summaries
from dynamo_consistency.run.records.complete_runs import RUNS_AFTER_NOW, notes_on_clocks
from dynamo_consistency.run.records.history import ACTIONS, SNAPSHOT, complete_before, latest_complete
from dynamo_consistency.run.records.retention import prune
from dynamo_consistency.run.records.summary_file import read_summary
from dynamo_consistency.run.report import write_reports
from dynamo_consistency.run.snapshot import ask_datasets, take_snapshot
from dynamo_consistency.run.store.run_directory import SUMMARY, RunDirectory, RunStore
from dynamo_consistency.run.unmerged import find_unmerged

log = logging.getLogger(__name__)


def run_check(check: SiteConsistencyCheck, backend: Backend, store: RunStore) -> tuple[RunDirectory, summaries.Summary]:
    """One run on this machine, all its stages; returns where it is and its summary, also when it is invalid.

    Raises ConsistencyError when the run cannot even begin.
    """
    site = check.spec.site
    memory_limit()  # one that is wrong shows before anything is started
    if not backend.check_site(site):
        raise ConsistencyError(f"the backend says that {site} is not ready; nothing was started")
    check = resolved(check, backend)
    run = store.create(_with_listing(check, shards=shards_here(check.spec.listing)))
    log.info("run %s of %s in %s", run.run_id, site, run.url)
    last = _counts_of_last_run(run)
    try:
        take_snapshot(run, backend, "before", last.get("inventoryFiles"))
        list_site(run, backend, Progress(f"{site}: listing", last.get("listedDirectories")))
        list_unmerged_area(run, backend, Progress(f"{site}: unmerged area"))
    except (InvalidRunError, BackendError, ListingError) as error:
        return run, _invalid(run, backend, str(error))
    except ConfigurationError as error:  # the run says why it has no end, and the person what to correct
        _invalid(run, backend, str(error))
        raise
    summary = conclude(run, backend)
    if any(gate["state"] != "Ready" for gate in summary["gates"]) or summary["result"] != "Complete":
        return run, summary
    return run, act_on(run, backend)


def resolved(check: SiteConsistencyCheck, backend: Backend) -> SiteConsistencyCheck:
    """The check with what lists the site, where it leaves that to the backend.

    So a run acts on what it has listed, and findings are not confirmed across a change of it.
    """
    if check.spec.listing.source is not None:
        return check
    return _with_listing(check, source=optional_features.listing_source(backend, check.spec.site))


def _with_listing(check: SiteConsistencyCheck, **fields: Any) -> SiteConsistencyCheck:
    listing = check.spec.listing.model_copy(update=fields)
    return check.model_copy(update={"spec": check.spec.model_copy(update={"listing": listing})})


def conclude(run: RunDirectory, backend: Backend) -> summaries.Summary:
    """The comparison stage: second snapshot, comparison, reports and summary of a run that has been listed.

    A run that is complete stays as it is: what it has requested is in its summary.
    """
    if (known := read_summary(run))["result"] == "Complete":
        return known
    check = run.check()
    try:
        before = run.read_json(SNAPSHOT) if run.exists(SNAPSHOT) else {}
        absent_shards(run, check.spec.listing)  # a snapshot that is taken before the last shard is none after it
        take_snapshot(run, backend, "after", before.get("rows"))
        ask_datasets(run, backend)
        counts = compare(run, backend)
        complete_records(run)
        counts |= follow_up(run, backend)
    except (InvalidRunError, BackendError) as error:
        return _invalid(run, backend, str(error))
    unmerged = find_unmerged(run, complete_before(run.store, run))
    counts |= withdraw_outlived(run, backend)
    after_now, sentences = notes_on_clocks(run.store, run)
    notes.note(run, "clocks", sentences)
    summary = summaries.summarise(run, check, "Complete", counts=counts, unmerged=unmerged)
    summary |= {RUNS_AFTER_NOW: after_now} if after_now else {}
    summary["gates"] = [gate.as_dict() for gate in evaluate(gather(run.store, run))]
    summary["artifacts"] |= write_reports(run, backend, summary)
    _finish(run, summary)
    prune(run.store, run.site, run.owner, check.spec, _now(run))
    return summary


def _now(run: RunDirectory) -> float:
    """Seconds since 1970, for deciding what is old: by our clock or, where that is earlier, the store's."""
    return min(time.time(), run.modified(SUMMARY))


def act_on(
    run: RunDirectory,
    backend: Backend,
    approved_run: str | None = None,
    today: SiteConsistencyCheck | None = None,
) -> summaries.Summary:
    """The action stage: all gates once more and, where they are open, the requests; then reports and summary anew.

    `today`: the check as it is now, where it is known: what it is stricter in counts. Raises what ended the action
    early, when all that was done until then is in the summary.
    """
    report, ended_by = act(run.store, run, backend, approved_run, today and resolved(today, backend))
    summary = read_summary(run) | report | {"notes": notes.gathered(run)}
    summary["artifacts"] |= {"actions": ACTIONS} | write_reports(run, backend, summary)
    summaries.write_summary(run, summary)
    log.info("run %s of %s: %d requested", run.run_id, run.site, _requested(summary))
    if ended_by is not None:
        raise ended_by
    return summary


def _invalid(run: RunDirectory, backend: Backend, reason: str) -> summaries.Summary:
    """The summary and the page of a run that proves nothing; it has no findings."""
    summary = summaries.summarise(run, run.check(), "Invalid", reason=reason)
    summary["artifacts"] |= write_reports(run, backend, summary)
    return _finish(run, summary)


def _counts_of_last_run(run: RunDirectory) -> dict[str, int]:
    last = latest_complete(run.store, run.site, run.owner)
    counts = {} if last is None else read_summary(last)["counts"]
    return {name: number for name, number in counts.items() if isinstance(number, int)}


def _requested(summary: summaries.Summary) -> int:
    """How much a run has asked for, of all kinds."""
    return sum(action["requested"] for action in summary["actions"].values())


def _finish(run: RunDirectory, summary: summaries.Summary) -> summaries.Summary:
    summaries.write_summary(run, summary)
    said = ": ".join(filter(None, (summary["result"], summary["reason"])))
    log.info("run %s of %s: %s", run.run_id, run.site, said)
    return summary
