"""What of old runs is kept: inventories and listings for a while, findings and actions longer.

What a confirmation rests on, now or in the next run, is never removed. A check removes runs of its own only. A clock
that is wrong must not cost the history: a run dated after now counts for nothing, and after a gap that is longer than
what is kept, which a clock that has jumped leaves as well, ages are counted from the last run before the gap.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dynamo_consistency.check import FindingPolicy, Policy, Retention, SiteConsistencyCheck, Spec
from dynamo_consistency.errors import ConfigurationError, DamagedError
from dynamo_consistency.run.records.complete_runs import CLOCKS_DIFFER, SNAPSHOT, owner_of, start_of
from dynamo_consistency.run.records.summary_file import read_summary
from dynamo_consistency.run.store.damage import tell_damage
from dynamo_consistency.run.store.owner import Owner
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

DAY = 86400
DAYS_OF_LIMITS = 30
"""For so long it is counted what was asked for, whatever a check says of old runs."""
DATA_FOLDERS = ("inventory", "listing")


@dataclass(frozen=True)
class Kept:
    """One run as retention sees it. `start` in seconds since 1970, None for a run that died before its snapshot."""

    run: RunDirectory
    start: float | None
    complete: bool


@dataclass(frozen=True)
class Removal:
    """`data`: the Parquet files of inventory and listing; `run`: the run directory."""

    run: RunDirectory
    what: Literal["data", "run"]


def removals(
    runs: Sequence[Kept], retention: Retention, policy: Policy, now: float, *, unmerged: FindingPolicy | None = None
) -> Iterator[Removal]:
    """What may go, of all runs of a check. Pure; a run without a known start, or of the future, is left to a person."""
    past = (kept for kept in runs if kept.start is not None and kept.start <= now + CLOCKS_DIFFER)
    known = sorted(past, key=lambda kept: kept.start or 0)
    complete = [kept for kept in known if kept.complete]
    policies = [*policy.of_kinds.values(), *([unmerged] if unmerged else [])]
    resting = {kept.run.url for kept in _resting(complete, policies)}
    keeping_all = {kept.run.url for kept in complete[-retention.runs :]}
    for kept in known:
        age = now - (kept.start or 0)
        if age > max(retention.findings_days, DAYS_OF_LIMITS) * DAY and kept.run.url not in resting | keeping_all:
            yield Removal(kept.run, "run")
        elif age > retention.days * DAY and kept.run.url not in keeping_all:
            yield Removal(kept.run, "data")


def _resting(complete: Sequence[Kept], policies: Sequence[FindingPolicy]) -> Iterator[Kept]:
    """The last complete runs that a confirmation needs, of the last of them or of the next run: enough, and over
    enough time."""
    number = max(2, *(policy.confirm_runs for policy in policies))
    span = max(policy.longest_span_seconds for policy in policies)
    for place, kept in enumerate(reversed(complete)):
        yield kept
        if place + 1 >= number and (complete[-1].start or 0) - (kept.start or 0) >= span:
            return


def vouched_now(runs: Sequence[Kept], retention: Retention, now: float) -> float:
    """The time up to which ages count by themselves: now, where a run before the last one is near it.

    The last one is that of now, and has its time from the same clock.
    """
    starts = sorted(kept.start for kept in runs if kept.complete and kept.start is not None and kept.start <= now)
    if len(starts) < 2 or now - starts[-2] <= retention.days * DAY:
        return now
    return starts[-2]


def prune(store: RunStore, site: str, owner: Owner, spec: Spec, now: float) -> list[Removal]:
    """Remove what may go of a check's runs, as the last of them ends; returns which runs were removed.

    `spec`: of the check, as it is now. `now`: seconds since 1970.
    """
    runs = _runs_of(store, site, owner)
    return _remove(store, site, runs, spec, vouched_now(runs, spec.retention, now))


def prune_site(store: RunStore, site: str, now: float) -> list[Removal]:
    """Prune the runs of each check of a site, as the last of its runs with a readable check says; by a person."""
    last = {owner: check for run in store.runs(site) if (owner := owner_of(run)) and (check := _check_of(run))}
    runs = {owner: _runs_of(store, site, owner) for owner in last}
    return [removal for owner, check in last.items() for removal in _remove(store, site, runs[owner], check.spec, now)]


def _remove(store: RunStore, site: str, runs: Sequence[Kept], spec: Spec, now: float) -> list[Removal]:
    """And what killed processes have left half-written."""
    store.remove_leftovers(site)
    done = []
    for removal in removals(runs, spec.retention, spec.policy, now, unmerged=spec.unmerged):
        if removal.what == "run":
            removal.run.remove("")
            done.append(removal)
            continue
        data = [name for folder in DATA_FOLDERS for name in removal.run.names(folder) if name.endswith(".parquet")]
        if data:
            removal.run.remove(*data)
            done.append(removal)
    return done


def _runs_of(store: RunStore, site: str, owner: Owner) -> list[Kept]:
    return [_kept(run) for run in store.runs(site) if owner_of(run) == owner]


def _kept(run: RunDirectory) -> Kept:
    try:
        start = start_of(run) if run.exists(SNAPSHOT) else None
    except DamagedError as error:
        tell_damage(run, str(error))
        start = None
    return Kept(run, start, start is not None and read_summary(run)["result"] == "Complete")


def _check_of(run: RunDirectory) -> SiteConsistencyCheck | None:
    try:
        return run.check()
    except (ConfigurationError, DamagedError) as error:
        tell_damage(run, str(error))
        return None
