"""The runs of all sites of a store, never older than a minute."""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.store.opening import open_storage
from dynamo_consistency.run.store.run_directory import RunStore
from dynamo_consistency.web.index.digest import Digest, safe
from dynamo_consistency.web.index.site_runs import RECENT, SiteRuns

FRESH, OLDEST = 20.0, 50.0
"""Seconds. What is younger than the first is shown as it is; what is younger than the second is shown once more while
it is read anew; older is read anew before it is shown."""
MOST_SITES = 2000
_WHOLE_SITES = 16
"""Sites of which all runs are kept in memory, those that were last looked at."""
_AT_ONCE = 16
"""Requests to an object store."""
_RUNS_AT_FIRST = 2
"""Of each check, in the first answer from an object store; the others are read behind it."""
_SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class KnownSite:
    """The runs of a site, by check, oldest first; problems by run id. version: another one when anything changed."""

    site: str
    runs: dict[str, list[Digest]]
    problems: dict[str, str]
    version: int


class Index:
    """Used by several threads at once. Raises ConsistencyError when the store cannot be read at all."""

    def __init__(self, store: RunStore, clock: Callable[[], float] = time.time) -> None:
        self._storage = open_storage(store.url)
        self._is_local = store.local_path() is not None
        self._clock = clock
        self._sites: dict[str, SiteRuns] = {}
        self._whole: OrderedDict[str, float] = OrderedDict()
        self._versions: dict[str, int] = {}
        self._listed: list[str] = []
        self._listed_at = 0.0
        self._fleet: list[KnownSite] = []
        self._fleet_at = 0.0
        self._reading = threading.Lock()
        """Held by the thread that reads the fleet."""
        self._changing = threading.Lock()
        """Held for a moment by who changes one of the collections above."""

    def fleet(self) -> list[KnownSite]:
        """The last runs of every site that has some, in byte order of their names.

        Where there are many in an object store, they have fewer runs in the first answer than in the next ones.
        """
        age = self._clock() - self._fleet_at
        if not 0 <= age < OLDEST:
            return self._read_before_it_is_shown()
        known = self._fleet  # looked at after its age: it is as new as that at least
        if age > FRESH and self._reading.acquire(blocking=False):
            self._read_behind()
        return known

    def site(self, site: str) -> KnownSite | None:
        """All runs of a site; None where the store has none of that name."""
        now = self._clock()
        runs = self._runs_of(site, now)
        if runs is None:
            return None
        with runs.lock:
            if not 0 <= now - self._whole.get(site, 0.0) < FRESH:
                self._refresh(site, runs, now, None, _AT_ONCE)
                self._keep_whole(site, now)
            known = self._known(site, runs, now)
        return known if known.runs or known.problems else None

    def _read_before_it_is_shown(self) -> list[KnownSite]:
        with self._reading:
            if 0 <= self._clock() - self._fleet_at < FRESH:
                return self._fleet
            is_first = not self._is_local and not self._fleet_at
            self._read_fleet(_RUNS_AT_FIRST if is_first else RECENT)
            known = self._fleet
        if is_first and self._reading.acquire(blocking=False):
            self._read_behind()
        return known

    def _read_behind(self) -> None:
        """In a thread of its own; it holds `_reading` already, and gives it back."""

        def read() -> None:
            try:
                self._read_fleet(RECENT)
            except ConsistencyError:
                pass  # whoever asks when it is too old is told
            finally:
                self._reading.release()

        threading.Thread(target=read, daemon=True).start()

    def _read_fleet(self, number: int) -> None:
        now = self._clock()
        names = self._names(now)
        with self._changing:
            for gone in self._sites.keys() - set(names):
                del self._sites[gone]
                self._whole.pop(gone, None)

        def read(site: str) -> KnownSite:
            runs = self._runs(site)
            with runs.lock:
                self._refresh(site, runs, now, None if site in self._whole else number)
                return self._known(site, runs, now)

        if self._is_local:
            known = [read(site) for site in names]
        else:
            with ThreadPoolExecutor(_AT_ONCE, "web-sites") as pool:
                known = list(pool.map(read, names))
        self._fleet = [one for one in known if one.runs or one.problems]
        self._fleet_at = now

    def _names(self, now: float) -> list[str]:
        if not 0 <= now - self._listed_at < FRESH:
            found = self._storage.entries("", "directory")
            if self._listed and not found:  # a mount that is gone must not look like a quiet morning
                raise ConsistencyError(
                    "the store had sites and has none any more; is it mounted? If that is right, start the service anew"
                )
            self._listed, self._listed_at = [name for name in found if _SITE.fullmatch(name)][:MOST_SITES], now
        return self._listed

    def _runs_of(self, site: str, now: float) -> SiteRuns | None:
        return self._runs(site) if site in self._sites or site in self._names(now) else None

    def _runs(self, site: str) -> SiteRuns:
        with self._changing:
            return self._sites.setdefault(site, SiteRuns(self._storage, site, self._is_local))

    def _refresh(self, site: str, runs: SiteRuns, now: float, number: int | None, at_once: int = 1) -> None:
        try:
            if runs.refresh(now, number, at_once):
                self._versions[site] = self._versions.get(site, 0) + 1
            runs.problems.pop("", None)
        except ConsistencyError as error:
            runs.problems[""] = safe(error)

    def _known(self, site: str, runs: SiteRuns, now: float) -> KnownSite:
        return KnownSite(site, runs.runs(now), dict(runs.problems), self._versions.get(site, 0))

    def _keep_whole(self, site: str, now: float) -> None:
        with self._changing:
            self._whole[site] = now
            self._whole.move_to_end(site)
            old = next(iter(self._whole)) if len(self._whole) > _WHOLE_SITES else None
            if old is None:
                return
            del self._whole[old]
            runs = self._sites.get(old)
        if runs is not None and runs.lock.acquire(blocking=False):  # who holds it just now makes it whole again
            runs.forget_old()
            runs.lock.release()
