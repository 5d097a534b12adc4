"""What the gates look at, gathered from the run directory and from those of earlier runs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from dynamo_consistency.check import FindingPolicy, Policy
from dynamo_consistency.run import confirmation
from dynamo_consistency.run.comparison import COUNTS
from dynamo_consistency.run.confirmation import Confirmed
from dynamo_consistency.run.directory import RunDirectory, Store
from dynamo_consistency.run.history import comparable_runs, is_superseded, read_summary

Kind = Literal["missing", "mismatches", "orphans", "emptyDirectories"]
KINDS: tuple[Kind, ...] = ("mismatches", "missing", "orphans", "emptyDirectories")
"""In the order in which the action takes them up: first what repairs, last what removes."""


@dataclass(frozen=True)
class Scope:
    """The numbers of one root, or of the whole site."""

    name: str
    expected: int
    listed: int
    directories: int
    holes: int
    findings: Mapping[Kind, int]

    @property
    def found(self) -> int:
        """Expected files that the listing can have seen: orphans must not make up for missing files."""
        return max(0, min(self.listed, self.expected - self.findings["missing"]))

    def base(self, kind: Kind) -> int:
        """What a fraction of `kind` is a fraction of."""
        return {"orphans": self.listed, "emptyDirectories": self.directories}.get(kind, self.expected)


@dataclass(frozen=True)
class Facts:
    """Everything the gates know. `before`, `after`, `last_inventory`: files below the roots."""

    run_id: str
    policy: Policy
    before: int
    after: int
    last_inventory: int | None
    scopes: tuple[Scope, ...]
    empty_top_directories: tuple[str, ...]
    complete_runs: int
    confirmed: Mapping[Kind, Confirmed]
    approved_run: str | None
    superseded: bool
    by_dump: bool

    @property
    def approved(self) -> bool:
        return self.approved_run == self.run_id

    @property
    def enforced(self) -> tuple[Kind, ...]:
        return tuple(kind for kind in KINDS if self.policy_of(kind).mode == "Enforce")

    def policy_of(self, kind: Kind) -> FindingPolicy:
        policies: dict[Kind, FindingPolicy] = {
            "missing": self.policy.missing,
            "mismatches": self.policy.mismatches,
            "orphans": self.policy.orphans,
            "emptyDirectories": self.policy.empty_directories,
        }
        return policies[kind]

    def found(self, kind: Kind) -> int:
        """How many findings of `kind` the run has at the site."""
        return self.scopes[0].findings[kind] if self.scopes else 0


def gather(store: Store, run: RunDirectory, approved_run: str | None = None) -> Facts:
    """The facts about a compared run. `approved_run`: the run that somebody has approved, by its id."""
    check = run.check()
    counts = run.read_json(COUNTS)
    earlier = comparable_runs(store, run)
    approved_run = approved_run or (check.spec.approve.run if check.spec.approve else None)
    policies = check.spec.policy
    facts = Facts(
        run_id=run.run_id,
        policy=policies,
        before=counts["snapshots"]["before"],
        after=counts["snapshots"]["after"],
        last_inventory=read_summary(earlier[-1])["counts"]["inventoryFiles"] if earlier else None,
        scopes=(
            _scope("the site", counts),
            *(_scope(f"root {root}", entries) for root, entries in counts["roots"].items()),
        ),
        empty_top_directories=tuple(counts["emptyTopDirectories"]),
        complete_runs=len(earlier) + 1,
        confirmed={},
        approved_run=approved_run,
        superseded=is_superseded(store, run),
        by_dump=bool(check.spec.listing.source and check.spec.listing.source.dump),
    )
    confirmed = {
        kind: confirmation.confirm(run, earlier, kind, facts.policy_of(kind), facts.found(kind)) for kind in KINDS
    }
    return replace(facts, confirmed=confirmed)


def _scope(name: str, counts: Mapping[str, Any]) -> Scope:
    return Scope(
        name=name,
        expected=counts["expectedFiles"],
        listed=counts["listedFiles"],
        directories=counts["listedDirectories"],
        holes=counts["holes"],
        findings={kind: counts[kind] for kind in KINDS},
    )
