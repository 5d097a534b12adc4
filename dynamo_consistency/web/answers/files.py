"""What the runs of a site say of a path, or of the paths that begin with something."""

import contextlib
import re
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dynamo_consistency import paths
from dynamo_consistency.kinds import FINDING_KINDS, KIND_BY_NAME
from dynamo_consistency.run.records.history import ACTIONS, FOLLOWED, WITHDRAWN
from dynamo_consistency.run.records.path_history import (
    ACTED,
    FOLLOWED_ROWS,
    FOUND,
    WITHDRAWN_ROWS,
    PathRows,
    RunFacts,
    joined,
)
from dynamo_consistency.web.index.digest import Digest, safe
from dynamo_consistency.web.models import FileFound, FilePage, Name, Occurrence, Problem
from dynamo_consistency.web.queries.database import DamagedFileError, Question
from dynamo_consistency.web.queries.run_files import RunFiles

FILES_SHOWN = 200
RUNS_SEARCHED = 400
"""The newest complete runs of a site."""
LONGEST_PATH = 4096

_END = b"\xff" * LONGEST_PATH
_PATHS = f"""
    SELECT path FROM read_parquet(?) WHERE path >= ? AND path < ?
    GROUP BY path ORDER BY path LIMIT {FILES_SHOWN + 1}
"""
_ROWS = "SELECT filename, {columns} FROM read_parquet(?, filename = true) WHERE path >= ? AND path <= ?"


@dataclass(frozen=True)
class Wanted:
    """Paths from `first` up to, and not including, `past`."""

    first: bytes
    past: bytes
    is_prefix: bool

    @classmethod
    def of(cls, path: bytes) -> "Wanted":
        """An LFN, or the beginning of some, which ends in `*` or `/`."""
        if path.endswith(b"*") or (path.endswith(b"/") and path.strip(b"/")):
            first = re.sub(rb"/{2,}", b"/", path.removesuffix(b"*"))
            return cls(first, first + _END, is_prefix=True)
        first = paths.normalise(path)
        return cls(first, first + b"\0", is_prefix=False)


class _Search:
    """Files of runs that are open, and what cannot be read of them."""

    def __init__(self, site: str, runs: Sequence[Digest], files: RunFiles, question: Question) -> None:
        self._site, self._runs, self._files, self._question = site, runs, files, question
        self.damaged: dict[str, str] = {}

    @contextlib.contextmanager
    def opened(self, name: str) -> Any:
        """{path: run id} of the file `name` of all runs that have it."""
        with contextlib.ExitStack() as stack:

            def local(run: Digest) -> tuple[str, Any]:
                return run.run_id, stack.enter_context(self._files.opened(self._site, run.run_id, name))

            if self._files.is_local:
                found = list(map(local, self._runs))
            else:
                with ThreadPoolExecutor(16) as pool:
                    found = list(pool.map(local, self._runs))
            yield {str(path): run_id for run_id, path in found if path is not None}

    def rows(self, opened: dict[str, str], query: str, values: Sequence[object]) -> list[dict[str, Any]]:
        """The rows of all files by one query or, where one of them is damaged, of each that is not."""
        if not opened:
            return []
        try:
            return self._question.rows(query, [list(opened), *values])
        except DamagedFileError as error:
            if len(opened) > 1:
                return [row for file in opened for row in self.rows({file: opened[file]}, query, values)]
            [run_id] = opened.values()
            self.damaged[run_id] = safe(f"a file is damaged, and was not searched: {error}", 300)
            return []

    def by_run(self, name: str, columns: str, span: tuple[bytes, bytes]) -> dict[str, list[dict[str, Any]]]:
        """{run id: rows of the file `name` about paths of the span}"""
        found = defaultdict(list)
        with self.opened(name) as opened:
            for row in self.rows(opened, _ROWS.format(columns=columns), span):
                found[opened[row.pop("filename")]].append(row)
        return found

    def paths(self, wanted: Wanted) -> list[bytes]:
        """The first of the wanted paths in byte order that any run has found, one more than are shown."""
        if not wanted.is_prefix:
            return [wanted.first]
        found: set[bytes] = set()
        for kind in FINDING_KINDS:
            with self.opened(kind.file) as opened:
                found |= {row["path"] for row in self.rows(opened, _PATHS, [wanted.first, wanted.past])}
        return sorted(found)[: FILES_SHOWN + 1]


def page_of(site: str, path: bytes, runs: Sequence[Digest], files: RunFiles, question: Question) -> FilePage:
    """`runs`: of the site, of all checks."""
    complete = sorted((run for run in runs if run.is_complete), key=lambda run: run.order)[-RUNS_SEARCHED:]
    wanted, search = Wanted.of(path), _Search(site, complete, files, question)
    found = search.paths(wanted)
    shown = found[:FILES_SHOWN]
    return FilePage(
        site=site,
        query=paths.visible(path),
        is_prefix=wanted.is_prefix,
        files=_files(search, complete, shown) if shown else [],
        is_cut=len(found) > FILES_SHOWN,
        runs_searched=len(complete),
        problems=[Problem(site=site, run_id=run_id, message=what) for run_id, what in search.damaged.items()],
    )


def _files(search: _Search, runs: Sequence[Digest], shown: list[bytes]) -> list[FileFound]:
    span = shown[0], shown[-1]
    rows = PathRows(
        found={kind.name: search.by_run(kind.file, FOUND, span) for kind in FINDING_KINDS},
        acted=search.by_run(ACTIONS, ACTED, span),
        followed=search.by_run(FOLLOWED, FOLLOWED_ROWS, span),
        withdrawn=search.by_run(WITHDRAWN, WITHDRAWN_ROWS, span),
    )
    facts = [RunFacts(run.run_id, _iso(run.start), [gate.message for gate in run.closed], run.outcomes) for run in runs]
    by_path: dict[bytes, list[Occurrence]] = defaultdict(list)
    for row in joined(facts, rows):
        by_path[row["path"]].append(_occurrence(row))
    return [FileFound(path=Name.of(path), occurrences=by_path[path]) for path in sorted(by_path)]


def _iso(start: float | None) -> str:
    return "" if start is None else datetime.fromtimestamp(start, UTC).isoformat()


def _occurrence(row: dict[str, Any]) -> Occurrence:
    return Occurrence(
        run_id=row["runId"],
        start_time=datetime.fromisoformat(row["startTime"]) if row["startTime"] else None,
        kind=row["kind"],
        title=KIND_BY_NAME[row["kind"]].title,
        size=row["size"],
        site_size=row["siteSize"],
        dataset=None if row["dataset"] is None else paths.visible(row["dataset"]),
        request=row["request"],
        outcome=row["outcome"],
        became=row["became"],
        reason=safe(row["reason"]) if row["reason"] else None,
        asked_at=datetime.fromisoformat(row["askedAt"]) if row["askedAt"] else None,
    )
