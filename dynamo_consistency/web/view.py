"""Answers of a store: what each page shows, computed from its run directories and kept for a short while."""

from datetime import UTC, datetime
from typing import Literal

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.store.run_directory import RunStore
from dynamo_consistency.web.answers import site as site_answer
from dynamo_consistency.web.answers import sites as sites_answer
from dynamo_consistency.web.index.checks import Checks
from dynamo_consistency.web.index.index import Index, KnownSite
from dynamo_consistency.web.models import FilePage, FindingsPage, RunPage, SitePage, SiteRow, SitesPage, State


class NotThereError(ConsistencyError):
    """The site, run, kind or list that was asked for is not in the store."""


class StoreView:
    """A store as people look at it. Used by several threads at once.

    What is damaged is left out and named among the `problems` of an answer. Every method raises NotThereError for what
    is not there, and ConsistencyError when the store itself cannot be read.
    """

    def __init__(self, store: RunStore) -> None:
        self.store = store
        self.index = Index(store)
        self.checks = Checks(store)
        self._rows: tuple[list[KnownSite], list[SiteRow]] = ([], [])

    def sites(self, text: str = "", state: State | None = None) -> SitesPage:
        """All checks of all sites, those that need a person first; of those, the ones that the filter lets through."""
        fleet = self.index.fleet()
        return sites_answer.page_of(self._rows_of(fleet), fleet, text, state)

    def site(self, site: str, check: str | None = None, measure: Literal["files", "bytes"] = "files") -> SitePage:
        """`check`: by default that of the last run."""
        known = self._known(site)
        name = max(known.runs, key=lambda name: known.runs[name][-1].order, default="") if check is None else check
        if name not in known.runs:
            raise NotThereError(f"{site} has no runs of this check")
        runs = known.runs[name]
        facts = self.checks.of(site, runs[-1].run_id)
        row = sites_answer.row_of(site, name, runs, facts, datetime.now(UTC))
        return site_answer.page_of(known, row, facts, measure)

    def run(self, site: str, run_id: str) -> RunPage:
        raise NotImplementedError

    def findings(
        self, site: str, run_id: str, kind: str, *, sort: str | None = None, descending: bool = False, text: str = ""
    ) -> FindingsPage:
        """`kind`: as in counts: missing, orphans, …"""
        raise NotImplementedError

    def find_file(self, site: str, path: bytes) -> FilePage:
        """`path`: an LFN, or a beginning of some that ends in `*` or `/`."""
        raise NotImplementedError

    def _rows_of(self, fleet: list[KnownSite]) -> list[SiteRow]:
        """Made once for each state of the store that was read."""
        of, rows = self._rows
        if of is not fleet:
            now = datetime.now(UTC)
            rows = [row for known in fleet for row in sites_answer.rows_of(known, self.checks, now)]
            self._rows = fleet, rows
        return rows

    def _known(self, site: str) -> KnownSite:
        known = self.index.site(site)
        if known is None:
            raise NotThereError("the store has no runs of a site of this name")
        return known
