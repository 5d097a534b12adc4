"""The stricter of two checks: that with which a run began, and that of today. Pure.

A person who tightens a check while one of its runs waits means that run as well. So its action asks only for what it
would ask for under either check.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from dynamo_consistency import paths
from dynamo_consistency.check import (
    EmptyDirectoryPolicy,
    FindingPolicy,
    Health,
    Listing,
    Policy,
    SiteConsistencyCheck,
    Unmerged,
)
from dynamo_consistency.kinds import EMPTY_DIRECTORY, KIND_BY_NAME, ORPHAN, KindName
from dynamo_consistency.run.records.summary import compared_source

TIGHTENED = "the check has been tightened since"

_IGNORED_KINDS = (ORPHAN.name, EMPTY_DIRECTORY.name)

_Rule = Callable[[Any, Any], Any]


def _least(one: Any, other: Any) -> Any:
    """The smaller bound; None is no bound."""
    return min((bound for bound in (one, other) if bound is not None), default=None)


def _stricter_mode(one: str, other: str) -> str:
    """A kind that only one of them ignores is reported: its limits hold back all others, as they do in the other."""
    return one if one == other else "Report"


def _reported(mode: str) -> str:
    return "Report" if mode == "Enforce" else mode


def _union(one: list[str], other: list[str]) -> list[str]:
    return list(dict.fromkeys([*one, *other]))


_OF_FINDINGS: Mapping[str, _Rule] = {
    "mode": _stricter_mode,
    "max_count": min,
    "max_fraction": _least,
    "confirm_runs": max,
    "confirm_span_seconds": max,
    "max_count_per_30_days": min,
    "max_fraction_per_30_days": _least,
}
_WHERE_NULL: Mapping[str, Callable[[FindingPolicy], Any]] = {
    "confirm_span_seconds": attrgetter("longest_span_seconds"),
    "max_count_per_30_days": attrgetter("count_limit_per_30_days"),
    "max_fraction_per_30_days": attrgetter("fraction_limit_per_30_days"),
}
"""What stands for a null, where that is no value of its own; two nulls stay one."""
_OF_HEALTH: Mapping[str, _Rule] = {
    "min_listed_fraction": max,
    "max_hole_fraction": min,
    "max_inventory_change": min,
}


@dataclass(frozen=True)
class Stricter:
    """The policy that counts for the action of a run.

    check: the run's, with what is stricter in either; its listing stays as it was, that is how the site is looked at.
    limits_stand: an approval does not lift the limits. listings, ignore: what either of the two leaves alone.
    """

    check: SiteConsistencyCheck
    limits_stand: bool = False
    listings: tuple[Listing, ...] = ()
    ignore: tuple[str, ...] = ()
    areas: tuple[tuple[str, ...], ...] = ()
    changes: tuple[str, ...] = ()
    """Fields of the run's check that count no longer, as they are written in the check."""
    replaced: tuple[str, ...] = ()
    """Fields that say what is compared with what, and say something else now: what was found is not of that."""

    @property
    def remark(self) -> str:
        """Half a sentence for a gate; empty when the check is as it was, or looser."""
        return f"; {TIGHTENED} ({', '.join(self.changes)})" if self.changes else ""

    def keeper(self) -> Callable[[KindName, bytes], bool]:
        """Whether a finding of a kind is left alone by its path."""
        roots = [[paths.to_bytes(root.path) for root in listing.roots] for listing in self.listings]
        excluded = [paths.to_bytes(path) for listing in self.listings for path in listing.exclude]
        areas = [[paths.to_bytes(area) for area in areas] for areas in self.areas]
        ignored = paths.PatternFilter(self.ignore).ignored

        def keeps(kind: KindName, path: bytes) -> bool:
            if KIND_BY_NAME[kind].of_unmerged_area:
                return not all(paths.is_in(path, some) for some in areas)
            if paths.is_in(path, excluded) or not all(paths.is_in(path, some) for some in roots):
                return True
            return kind in _IGNORED_KINDS and ignored(path)

        return keeps


def unchanged(check: SiteConsistencyCheck) -> Stricter:
    """The check of a run, of which nothing has been changed since."""
    return Stricter(check)


