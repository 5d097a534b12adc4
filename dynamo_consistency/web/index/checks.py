"""What pages need of the check that a run holds: its schedule, its policy, its deadline."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import ConfigurationError, ConsistencyError, DamagedError
from dynamo_consistency.kinds import KIND_BY_NAME, UNMERGED
from dynamo_consistency.run.store.owner import Owner
from dynamo_consistency.run.store.run_directory import RunStore
from dynamo_consistency.schedule import CronSchedule, schedule_of
from dynamo_consistency.web.kept import Kept

_KEPT = 1000


@dataclass(frozen=True)
class Limit:
    """The most findings of a kind, as a number and as a fraction (None: no such bound)."""

    count: int
    fraction: float | None


@dataclass(frozen=True)
class CheckFacts:
    """Of a check as one of its runs holds it. modes, limits: by kind. in_cluster: its commands are kubectl's."""

    name: str
    namespace: str | None
    schedule: CronSchedule | None
    run_deadline: timedelta
    modes: dict[str, Literal["Ignore", "Report", "Enforce"]]
    limits: dict[str, Limit]
    approval: str

    def next_due(self, last: float | None) -> datetime | None:
        """When the run after one that began at `last` (seconds since 1970) is due; None without a schedule."""
        if self.schedule is None or last is None:
            return None
        written = self.schedule.next_after(datetime.fromtimestamp(last, UTC) - self.schedule.jitter)
        return None if written is None else self.schedule.due_time(written)

    def interval(self, now: datetime) -> timedelta | None:
        """The longest time between two runs of the schedule."""
        return None if self.schedule is None else self.schedule.longest_interval(now)

    def limit(self, kind: str, counts: dict[str, int]) -> float | None:
        """The most findings of a kind that the site may have, with these counts."""
        limit = self.limits.get(kind)
        if limit is None:
            return None
        base = counts.get(_BASES[KIND_BY_NAME[kind].fraction_of], 0)
        return float(limit.count if limit.fraction is None else min(limit.count, int(limit.fraction * base)))


_BASES = {"expected": "expectedFiles", "listed": "listedFiles", "directories": "listedDirectories"}


def facts_of(check: SiteConsistencyCheck, owner: Owner) -> CheckFacts:
    spec = check.spec
    policies = dict(spec.policy.of_kinds)
    if spec.unmerged:
        policies[UNMERGED.name] = spec.unmerged
    limits = {
        kind: Limit(policy.max_count, None if policy.max_fraction is None else float(policy.max_fraction))
        for kind, policy in policies.items()
    }
    return CheckFacts(
        name=owner.name,
        namespace=owner.namespace,
        schedule=None if spec.suspend else schedule_of(check, owner.uid or ""),
        run_deadline=timedelta(seconds=spec.run_deadline_seconds),
        modes={kind: policy.mode for kind, policy in policies.items()},
        limits=limits,
        approval=spec.policy.approval,
    )


class Checks:
    """The checks of runs, each read once: a run never sees a later edit."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._known: Kept[tuple[str, str], tuple[CheckFacts | None]] = Kept(_KEPT)

    def of(self, site: str, run_id: str) -> CheckFacts | None:
        """None where the check is damaged, or its owner."""
        known = self._known.get((site, run_id))
        if known is not None:
            return known[0]
        run = self._store.run(site, run_id)
        try:
            facts = facts_of(run.check(), run.owner)
        except (ConfigurationError, DamagedError):
            facts = None
        except ConsistencyError:  # the store does not answer now
            return None
        self._known.put((site, run_id), (facts,))
        return facts
