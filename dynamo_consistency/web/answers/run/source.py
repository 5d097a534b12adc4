"""What the parts of a run's page read: its digest, its neighbours, its summary, and its files."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.kinds import FindingKind
from dynamo_consistency.run.store.run_directory import SUMMARY
from dynamo_consistency.web.index.digest import Digest, safe
from dynamo_consistency.web.queries.database import Question
from dynamo_consistency.web.queries.run_files import RunFiles


@dataclass
class RunSource:
    """A run of a check. runs: all of the check that are known, oldest first. problems: sentences, as they turn up."""

    site: str
    check: str
    digest: Digest
    runs: list[Digest]
    files: RunFiles
    question: Question
    problems: list[str] = field(default_factory=list)

    @property
    def run_id(self) -> str:
        return self.digest.run_id

    @property
    def complete(self) -> list[Digest]:
        return [run for run in self.runs if run.is_complete]

    @property
    def complete_before(self) -> Digest | None:
        """The complete run before this one."""
        before = [run for run in self.complete if run.order < self.digest.order]
        return before[-1] if before else None

    @property
    def later(self) -> list[Digest]:
        """Complete runs after this one."""
        return [run for run in self.complete if run.order > self.digest.order]

    @cached_property
    def summary(self) -> dict[str, Any]:
        """`summary.json`, read once; empty where there is none that can be read."""
        if self.digest.result in ("Unfinished", "Unreadable"):
            return {}
        try:
            summary = json.loads(self.files.contents(self.site, self.run_id, SUMMARY) or b"{}")
        except (ValueError, RecursionError):
            return {}
        return summary if isinstance(summary, dict) else {}

    @contextlib.contextmanager
    def parquet(self, name: str, run: Digest | None = None) -> Iterator[str | None]:
        """A path of a Parquet file of this run, or of another one; None when it is not there."""
        with self.files.opened(self.site, (run or self.digest).run_id, name) as path:
            yield None if path is None else str(path)

    @contextlib.contextmanager
    def findings(self, kind: FindingKind, run: Digest | None = None) -> Iterator[str | None]:
        """The findings of a kind; None where the run is not complete, or has none of them."""
        if not (run or self.digest).is_complete:
            yield None
            return
        with self.parquet(kind.file, run) as path:
            yield path

    @contextlib.contextmanager
    def shown_as_far_as_possible(self, what: str) -> Iterator[None]:
        """A file that cannot be read is told as a problem; the rest of the page is shown."""
        try:
            yield
        except ConsistencyError as error:
            self.problems.append(safe(f"{what}: {error}"))
