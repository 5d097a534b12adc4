"""The pages as files, for a web server or a bucket that is there already: `page --out`.

All but the search for a file. Each file is written under another name and renamed, those that others lead to first, so
that no link of a page leads nowhere.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import get_args

from dynamo_consistency.run.store.storage import Storage
from dynamo_consistency.web.models import FindingsPage, RunPage, SiteRow
from dynamo_consistency.web.models.site import Measure
from dynamo_consistency.web.pages.links import FileLinks, Runs, file_name, run_folder, site_file
from dynamo_consistency.web.pages.run import UNREADABLE, run_page
from dynamo_consistency.web.pages.site import site_page
from dynamo_consistency.web.pages.sites import sites_page, wall_page
from dynamo_consistency.web.pages.static import STATIC, static_file
from dynamo_consistency.web.view import NotThereError, StoreView

RUNS_SHOWN = 20
"""Of each check so many runs have a page, the last ones; the last complete one has its lists as well."""


@dataclass
class Written:
    """How much was written."""

    checks: int = 0
    sites: int = 0
    pages: int = 0
    lists: int = 0


@dataclass
class _Places:
    """What there is a page of: runs, those of them that have lists beside it, and checks that have one of their own."""

    runs: Runs = field(default_factory=set)
    lists: Runs = field(default_factory=set)
    checks: set[tuple[str, str]] = field(default_factory=set)


def write_pages(view: StoreView, target: Storage) -> Written:
    """Write all pages to `target`; the first is `index.html`.

    Raises ConsistencyError when the store cannot be read or the target not written.
    """
    return _Writer(view, target).write()


class _Writer:
    def __init__(self, view: StoreView, target: Storage) -> None:
        self._view, self._target = view, target
        self._places, self._written = _Places(), Written()

    def write(self) -> Written:
        for name in STATIC:
            self._put(f"static/{name}", [static_file(name)])
        first = self._view.sites()
        for row in first.rows:
            self._find_runs(row)
        for site, run_id in sorted(self._places.runs):
            self._write_run(site, run_id)
        for row in first.rows:
            self._write_site(row)
        self._page("wall.html", wall_page(first, self._links(0)))
        self._page("index.html", sites_page(first, self._links(0)))
        self._written.checks, self._written.sites = len(first.rows), len({row.site for row in first.rows})
        return self._written

    def _find_runs(self, row: SiteRow) -> None:
        page = self._view.site(row.site, row.check)
        points = page.points
        if len(page.checks) > 1:
            self._places.checks.add((row.site, row.check))
        complete = [point.run_id for point in points if point.result == "Complete"]
        self._places.lists |= {(row.site, run_id) for run_id in complete[-1:]}
        self._places.runs |= {(row.site, point.run_id) for point in points[-RUNS_SHOWN:]} | self._places.lists

    def _write_run(self, site: str, run_id: str) -> None:
        """The page of a run with all its lists; a run that has gone meanwhile has none."""
        try:
            page = self._view.run(site, run_id)
        except NotThereError:
            return
        if (site, run_id) in self._places.lists:
            self._write_lists(page)
        self._page(f"{run_folder(site, run_id)}/index.html", run_page(page, list(self._findings(page)), self._links(4)))

    def _findings(self, page: RunPage) -> Iterator[FindingsPage]:
        for download in page.downloads:
            if download.total:
                with suppress(*UNREADABLE):
                    yield self._view.findings(page.site, page.run.run_id, download.kind)

    def _write_lists(self, page: RunPage) -> None:
        for name in (name for download in page.downloads if download.total for name in download.names.values()):
            with suppress(*UNREADABLE):
                pieces = self._view.list_pieces(page.site, page.run.run_id, name)
                self._put(f"{run_folder(page.site, page.run.run_id)}/{file_name(name)}", pieces)
                self._written.lists += 1

    def _write_site(self, row: SiteRow) -> None:
        """The page of a check in files and in bytes, as that of the site where no other check has run since."""
        names = [row.check] if (row.site, row.check) in self._places.checks else []
        of_site = [None] if self._view.site(row.site).check == row.check else []
        for measure in get_args(Measure):
            page = self._view.site(row.site, row.check, measure)
            for check in (*names, *of_site):
                self._page(site_file(row.site, check, measure), site_page(page, self._links(2)))

    def _links(self, depth: int) -> FileLinks:
        return FileLinks(depth, self._places.runs, self._places.lists, self._places.checks)

    def _page(self, name: str, page: str) -> None:
        self._put(name, [page.encode("utf-8", "backslashreplace")])
        self._written.pages += 1

    def _put(self, name: str, pieces: Iterable[bytes]) -> None:
        with self._target.writing(name) as path, path.open("wb") as file:
            file.writelines(pieces)
