"""Answers of a store: what each page shows, computed from its run directories and kept for a short while."""

import contextlib
from collections.abc import Generator, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.kinds import KIND_BY_WORD
from dynamo_consistency.paths import to_bytes
from dynamo_consistency.run.store.leftovers import scratch_folder
from dynamo_consistency.run.store.run_directory import RunStore
from dynamo_consistency.web import lists
from dynamo_consistency.web.answers import files as files_answer
from dynamo_consistency.web.answers import findings as findings_answer
from dynamo_consistency.web.answers import site as site_answer
from dynamo_consistency.web.answers import sites as sites_answer
from dynamo_consistency.web.answers.run import page as run_answer
from dynamo_consistency.web.answers.run.source import RunSource
from dynamo_consistency.web.index.checks import Checks
from dynamo_consistency.web.index.index import Index, KnownSite
from dynamo_consistency.web.kept import Kept
from dynamo_consistency.web.models import FilePage, FindingsPage, Problem, RunPage, SitePage, SiteRow, SitesPage, State
from dynamo_consistency.web.queries.database import SECONDS, Database
from dynamo_consistency.web.queries.run_files import RunFiles
from dynamo_consistency.web.resources import Resources, ResourceState

_RUN_PAGES_KEPT = 64
_DOWNLOADS = 4
"""At the same time; they take as long as their readers do, and must not keep pages waiting."""


class NotThereError(ConsistencyError):
    """The site, run, kind or list that was asked for is not in the store."""


class StoreView:
    """A store as people look at it. Used by several threads at once.

    What is damaged is left out and named among the `problems` of an answer. Every method raises NotThereError for what
    is not there, and ConsistencyError when the store itself cannot be read.
    """

    def __init__(self, store: RunStore, scratch: Path, resources: Resources | None = None) -> None:
        """`scratch`: an empty folder of this process for copies of files, and for what does not fit into memory."""
        self.store = store
        self.resources = resources
        self.files = RunFiles(store, scratch)
        self.database = Database(self.files.folders, scratch)
        self.downloads = self.database.beside(_DOWNLOADS)
        self.index = Index(store)
        self.checks = Checks(store)
        self._run_pages: Kept[tuple[str, str, int], RunPage] = Kept(_RUN_PAGES_KEPT)
        self._rows: tuple[list[KnownSite], list[SiteRow]] = ([], [])

    def close(self) -> None:
        """No method may be called afterwards."""
        self.database.close()

    def sites(self, text: str = "", state: State | None = None) -> SitesPage:
        """All checks of all sites, those that need a person first; of those, the ones that the filter lets through."""
        fleet = self.index.fleet()
        rows = self._rows_of(fleet)
        problems = [problem for known in fleet for problem in sites_answer.problems_of(known)]
        if self.resources and self.resources.problem:
            problems.insert(0, Problem(site="", run_id=None, message=self.resources.problem))
        return sites_answer.page_of(rows, problems, text, state)

    def site(self, site: str, check: str | None = None, measure: Literal["files", "bytes"] = "files") -> SitePage:
        """`check`: by default that of the last run."""
        known = self._known(site)
        name = max(known.runs, key=lambda name: known.runs[name][-1].order, default="") if check is None else check
        if name not in known.runs:
            raise NotThereError(f"{site} has no runs of this check")
        runs = known.runs[name]
        facts = self.checks.of(site, runs[-1].run_id)
        row = sites_answer.row_of(site, name, runs, facts, datetime.now(UTC), resource=self._told().get(name))
        return site_answer.page_of(known, row, facts, measure)

    def run(self, site: str, run_id: str) -> RunPage:
        known = self._known(site)
        key = site, run_id, known.version
        page = self._run_pages.get(key)
        if page is None:
            with self._source(known, run_id) as source:
                page = run_answer.page_of(source, self.checks.of(site, run_id), self.store.url)
            self._run_pages.put(key, page)
        return page

    def findings(
        self, site: str, run_id: str, kind: str, *, sort: str | None = None, descending: bool = False, text: str = ""
    ) -> FindingsPage:
        """`kind`: as in counts: missing, orphans, …; `sort`: path, size, site_size, modified or dataset."""
        wanted = KIND_BY_WORD.get(kind)
        if wanted is None or sort not in (None, *findings_answer.SORTS):
            raise NotThereError("there is no such kind of findings, or no such order")
        with self._source(self._known(site), run_id) as source:
            page = findings_answer.page_of(source, wanted, sort=sort, descending=descending, wanted=to_bytes(text))
        if page is None:
            raise NotThereError("the run has no findings of this kind")
        return page

    def list_pieces(self, site: str, run_id: str, name: str) -> Generator[bytes]:
        """All findings of a kind as a file, in pieces; `name`: as in `Download.names`: missing.csv. To be closed."""
        stem, _, ending = name.rpartition(".")
        kind = KIND_BY_WORD.get(stem)
        if kind is None or ending not in lists.MEDIA_TYPES:
            raise NotThereError("there is no such list")
        with self._source(self._known(site), run_id, self.downloads, lists.SECONDS) as source:
            begun = False
            for piece in lists.pieces(source, kind, ending):
                begun = True
                yield piece
        if not begun:
            raise NotThereError("the run has no findings of this kind")

    def find_file(self, site: str, path: bytes) -> FilePage:
        """`path`: an LFN, or a beginning of some that ends in `*` or `/`; at most 4096 bytes."""
        if len(path) > files_answer.LONGEST_PATH:
            raise NotThereError("no path is as long as that")
        runs = [run for of_check in self._known(site).runs.values() for run in of_check]
        with self.database.question() as question:
            return files_answer.page_of(site, path, runs, self.files, question)

    @contextlib.contextmanager
    def _source(
        self, known: KnownSite, run_id: str, database: Database | None = None, seconds: float = SECONDS
    ) -> Iterator[RunSource]:
        for check, runs in known.runs.items():
            for run in runs:
                if run.run_id == run_id:
                    with (database or self.database).question(seconds) as question:
                        yield RunSource(known.site, check, run, runs, self.files, question)
                    return
        raise NotThereError(f"{known.site} has no run of this id")

    def _told(self) -> Mapping[str, ResourceState]:
        return self.resources.known() if self.resources else {}

    def _rows_of(self, fleet: list[KnownSite]) -> list[SiteRow]:
        """Made once for each state of the store that was read."""
        of, rows = self._rows
        if of is not fleet:
            now = datetime.now(UTC)
            told = self._told()
            rows = [row for known in fleet for row in sites_answer.rows_of(known, self.checks, now, told)]
            self._rows = fleet, rows
        return rows

    def _known(self, site: str) -> KnownSite:
        known = self.index.site(site)
        if known is None:
            raise NotThereError("the store has no runs of a site of this name")
        return known


@contextlib.contextmanager
def open_view(store: RunStore, resources: Resources | None = None) -> Iterator[StoreView]:
    """A view with a folder for its copies, which goes with it. `resources`: of the cluster that it runs in."""
    with scratch_folder() as folder:
        view = StoreView(store, folder, resources)
        try:
            yield view
        finally:
            view.close()
