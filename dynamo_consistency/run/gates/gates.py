"""The seven gates as pure functions from facts. In any doubt a gate is closed.

Ready: nothing speaks against a request. Pending: time or a person will open the gate. Rejected: something is wrong,
and somebody should look at it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Literal

from dynamo_consistency.check import FindingPolicy
from dynamo_consistency.kinds import KIND_BY_NAME, KindName
from dynamo_consistency.run.gates.excesses import excesses, rounded
from dynamo_consistency.run.gates.facts import Facts, Scope

State = Literal["Ready", "Pending", "Rejected"]


@dataclass(frozen=True)
class Gate:
    """One gate as it was found: the observed value, the limit, and a sentence for a person."""

    name: str
    state: State
    observed: str
    limit: str
    message: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def evaluate(facts: Facts) -> list[Gate]:
    """All gates in their order; later ones are reported also when an earlier one is closed."""
    before = [inventory(facts), listing_health(facts), limits(facts), confirmation(facts), mode(facts)]
    act = acting(facts)
    closed = [gate.name for gate in (*before, act) if gate.state != "Ready" and gate.name != "Limits"]
    return [*before, approval(facts, above_limits=bool(excesses(facts)), closed=closed), act]


def all_ready(gates: list[Gate]) -> bool:
    return bool(gates) and all(gate.state == "Ready" for gate in gates)


def inventory(facts: Facts) -> Gate:
    """Both snapshots are there, and neither the inventory has jumped, between them or since the last complete run, nor
    has a list of datasets that protect their files become so short that it may not be whole.
    """
    limit = facts.policy.health.max_inventory_change
    sizes = {"the snapshot before": facts.before, "the snapshot after": facts.after}
    if any(not size for size in sizes.values()):
        return Gate(
            "Inventory", "Rejected", "no snapshot", str(limit), "a snapshot of the inventory is not there or empty"
        )
    if facts.last_inventory is not None:
        sizes["the last complete run"] = facts.last_inventory
    change = max(_change(facts.after, size) for size in sizes.values())
    if change > limit:
        message = f"the inventory has changed too much: {_listed(sizes)}; check that it is complete"
        return Gate("Inventory", "Rejected", rounded(change), str(limit), message)
    if facts.short_lists:
        message = f"{'; '.join(facts.short_lists)}: are they whole? the next run compares with this one"
        return Gate("Inventory", "Rejected", facts.short_lists[0], "half of the last complete run", message)
    message = f"the inventory is steady: {_listed(sizes)}{_of_unplaced(facts)}"
    return Gate("Inventory", "Ready", rounded(change), str(limit), message)


def _of_unplaced(facts: Facts) -> str:
    if not facts.unplaced:
        return ""
    return (
        f"; of {facts.unplaced} files more it does not know the paths, and any orphan may be one of them: orphans and "
        "empty directories are only reported"
    )


def listing_health(facts: Facts) -> Gate:
    """The site was really looked at: root by root enough files, few holes, no top directory empty by surprise."""
    health = facts.policy.health
    limit = f"listed >= {health.min_listed_fraction}, holes <= {health.max_hole_fraction}"
    problems = list(_listing_problems(facts))
    worst = min((_listed_fraction(scope) for scope in facts.scopes), default=Decimal(0))
    holes = max((_hole_fraction(scope) for scope in facts.scopes), default=Decimal(1))
    observed = f"listed {rounded(worst)}, holes {rounded(holes)}"
    remark = f"; nothing of the unmerged area is deleted: {facts.area_problem}" if facts.area_problem else ""
    if problems:
        return Gate("ListingHealth", "Rejected", observed, limit, "; ".join(problems) + remark)
    return Gate("ListingHealth", "Ready", observed, limit, f"every root was listed well enough{remark}")


def _listing_problems(facts: Facts) -> Iterator[str]:
    health = facts.policy.health
    if not facts.scopes:
        yield "nothing is known of the listing"
    for scope in facts.scopes:
        if _listed_fraction(scope) < health.min_listed_fraction:
            yield f"{scope.name}: only {scope.found} of {scope.expected} expected files were listed"
        if _hole_fraction(scope) > health.max_hole_fraction:
            yield f"{scope.name}: {scope.holes} directories could not be listed, of {scope.holes + scope.directories}"
    for directory in facts.empty_top_directories:
        yield f"{directory} was listed as empty although the inventory has files there"
    for behind in facts.gone:
        yield f"the {behind} that the last complete run found behind the site is gone"


def limits(facts: Facts) -> Gate:
    """Not more findings than a person has allowed, in this run and over 30 days; one excess blocks all kinds.

    An approval of this very run lifts the limits, unless approvals are not asked for at all.
    """
    found = excesses(facts)
    if not found:
        limit = "policy.*.maxCount, maxFraction, and for 30 days"
        return Gate("Limits", "Ready", "within", limit, "no kind of finding exceeds its limits")
    message = "; ".join(excess.sentence for excess in found)
    observed, limit = found[0].observed, found[0].limit
    if facts.approval_lifts:
        return Gate("Limits", "Ready", observed, limit, f"{message}; approved for this run")
    return Gate("Limits", "Rejected", observed, limit, f"{message}; nothing is requested, of any kind{facts.remark}")


def confirmation(facts: Facts) -> Gate:
    """Something to act on has stood in enough complete runs over enough time; the first run never acts."""
    waiting = [kind for kind in facts.enforced if facts.found(kind) and not facts.confirmed[kind].is_enough]
    limit = (
        ", ".join(_rule(kind, facts.policy_of(kind)) for kind in facts.enforced) or "confirmRuns, confirmSpanSeconds"
    )
    observed = ", ".join(f"{kind} {facts.confirmed[kind].count} of {facts.found(kind)}" for kind in facts.enforced)
    if facts.complete_runs < 2:
        message = "this is the first complete run under this configuration, and the first run never acts"
        return Gate("Confirmation", "Pending", observed or "1 run", limit, message)
    if waiting and not any(facts.confirmed[kind].count for kind in facts.enforced):
        message = f"waits for more complete runs, or for more time between them: {_words(waiting)}"
        return Gate("Confirmation", "Pending", observed, limit, message)
    message = f"only confirmed findings are acted on{_of_waiting(facts)}"
    return Gate("Confirmation", "Ready", observed or "nothing enforced", limit, message)


def _of_waiting(facts: Facts) -> str:
    """What of the confirmed findings is not believed without a person."""
    if not facts.waiting:
        return ""
    files = f"; {facts.waiting} missing files of directories that answered empty"
    if facts.policy.approval == "Never":
        return f"{files} are not asked for: no approval counts where policy.approval is Never"
    return f"{files} wait for approval of this run"


def mode(facts: Facts) -> Gate:
    """At least one kind of finding is to be enforced."""
    modes = ", ".join(f"{kind} {facts.policy_of(kind).mode}" for kind in facts.kinds)
    if facts.enforced:
        return Gate("Mode", "Ready", modes, "Enforce", f"enforced: {_words(facts.enforced)}{facts.remark}")
    message = "no kind of finding is enforced; this check only reports"
    if facts.tape:
        message = "the check says that the site is on tape: what is found is only reported"
    return Gate("Mode", "Pending", modes, "Enforce", f"{message}{_of_unplaced(facts)}{facts.remark}")


def approval(facts: Facts, above_limits: bool, closed: Sequence[str] = ()) -> Gate:
    """A person has agreed to this very run, where the policy asks for it, and where there is something to agree to.

    Missing files of directories that answered empty wait for an approval whatever the policy asks for; they do not hold
    up the rest. `closed`: gates that no approval opens; where there are any, none is asked for.
    """
    policy = facts.policy.approval
    needed = policy == "Required" or (policy == "OnlyAboveLimits" and above_limits)
    other = ""
    if facts.approved_run and not facts.approved:
        other = f"; the approval of run {facts.approved_run} does not count for this one"
    observed = f"approved {facts.approved_run}" if facts.approved_run else "not approved"
    if facts.approved and facts.superseded:
        message = "the approval came too late: a later complete run has other findings"
        return Gate("Approval", "Rejected", observed, policy, message)
    if facts.approval_counts:
        return Gate("Approval", "Ready", observed, policy, f"run {facts.run_id} is approved")
    only_waiting = policy != "Never" and facts.waiting and not facts.actionable
    if only_waiting or (needed and (facts.actionable or facts.waiting)):
        if closed:
            message = f"no approval lets this run act while these gates are closed: {', '.join(closed)}{other}"
            return Gate("Approval", "Ready", observed, policy, message)
        message = f"approve run {facts.run_id} to let it act{_of_waiting(facts)}{other}"
        return Gate("Approval", "Pending", observed, policy, message)
    if needed:
        message = f"nothing is confirmed that an approval could let happen{other}"
        return Gate("Approval", "Ready", observed, policy, message)
    message = f"no approval is needed{_of_waiting(facts)}{other}"
    return Gate("Approval", "Ready", observed, policy, message)


def acting(facts: Facts) -> Gate:
    """What the action does just before each request: a look at site and inventory for every file, and the budget."""
    budget = facts.policy.max_requests_per_run
    if facts.superseded:
        return Gate("Acting", "Rejected", "superseded", str(budget), "a later complete run has the findings in force")
    if facts.tightening and facts.tightening.replaced:
        fields = ", ".join(facts.tightening.replaced)
        message = f"the check is about something else now ({fields}), of which this run has found nothing; run it again"
        return Gate("Acting", "Rejected", fields, str(budget), message)
    if facts.by_dump:
        message = "the site is only known by a dump, so that no file can be looked at before it is acted on"
        return Gate("Acting", "Rejected", "a dump", str(budget), message)
    if budget == 0:
        return Gate("Acting", "Rejected", "0", "0", "the budget of requests is 0 (policy.maxRequestsPerRun)")
    message = f"every file is looked at once more, at the site and in the inventory; at most {budget} requests"
    return Gate("Acting", "Ready", "file by file", str(budget), message)


def _listed_fraction(scope: Scope) -> Decimal:
    return Decimal(scope.found) / scope.expected if scope.expected else Decimal(1)


def _hole_fraction(scope: Scope) -> Decimal:
    known = scope.holes + scope.directories
    return Decimal(scope.holes) / known if scope.holes and known else Decimal(0)


def _change(new: int, old: int) -> Decimal:
    return Decimal(abs(new - old)) / old if old else Decimal(1)


def _words(kinds: Iterable[KindName]) -> str:
    return ", ".join(KIND_BY_NAME[kind].word for kind in kinds)


def _listed(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name} {size} files" for name, size in sizes.items())


def _rule(kind: KindName, policy: FindingPolicy) -> str:
    return f"{kind}: {policy.confirm_runs} runs over {policy.longest_span_seconds} s"
