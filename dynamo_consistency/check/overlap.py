"""Checks in each other's way: of one name, or of one site with roots that overlap, so that both judge them."""

from collections.abc import Iterable, Iterator
from itertools import combinations

from dynamo_consistency import paths
from dynamo_consistency.check.spec import SiteConsistencyCheck, Spec


def overlapping_roots(one: Spec, other: Spec) -> list[str]:
    """The directories that both list, by their roots and what they exclude; none for checks of different sites."""
    if one.site != other.site:
        return []
    excluded = [paths.to_bytes(path) for spec in (one, other) for path in spec.listing.exclude]
    return [paths.to_text(path) for path in sorted(set(_common(one, other))) if not paths.is_in(path, excluded)]


def _common(one: Spec, other: Spec) -> Iterator[bytes]:
    for root in (paths.to_bytes(root.path) for root in one.listing.roots):
        for another in (paths.to_bytes(root.path) for root in other.listing.roots):
            if paths.is_in(root, [another]):
                yield root
            elif paths.is_in(another, [root]):
                yield another


def overlaps_among(checks: Iterable[SiteConsistencyCheck]) -> Iterator[str]:
    """A sentence for each two of `checks` that overlap."""
    for one, other in combinations(checks, 2):
        if _same_name(one, other):
            continue
        if common := overlapping_roots(one.spec, other.spec):
            yield (
                f"{one.metadata.name} and {other.metadata.name} both check {', '.join(common)} of {one.spec.site}: "
                "each confirms and acts by its own runs; give them different roots, or exclude directories in one"
            )


def namesakes_among(checks: Iterable[SiteConsistencyCheck]) -> Iterator[str]:
    """A sentence for each two of `checks` of which a cluster keeps one."""
    for one, other in combinations(checks, 2):
        if _same_name(one, other):
            yield (
                f"two checks are called {one.metadata.name}, of {one.spec.site} and of {other.spec.site}: in one "
                "namespace the later replaces the earlier; give them different names"
            )


def _same_name(one: SiteConsistencyCheck, other: SiteConsistencyCheck) -> bool:
    return (one.metadata.name, one.metadata.namespace) == (other.metadata.name, other.metadata.namespace)
