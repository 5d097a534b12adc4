"""The runs of all sites of a store, never older than a minute."""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.store.opening import open_storage
from dynamo_consistency.run.store.run_directory import RunStore
from dynamo_consistency.web.index.digest import Digest, safe
from dynamo_consistency.web.index.site_runs import SiteRuns

FRESH, OLDEST = 20.0, 50.0
"""Seconds. What is younger than the first is shown as it is; what is younger than the second is shown once more while
it is read anew; older is read anew before it is shown."""
MOST_SITES = 2000
_WHOLE_SITES = 16
"""Sites of which all runs are kept in memory, those that were last looked at."""
_SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class KnownSite:
    """The runs of a site, by check, oldest first; problems by run id. version: another one when anything changed."""

    site: str
    runs: dict[str, list[Digest]]
    problems: dict[str, str]
    version: int


class Index:
    """Used by several threads; one of them at a time reads from the store.

    Raises ConsistencyError from each method when the store cannot be read at all.
    """

    def __init__(self, store: RunStore, clock: Callable[[], float] = time.time) -> None:
        self._storage = open_storage(store.url)
        self._is_local = store.local_path() is not None
        self._clock = clock
        self._lock = threading.Lock()
        self._sites: dict[str, SiteRuns] = {}
        self._whole: OrderedDict[str, float] = OrderedDict()
        self._fleet: list[KnownSite] = []
        self._fleet_at = 0.0
        self._listed: list[str] = []
        self._listed_at = 0.0
        self._versions: dict[str, int] = {}
        self._refreshing = threading.Event()

    def fleet(self) -> list[KnownSite]:
        """The last runs of every site that has some, in byte order of their names."""
        age = self._clock() - self._fleet_at
        if not 0 <= age < OLDEST:
            with self._lock:
                if not 0 <= self._clock() - self._fleet_at < FRESH:
                    self._read_fleet()
            return self._fleet
        shown = self._fleet
        if age > FRESH and not self._refreshing.is_set():
            self._refreshing.set()
            threading.Thread(target=self._refresh_behind, daemon=True).start()
        return shown

    def site(self, site: str) -> KnownSite | None:
        """All runs of a site; None where the store has none of that name."""
        with self._lock:
            now = self._clock()
            if not 0 <= now - self._whole.get(site, 0.0) < FRESH:
                if site not in self._sites and site not in self._names(now):
                    return None
                self._refresh(site, now, everything=True)
                self._keep_whole(site, now)
            known = self._known(site, now)
        return known if known.runs or known.problems else None

    def _refresh_behind(self) -> None:
        try:
            with self._lock:
                self._read_fleet()
        except ConsistencyError:
            pass  # whoever asks next, when it is too old, is told
        finally:
            self._refreshing.clear()

    def _read_fleet(self) -> None:
        now = self._clock()
        names = self._names(now)
        for gone in self._sites.keys() - set(names):
            del self._sites[gone]
            self._whole.pop(gone, None)
        for site in names:
            self._refresh(site, now, everything=site in self._whole)
        known = (self._known(site, now) for site in names)
        self._fleet = [one for one in known if one.runs or one.problems]
        self._fleet_at = now

    def _names(self, now: float) -> list[str]:
        if not 0 <= now - self._listed_at < FRESH:
            found = self._storage.entries("", "directory")
            self._listed, self._listed_at = [name for name in found if _SITE.fullmatch(name)][:MOST_SITES], now
        return self._listed

    def _refresh(self, site: str, now: float, everything: bool) -> None:
        runs = self._sites.setdefault(site, SiteRuns(self._storage, site, self._is_local))
        try:
            if runs.refresh(now, everything):
                self._versions[site] = self._versions.get(site, 0) + 1
            runs.problems.pop("", None)
        except ConsistencyError as error:
            runs.problems[""] = safe(error)

    def _known(self, site: str, now: float) -> KnownSite:
        runs = self._sites[site]
        return KnownSite(site, runs.runs(now), dict(runs.problems), self._versions.get(site, 0))

    def _keep_whole(self, site: str, now: float) -> None:
        self._whole[site] = now
        self._whole.move_to_end(site)
        while len(self._whole) > _WHOLE_SITES:
            old, _ = self._whole.popitem(last=False)
            if old in self._sites:
                self._sites[old].forget_old()
