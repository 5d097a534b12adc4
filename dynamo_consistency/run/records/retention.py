"""What of old runs is kept: inventories and listings for a while, findings and actions longer.

What a confirmation rests on, now or in the next run, is never removed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dynamo_consistency.check import FindingPolicy, Policy, Retention
from dynamo_consistency.run.records.history import SNAPSHOT, read_summary, start_of
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
    """What may go, of all runs of a site. Pure; a run without a known start is left to a person."""
    known = sorted((kept for kept in runs if kept.start is not None), key=lambda kept: kept.start or 0)
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


def prune(
    store: RunStore,
    site: str,
    retention: Retention,
    policy: Policy,
    now: float,
    *,
    unmerged: FindingPolicy | None = None,
) -> list[Removal]:
    """Remove what may go of a site's runs; returns what was removed. `unmerged`: the policy of its unmerged area."""
    runs = [
        Kept(run, start_of(run) if run.exists(SNAPSHOT) else None, read_summary(run)["result"] == "Complete")
        for run in store.runs(site)
    ]
    done = []
    for removal in removals(runs, retention, policy, now, unmerged=unmerged):
        if removal.what == "run":
            removal.run.remove("")
            done.append(removal)
            continue
        data = [name for folder in DATA_FOLDERS for name in removal.run.names(folder) if name.endswith(".parquet")]
        if data:
            removal.run.remove(*data)
            done.append(removal)
    return done
