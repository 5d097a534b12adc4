"""What earlier runs of a site were, and which of them count for a run."""

from collections.abc import Iterable
from typing import NamedTuple

from dynamo_consistency.errors import ConfigurationError, InvalidRunError
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
from dynamo_consistency.run.store.owner import Owner
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore
from dynamo_consistency.suggestions import did_you_mean

__all__ = [
    "ACTIONS",
    "FOLLOWED",
    "SNAPSHOT",
    "WITHDRAWN",
    "comparable_runs",
    "complete_before",
    "find_run",
    "full_run_id",
    "last_before",
    "latest_complete",
    "named_run",
    "neighbours",
    "read_summary",
    "start_of",
]

NAMED = 5
"""So many of the runs of a site a message names."""
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
    several, or when the run is of another check; InvalidRunError when it is not complete and so has no findings.
    """
    run = named_run(store, site, run_id, owner)
    if owner is not None:
        run.belongs_to(owner)
    summary = read_summary(run)
    if summary["result"] != "Complete":
        raise InvalidRunError(f"run {run.run_id} of {site} is {summary['result']} and has no findings")
    return run


def named_run(store: RunStore, site: str, run_id: str | None, owner: Owner | None = None) -> RunDirectory:
    """The same, whatever became of the run that is named."""
    run = latest_complete(store, site, owner) if run_id is None else _named(store, site, run_id)
    if run is None:
        runs_of(store, site)
        raise ConfigurationError(
            f"{site} has no complete run in {store.url}; `dynamo-consistency history {site}` shows its runs"
        )
    return run


def runs_of(store: RunStore, site: str) -> list[RunDirectory]:
    """All runs of the site. Raises ConfigurationError where there are none, with the site that may be meant."""
    if runs := store.runs(site):
        return runs
    sites = store.sites()
    known = did_you_mean(site, sites) or (f"there are runs of {_last_of(sites)}" if sites else "it has no runs at all")
    raise ConfigurationError(f"there is no run of {site} in {store.url}; {known}")


def full_run_id(store: RunStore, site: str, run_id: str) -> str:
    """The id of the one run that begins so; `run_id` where there is none. Raises ConfigurationError for several."""
    if store.run(site, run_id).may_have_begun():  # as Jobs name it, without a look at all others
        return run_id
    return next(iter(_meant([run.run_id for run in store.runs(site)], site, run_id)), run_id)


def _meant(known: Iterable[str], site: str, run_id: str) -> list[str]:
    meant = [run_id] if run_id in known else [name for name in known if run_id and name.startswith(run_id)]
    if len(meant) > 1:
        raise ConfigurationError(f"{run_id} is the beginning of several runs of {site}: {_last_of(meant)}")
    return meant


def _last_of(names: list[str]) -> str:
    """The last few, of runs the newest: there may be thousands."""
    shown = ", ".join(names[-NAMED:]) or "none"
    return shown if len(names) <= NAMED else f"{shown}, and {len(names) - NAMED} before these"


def _named(store: RunStore, site: str, run_id: str) -> RunDirectory:
    known = {run.run_id: run for run in store.runs(site)}
    meant = _meant(known, site, run_id)
    if not meant:
        raise ConfigurationError(f"{site} has no run {run_id} in {store.url}; its runs are {_last_of(list(known))}")
    return known[meant[0]]