def stricter(run: SiteConsistencyCheck, today: SiteConsistencyCheck | None) -> Stricter:
    """What counts for the action of a run that began with the check `run`; `today`: None where nobody says."""
    if today is None:
        return unchanged(run)
    policies = run.spec.policy, today.spec.policy
    comparison = run.spec.comparison.model_copy(
        update={
            "ignore_age_seconds": max(check.spec.comparison.ignore_age_seconds for check in (run, today)),
            "ignore": _union(run.spec.comparison.ignore, today.spec.comparison.ignore),
            "ignore_names_of_servers": any(check.spec.comparison.ignore_names_of_servers for check in (run, today)),
        }
    )
    spec = run.spec.model_copy(
        update={
            "comparison": comparison,
            "policy": _policy(*policies),
            "unmerged": _unmerged(run.spec.unmerged, today.spec.unmerged),
            "tape": run.spec.tape or today.spec.tape,
        }
    )
    check = run.model_copy(update={"spec": spec})
    return Stricter(
        check,
        limits_stand=any(policy.approval == "Never" for policy in policies),
        listings=(run.spec.listing, today.spec.listing),
        ignore=tuple(comparison.ignored),
        areas=tuple(tuple(each.spec.unmerged.areas) for each in (run, today) if each.spec.unmerged),
        changes=tuple(dict.fromkeys(_changes(run, check, today))),
        replaced=tuple(_replaced(run, today)),
    )


def _replaced(run: SiteConsistencyCheck, today: SiteConsistencyCheck) -> Iterator[str]:
    if run.spec.backend != today.spec.backend:
        yield "backend"
    if compared_source(run) != compared_source(today):
        yield "listing.source"


def _policy(one: Policy, other: Policy) -> Policy:
    update: dict[str, Any] = {
        name: _of_findings(policy, getattr(other, name)) for name, policy in one if isinstance(policy, FindingPolicy)
    }
    update["health"] = _by_rules(one.health, other.health, _OF_HEALTH)
    update["approval"] = _approval(one.approval, other.approval)
    update["max_requests_per_run"] = min(one.max_requests_per_run, other.max_requests_per_run)
    return one.model_copy(update=update)


def _approval(one: str, other: str) -> str:
    """Required asks a person for each run; the two others do not, and Never has no way around the limits."""
    return next(word for word in ("Required", "Never", "OnlyAboveLimits") if word in (one, other))


def _of_findings(one: FindingPolicy, other: FindingPolicy) -> FindingPolicy:
    update = _bounds(one, other)
    if isinstance(one, EmptyDirectoryPolicy) and isinstance(other, EmptyDirectoryPolicy) and one.method != other.method:
        update["mode"] = _reported(update["mode"])
    return one.model_copy(update=update)


def _bounds(one: FindingPolicy, other: FindingPolicy) -> dict[str, Any]:
    bounds = {}
    for name, rule in _OF_FINDINGS.items():
        if not hasattr(one, name):
            continue
        pair = [getattr(one, name), getattr(other, name)]
        if None in pair and pair != [None, None] and name in _WHERE_NULL:
            pair = [
                _WHERE_NULL[name](policy) if value is None else value
                for policy, value in zip((one, other), pair, strict=True)
            ]
        bounds[name] = None if pair == [None, None] else rule(*pair)
    return bounds


def _by_rules(one: Health, other: Health, rules: Mapping[str, _Rule]) -> Health:
    return one.model_copy(update={name: rule(getattr(one, name), getattr(other, name)) for name, rule in rules.items()})


def _unmerged(one: Unmerged | None, other: Unmerged | None) -> Unmerged | None:
    """Where one has no such area, or another one, or another list of what is protected there, it is only reported."""
    if one is None or other is None:
        only = one or other
        return only and only.model_copy(update={"mode": _reported(only.mode)})
    update = _bounds(one, other)
    if one.path != other.path or one.protected_from != other.protected_from:
        update["mode"] = _reported(update["mode"])
    of_logs = max(one.logs.min_age_seconds, other.logs.min_age_seconds)
    min_age = max(one.min_age_seconds, other.min_age_seconds)
    update["min_age_seconds"] = min_age if one.logs.path == other.logs.path else max(min_age, of_logs)
    update["logs"] = one.logs.model_copy(update={"min_age_seconds": of_logs})
    update["exclude"] = _union(one.exclude, other.exclude)
    return one.model_copy(update=update)


def _changes(run: SiteConsistencyCheck, check: SiteConsistencyCheck, today: SiteConsistencyCheck) -> Iterator[str]:
    """Fields in which the stricter check is not the run's."""
    for field in ("policy", "comparison", "unmerged", "tape"):
        began, now = (each.spec.model_dump(by_alias=True)[field] for each in (run, check))
        yield from _differences(field, began, now)
    if run.spec.policy.approval != "Never" and today.spec.policy.approval == "Never":
        yield "policy.approval"
    began_roots, roots = ([paths.to_bytes(root.path) for root in each.spec.listing.roots] for each in (run, today))
    if not all(paths.is_in(root, roots) for root in began_roots):
        yield "listing.roots"
    if not set(today.spec.listing.exclude) <= set(run.spec.listing.exclude):
        yield "listing.exclude"


def _differences(at: str, began: Any, now: Any) -> Iterator[str]:
    if isinstance(began, dict) and isinstance(now, dict):
        for key in _both(began, now):
            yield from _differences(f"{at}.{key}", began.get(key), now.get(key))
    elif began != now:
        yield at


def _both(one: Iterable[str], other: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*one, *other]))
