"""Which findings are more than a person has allowed: in one run, and together with the requests of 30 days."""

from decimal import Decimal
from typing import NamedTuple

from dynamo_consistency.check import FindingPolicy
from dynamo_consistency.kinds import KIND_BY_NAME, KindName
from dynamo_consistency.run.gates.facts import SITE, Facts, Scope

_FILES = "file", "files"
_BASES = {"expected": _FILES, "listed": _FILES, "directories": ("directory", "directories")}


class Excess(NamedTuple):
    """The value that is above its limit, the limit, and both in a sentence."""

    observed: str
    limit: str
    sentence: str


def excesses(facts: Facts) -> list[Excess]:
    """Of all kinds that are not ignored: for the site or, where the site has none, for each of its roots."""
    found: list[Excess] = []
    for kind in facts.kinds:
        policy = facts.policy_of(kind)
        for scope in facts.scopes_of(kind) if policy.mode != "Ignore" else ():
            if excess := of_run(kind, scope, policy) or of_30_days(kind, scope, policy):
                found.append(excess)
                if scope.name == SITE:  # what its roots have is part of that
                    break
    return found


def of_run(kind: KindName, scope: Scope, policy: FindingPolicy) -> Excess | None:
    """What is more than a run may have."""
    limits = policy.max_count, policy.max_fraction
    return _excess(_said(kind, scope), scope.findings[kind], _base(kind, scope), *limits)


def of_30_days(kind: KindName, scope: Scope, policy: FindingPolicy) -> Excess | None:
    """What is more than the runs of 30 days may have together, a slow leak: findings, and other paths asked for.

    Where nothing is found, nothing can be asked for: earlier requests alone are no excess.
    """
    if not scope.findings[kind]:
        return None
    count = scope.findings[kind] + scope.asked_lately.get(kind, 0)
    said = f"{_said(kind, scope)}, found now or asked for in the last 30 days"
    limits = policy.count_limit_per_30_days, policy.fraction_limit_per_30_days
    return _excess(said, count, _base(kind, scope), *limits)


def _base(kind: KindName, scope: Scope) -> tuple[int, str]:
    """What a fraction is one of: so many files or directories."""
    number = scope.base(kind)
    one, several = _BASES[KIND_BY_NAME[kind].fraction_of]
    return number, f"{number:,} {one if number == 1 else several}"


def _excess(said: str, count: int, base: tuple[int, str], most: int, fraction: Decimal | None) -> Excess | None:
    """With the limits that are exceeded, and the value of the first of them."""
    number, told = base
    above = fraction if fraction is not None and count > fraction * number else None
    if count <= most and above is None:
        return None
    share = f" ({percent(Decimal(count) / number, above)})" if number else ""
    limits = [f"{most:,}"] if count > most else []
    limits += [_without_zeros(100 * above)] if above is not None else []
    sentence = f"{said}: {count:,} of {told}{share}, limit {' and '.join(limits)}"
    if count > most:
        return Excess(str(count), str(most), sentence)
    return Excess(f"{count} of {number}", str(above), sentence)


def _said(kind: KindName, scope: Scope) -> str:
    row = KIND_BY_NAME[kind]
    if row.of_unmerged_area:
        return f"old in {scope.name}"
    return row.plural if scope.name == SITE else f"{row.plural} in {scope.name}"


def percent(fraction: Decimal, above: Decimal | None = None) -> str:
    """`0.8 %`: with two digits that count, or as many more as it takes to be seen to be more than `above`."""
    value = 100 * fraction
    for digits in range(2, 12):
        shown = Decimal(f"{value:.{max(0, digits - 1 - value.adjusted()) if value else 0}f}")
        if above is None or shown > 100 * above:
            break
    return _without_zeros(shown)


def _without_zeros(value: Decimal) -> str:
    text = f"{value:,f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def rounded(fraction: Decimal) -> str:
    """To four places, without zeros at the end."""
    return f"{fraction:.4f}".rstrip("0").rstrip(".") or "0"
