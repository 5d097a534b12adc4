"""Which checks of a site have overlapping roots. They run all the same; both say so in their status.

A ledger of the specs by site, kept up to date by the checks that are reconciled, as that of the places of runs is.
"""

from consistency_operator.cluster.cache import ClusterCache
from consistency_operator.cluster.digest import KnownCheck, key_of
from consistency_operator.names import CheckKey
from dynamo_consistency.check import Spec
from dynamo_consistency.check.overlap import overlapping_roots


class Overlaps:
    """Fills itself from `cache` at the beginning."""

    def __init__(self, cache: ClusterCache) -> None:
        self._cache = cache
        self._sites: dict[str, dict[CheckKey, Spec]] | None = None
        self._site_of: dict[CheckKey, str] = {}
        self._changed: set[CheckKey] = set()

    def of(self, known: KnownCheck) -> tuple[str, ...]:
        """The other checks of its site with which a check overlaps, and where: `sites/t2-y: /store/mc`."""
        key, check = key_of(known.body), known.resource.check
        if check is None:
            self.forget(key)
            return ()
        self._note(key, check.spec)
        found = self._overlapping(key, check.spec)
        return tuple(f"{'/'.join(other)}: {', '.join(common)}" for other, common in sorted(found.items()))

    def forget(self, key: CheckKey) -> None:
        """There is no such check any more, or its spec has become invalid."""
        site = self._site_of.get(key)
        spec = self._all().get(site, {}).pop(key, None) if site else None
        self._site_of.pop(key, None)
        if spec is not None:
            self._changed |= self._overlapping(key, spec).keys()

    def changed(self) -> list[CheckKey]:
        """Since this was asked last: checks of which something else is to be said, because another has changed."""
        changed, self._changed = sorted(self._changed), set()
        return changed

    def _note(self, key: CheckKey, spec: Spec) -> None:
        before = self._all().get(spec.site, {}).get(key)
        if before is spec or before == spec:
            return
        if self._site_of.get(key) not in (None, spec.site):
            self.forget(key)
        if before is not None:
            self._changed |= self._overlapping(key, before).keys()
        self._put(key, spec)
        self._changed |= self._overlapping(key, spec).keys()

    def _overlapping(self, key: CheckKey, spec: Spec) -> dict[CheckKey, list[str]]:
        others = self._all().get(spec.site, {}).items()
        common = {other: overlapping_roots(spec, its) for other, its in others if other != key}
        return {other: paths for other, paths in common.items() if paths}

    def _all(self) -> dict[str, dict[CheckKey, Spec]]:
        if self._sites is None:
            self._sites = {}
            for known in self._cache.all():
                if known.resource.check is not None:
                    self._put(key_of(known.body), known.resource.check.spec)
        return self._sites

    def _put(self, key: CheckKey, spec: Spec) -> None:
        self._all().setdefault(spec.site, {})[key] = spec
        self._site_of[key] = spec.site
