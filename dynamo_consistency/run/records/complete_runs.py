"""The complete runs of a check, and whether their times can be believed.

Runs are ordered by their own times, and those are only as good as the clock of the machine that made them. A run that
is dated after now confirms, supersedes and prunes nothing. A run that saw, when it was made, runs of its own future
which now lie in the past was made by a clock that was behind: its time says nothing of how long a finding has stood.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from dynamo_consistency.errors import ConfigurationError, ConsistencyError, DamagedError
from dynamo_consistency.run.records.summary_file import read_summary
from dynamo_consistency.run.store.damage import tell_damage
from dynamo_consistency.run.store.owner import Owner
from dynamo_consistency.run.store.run_directory import SUMMARY, RunDirectory, RunStore

SNAPSHOT, AFTER = "inventory/before.json", "inventory/after.json"
CLOCKS_DIFFER = 300
"""Seconds by which the clocks of two machines may differ."""
RUNS_AFTER_NOW = "runsAfterNow"
"""What `summary.json` calls the ids of complete runs of its check that were dated after it was made."""


@dataclass(frozen=True)
class CompleteRun:
    """A complete run; `start` as in `start_of`."""

    run: RunDirectory
    summary: dict[str, Any]
    start: float

    @property
    def order(self) -> tuple[float, str]:
        """Runs in the order in which they began; of those of one second, in the order of their ids."""
        return self.start, self.run.run_id

    @property
    def last_time(self) -> float:
        """The latest of the times that the run has written down of itself."""
        return max([self.start, *_times(self.summary)])


def start_of(run: RunDirectory) -> float:
    """When a run began, in seconds since 1970: the time of its first snapshot.

    Raises ConsistencyError when there is no snapshot, DamagedError when that does not say.
    """
    facts = run.read_json(SNAPSHOT)
    try:
        return float(facts["takenAt"])
    except (TypeError, KeyError, ValueError):
        raise DamagedError(f"{run.url}/{SNAPSHOT} is damaged: it does not say when it was taken") from None


def owner_of(run: RunDirectory) -> Owner | None:
    """Whose run it is; None, and people are told, where that cannot be known: nobody counts it then."""
    try:
        return run.owner
    except (ConfigurationError, DamagedError) as error:
        tell_damage(run, str(error))
        return None


def complete_runs(store: RunStore, site: str, owner: Owner | None) -> list[CompleteRun]:
    """Complete runs of a check (None: of all checks of the site), also those dated after now, in their order."""
    return sorted(complete_among(store.runs(site), owner), key=lambda one: one.order)


def complete_among(runs: Iterable[RunDirectory], owner: Owner | None) -> Iterator[CompleteRun]:
    """Those of `runs` that are complete and of the check, in their order; each is read when it is asked for."""
    for run in runs:
        if owner is not None and owner_of(run) != owner:
            continue
        summary = read_summary(run)
        if summary["result"] != "Complete":
            continue
        try:
            if type(summary["counts"].get("inventoryFiles")) is not int:
                raise DamagedError(f"{run.url}/{SUMMARY} is damaged: it counts no files of the inventory")
            yield CompleteRun(run, summary, start_of(run))
        except ConsistencyError as error:
            tell_damage(run, str(error))


def dated_after_now(runs: list[CompleteRun]) -> list[CompleteRun]:
    """Those of `runs` that say of themselves that they are of the future: a clock was, or is, wrong."""
    now = time.time() + CLOCKS_DIFFER
    return [one for one in runs if one.last_time > now]


def up_to_now(runs: list[CompleteRun]) -> list[CompleteRun]:
    """`runs` without those dated after now."""
    future = {one.run.run_id for one in dated_after_now(runs)}
    return [one for one in runs if one.run.run_id not in future]


def times_are_believed(one: CompleteRun, runs: list[CompleteRun]) -> bool:
    """Do the run's own times lie in order, and was its clock not behind? `runs`: all complete ones of its check."""
    past = {other.run.run_id for other in up_to_now(runs)}
    return _in_order(_times(one.summary)) and not past.intersection(one.summary.get(RUNS_AFTER_NOW, []))


def own_times_are_believed(run: RunDirectory) -> bool:
    """The same of a run that is being compared or acted on: do its times lie in order, and none of them after now?

    Now is by our clock or, where that is earlier, by the store's, when it was given the second snapshot.
    """
    listed = [run.read_json(name).get("listedAt") for name in run.names("listing") if name.endswith(".json")]
    listed = [at for at in listed if isinstance(at, int | float)]
    after, now = [], time.time()
    if run.exists(AFTER):
        after, now = [run.read_json(AFTER).get("takenAt")], min(now, run.modified(AFTER))
    times = [start_of(run), *([min(listed), max(listed)] if listed else []), *after]
    return _in_order(times) and max(times) <= now + CLOCKS_DIFFER


def _in_order(times: list[float]) -> bool:
    """Was the first snapshot taken before the listing, and the second after it, by the clocks of those who did it?"""
    return all(earlier <= later + CLOCKS_DIFFER for earlier, later in pairwise(times))


def _times(summary: Mapping[str, Any]) -> list[float]:
    """Of the first snapshot, the first and the last shard's listing, and the second snapshot, as far as known."""
    snapshots, listing = summary.get("snapshots", {}), summary.get("listing", {})
    known = [
        snapshots.get("before", {}).get("takenAt"),
        listing.get("firstListedAt"),
        listing.get("lastListedAt"),
        snapshots.get("after", {}).get("takenAt"),
    ]
    return [float(at) for at in known if isinstance(at, int | float)]


def notes_on_clocks(store: RunStore, run: RunDirectory) -> tuple[list[str], list[str]]:
    """Ids of the runs of its check that are dated after now, and a sentence on each; and one on its own times."""
    ahead = [one for one in dated_after_now(complete_runs(store, run.site, run.owner)) if one.run.url != run.url]
    sentences = [
        f"run {one.run.run_id} is dated {_text(one.last_time)}, which is after now: a clock was wrong, or is; it "
        "confirms, supersedes and removes nothing, and its directory may be removed by hand"
        for one in ahead
    ]
    if not own_times_are_believed(run):
        sentences.append(
            "the times of this run are not in order, or after now by the clock of this machine or of the store: it "
            "confirms nothing; see that the clocks are right"
        )
    return [one.run.run_id for one in ahead], sentences


def _text(seconds: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return str(seconds)
