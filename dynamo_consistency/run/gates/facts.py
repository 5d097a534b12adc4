"""What the gates look at, gathered from the run directory and from those of earlier runs."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dynamo_consistency.check import FindingPolicy, Policy, SiteConsistencyCheck
from dynamo_consistency.kinds import ACTED_ON_KINDS, KIND_BY_NAME, MISSING, UNMERGED, KindName
from dynamo_consistency.run import unmerged
from dynamo_consistency.run.comparison.comparison import COUNTS_FILE
from dynamo_consistency.run.gates import confirmation
from dynamo_consistency.run.gates.asked_lately import Asked, asked_lately
from dynamo_consistency.run.gates.confirmation import Confirmed
from dynamo_consistency.run.gates.stricter import Stricter, stricter
from dynamo_consistency.run.gates.whole_answers import gone, short_lists
from dynamo_consistency.run.records.history import neighbours, read_summary
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

SITE = "the site"
"""The name of the scope that is all roots together."""
GATED = tuple(kind.name for kind in ACTED_ON_KINDS if not kind.of_unmerged_area)
"""Names of the kinds that every check has and that may be acted on, in the order of the action."""
_NEEDS_ALL_PATHS = frozenset(kind.name for kind in ACTED_ON_KINDS if kind.needs_all_paths)


@dataclass(frozen=True)
class Scope:
    """The numbers of one root, or of the site."""

    name: str
    expected: int
    listed: int
    directories: int
    holes: int
    findings: Mapping[KindName, int]
    in_holes: int = 0
    asked_lately: Mapping[KindName, int] = field(default_factory=dict)
    """Other paths that were asked for in the last 30 days."""

    @property
    def found(self) -> int:
        """Expected files that the listing can have seen: orphans must not make up for missing files, or unseen ones."""
        return max(0, min(self.listed, self.expected - self.findings[MISSING.name] - self.in_holes))

    def base(self, kind: KindName) -> int:
        """What a fraction of `kind` is a fraction of."""
        bases = {"expected": self.expected, "listed": self.listed, "directories": self.directories}
        return bases[KIND_BY_NAME[kind].fraction_of]


@dataclass(frozen=True)
class Facts:
    """Everything the gates know. `before`, `after`, `last_inventory`: files below the roots.

    `unplaced`: files of the inventory of which it is not known where they are, so that any orphan may be one of them.
    `unmerged`, `area`: policy and numbers of the unmerged area, where there is one; `area_problem`: why nothing of it
    is judged. Its health is no matter of the gates: a hole there keeps what is in it, and says nothing of the rest.
    `tightening`: what has become stricter in the check since the run began; `policy` and `unmerged` say so already.
    `short_lists`, `gone`: see `whole_answers`. `tape`: the check says that the site is on tape.
    """

    run_id: str
    policy: Policy
    before: int
    after: int
    last_inventory: int | None
    scopes: tuple[Scope, ...]
    empty_top_directories: tuple[str, ...]
    complete_runs: int
    confirmed: Mapping[KindName, Confirmed]
    approved_run: str | None
    superseded: bool
    by_dump: bool
    unplaced: int = 0
    unmerged: FindingPolicy | None = None
    area: Scope | None = None
    area_problem: str = ""
    tightening: Stricter | None = None
    short_lists: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    tape: bool = False

    @property
    def approved(self) -> bool:
        return self.approved_run == self.run_id

    @property
    def approval_counts(self) -> bool:
        """Does an approval of this run let happen what else would not? Not where the policy asks for none, ever."""
        return self.approved and self.policy.approval != "Never"

    @property
    def approval_lifts(self) -> bool:
        """The same for the limits and for what waits: not where the check, then or now, asks for none, ever."""
        return self.approval_counts and not (self.tightening and self.tightening.limits_stand)

    @property
    def remark(self) -> str:
        """Half a sentence on a check that is stricter now; empty otherwise."""
        return "" if self.tightening is None else self.tightening.remark

    @property
    def kinds(self) -> tuple[KindName, ...]:
        return GATED if self.unmerged is None else (*GATED, UNMERGED.name)

    @property
    def enforced(self) -> tuple[KindName, ...]:
        if self.tape:
            return ()
        unsafe = _NEEDS_ALL_PATHS if self.unplaced else frozenset()
        return tuple(kind for kind in self.kinds if kind not in unsafe and self.policy_of(kind).mode == "Enforce")

    def policy_of(self, kind: KindName) -> FindingPolicy:
        if kind == UNMERGED.name and self.unmerged is not None:
            return self.unmerged
        return self.policy.of_kinds[kind]

    def scopes_of(self, kind: KindName) -> tuple[Scope, ...]:
        """The site first, then its roots; the unmerged area is a scope of its own."""
        if kind == UNMERGED.name:
            return () if self.area is None else (self.area,)
        return self.scopes

    def found(self, kind: KindName) -> int:
        """How many findings of `kind` the run has at the site."""
        scopes = self.scopes_of(kind)
        return scopes[0].findings[kind] if scopes else 0

    @property
    def waiting(self) -> int:
        """Confirmed findings that only an approval of this very run lets the action take up."""
        return 0 if self.approval_lifts else sum(self.confirmed[kind].waiting for kind in self.enforced)

    @property
    def actionable(self) -> int:
        """Confirmed findings that the action may take up."""
        return sum(self.confirmed[kind].count for kind in self.enforced) - self.waiting


def gather(
    store: RunStore,
    run: RunDirectory,
    approved_run: str | None = None,
    today: SiteConsistencyCheck | None = None,
) -> Facts:
    """The facts about a compared run.

    `approved_run`: the run that somebody has approved, by its id; `today`: the check as it is now, where it is known.
    """
    tightening = stricter(run.check(), today)
    check = tightening.check
    counts = run.read_json(COUNTS_FILE)
    earlier, all_earlier, superseded = neighbours(store, run)
    lately = asked_lately(run, all_earlier, time.time())
    approved_run = approved_run or (check.spec.approve.run if check.spec.approve else None)
    policies = check.spec.policy
    facts = Facts(
        run_id=run.run_id,
        policy=policies,
        before=counts["snapshots"]["before"],
        after=counts["snapshots"]["after"],
        last_inventory=read_summary(earlier[-1])["counts"]["inventoryFiles"] if earlier else None,
        scopes=_scopes(counts, lately),
        empty_top_directories=tuple(counts["emptyTopDirectories"]),
        complete_runs=len(earlier) + 1,
        confirmed={},
        approved_run=approved_run,
        superseded=superseded,
        by_dump=bool(check.spec.listing.source and check.spec.listing.source.dump),
        unplaced=counts.get("unplacedFiles", 0),
        tightening=tightening,
        short_lists=short_lists(run, all_earlier),
        gone=gone(run, all_earlier),
        tape=check.spec.tape,
    )
    facts = _with_unmerged_area(facts, run, check, lately)
    return replace(facts, confirmed=_confirmed(facts, run, earlier))


def _scopes(counts: Mapping[str, Any], lately: Asked) -> tuple[Scope, ...]:
    return (
        _scope(SITE, counts, {kind: asked.total() for kind, asked in lately.items()}),
        *(
            _scope(f"root {root}", entries, {kind: asked[root] for kind, asked in lately.items()})
            for root, entries in counts["roots"].items()
        ),
    )


def _confirmed(facts: Facts, run: RunDirectory, earlier: Sequence[RunDirectory]) -> Mapping[KindName, Confirmed]:
    return {
        kind: confirmation.confirm(
            run,
            unmerged.comparable(run, earlier) if kind == UNMERGED.name else earlier,
            kind,
            facts.policy_of(kind),
            facts.found(kind),
        )
        for kind in facts.kinds
    }


def _with_unmerged_area(facts: Facts, run: RunDirectory, check: SiteConsistencyCheck, lately: Asked) -> Facts:
    policy, found = unmerged.cleaned(check), unmerged.read_area(run)
    if policy is None or found is None:
        return facts
    area = Scope(
        name=f"the unmerged area {found['path']}",
        expected=0,
        listed=found["listed"]["files"],
        directories=found["listed"]["directories"],
        holes=found["listed"]["holes"],
        findings={UNMERGED.name: found[UNMERGED.name]},
        asked_lately={UNMERGED.name: lately[UNMERGED.name].total()} if UNMERGED.name in lately else {},
    )
    return replace(facts, unmerged=policy, area=area, area_problem=found["trouble"])


def _scope(name: str, counts: Mapping[str, Any], lately: Mapping[KindName, int]) -> Scope:
    return Scope(
        name=name,
        expected=counts["expectedFiles"],
        listed=counts["listedFiles"],
        directories=counts["listedDirectories"],
        holes=counts["holes"],
        findings={kind: counts[kind] for kind in GATED},
        in_holes=counts["missingInHoles"],
        asked_lately=lately,
    )
