"""Which findings are more than a person has allowed: in one run, and together with the requests of 30 days."""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from dynamo_consistency.check import FindingPolicy
from dynamo_consistency.kinds import KIND_BY_NAME, KindName
from dynamo_consistency.run.gates.facts import Facts, Scope

_BASES = {"expected": "expected files", "listed": "listed files", "directories": "listed directories"}


class Excess(NamedTuple):
    """The value that is above its limit, the limit, and both in a sentence."""

    observed: str
    limit: str
    sentence: str


def excesses(facts: Facts) -> list[Excess]:
    """Of all kinds that are not ignored, for the site and for every root."""
    return [
        excess
        for kind in facts.kinds
        if (policy := facts.policy_of(kind)).mode != "Ignore"
        for scope in facts.scopes_of(kind)
        for excess in (list(of_run(kind, scope, policy)) or of_30_days(kind, scope, policy))
    ]


def of_run(kind: KindName, scope: Scope, policy: FindingPolicy) -> Iterator[Excess]:
    """What is more than a run may have."""
    count = scope.findings[kind]
    said = _said(kind, scope, count)
    if count > policy.max_count:
        yield Excess(str(count), str(policy.max_count), f"{said}, more than {policy.max_count}")
    if policy.max_fraction is not None:
        yield from _above_fraction(count, scope.base(kind), policy.max_fraction, said)


def of_30_days(kind: KindName, scope: Scope, policy: FindingPolicy) -> Iterator[Excess]:
    """What is more than the runs of 30 days may have together, a slow leak: findings, and other paths asked for.

    Where nothing is found, nothing can be asked for: earlier requests alone are no excess.
    """
    if not scope.findings[kind]:
        return
    count = scope.findings[kind] + scope.asked_lately.get(kind, 0)
    said = f"{_said(kind, scope, count)}, found now or asked for in the last 30 days"
    limit, fraction_limit = policy.count_limit_per_30_days, policy.fraction_limit_per_30_days
    if count > limit:
        yield Excess(str(count), str(limit), f"{said}, more than {limit}")
    if fraction_limit is not None:
        yield from _above_fraction(count, scope.base(kind), fraction_limit, said)


def _above_fraction(count: int, base: int, limit: Decimal, said: str) -> Iterator[Excess]:
    """In numbers of files: a fraction of 1 is read as one file."""
    if count > limit * base:
        yield Excess(f"{count} of {base}", str(limit), f"{said}: more than the fraction {limit}")


def _said(kind: KindName, scope: Scope, count: int) -> str:
    row = KIND_BY_NAME[kind]
    return f"{scope.name}: {count} {row.word_for(count)} among {scope.base(kind)} {_BASES[row.fraction_of]}"


def rounded(fraction: Decimal) -> str:
    """To four places, without zeros at the end."""
    return f"{fraction:.4f}".rstrip("0").rstrip(".") or "0"
