"""Answers of a store: what each page shows, computed from its run directories and kept for a short while."""

from typing import Literal

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.store.run_directory import RunStore
from dynamo_consistency.web.models import FilePage, FindingsPage, RunPage, SitePage, SitesPage, State


class NotThereError(ConsistencyError):
    """The site, run, kind or list that was asked for is not in the store."""


class StoreView:
    """A store as people look at it. Used by several threads at once.

    What is damaged is left out and named among the `problems` of an answer. Every method raises NotThereError for what
    is not there, and ConsistencyError when the store itself cannot be read.
    """

    def __init__(self, store: RunStore) -> None:
        self.store = store

    def sites(self, text: str = "", state: State | None = None) -> SitesPage:
        raise NotImplementedError

    def site(self, site: str, check: str | None = None, measure: Literal["files", "bytes"] = "files") -> SitePage:
        """`check`: by default that of the last run."""
        raise NotImplementedError

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
