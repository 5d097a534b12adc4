"""What SQL cannot decide about a path: ignore patterns, and the backend's idea of which dataset a file belongs to.

Python is asked between the two halves of `comparison.sql`, only about paths for which the answer matters.
"""

import re
from collections.abc import Callable, Iterable
from functools import partial

import duckdb

from dynamo_consistency import paths
from dynamo_consistency.backend import optional_features
from dynamo_consistency.backend.contract import Backend, DatasetFilter
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import BackendError, ConsistencyError
from dynamo_consistency.run.comparison.spelling import fold_names, remember_renamed
from dynamo_consistency.run.database import fill
from dynamo_consistency.run.listing.failed_shards import belongs_to
from dynamo_consistency.run.store.run_directory import DATASETS, RunDirectory
from dynamo_consistency.secrets import redact

_UNKNOWN = "SELECT path FROM file WHERE before + after = 0 AND NOT young"
_DIRECTORIES = "SELECT DISTINCT path FROM listing WHERE kind = 'directory' AND root IS NOT NULL"
_UNSEEN = "SELECT path FROM file WHERE before > 0 AND after > 0 AND at_site = 0 AND NOT in_flight"

_SAMPLE = 1000

Passing = Callable[[list[bytes]], Iterable[bytes]]
"""Which of some paths pass."""


def ask(
    database: duckdb.DuckDBPyConnection,
    run: RunDirectory,
    check: SiteConsistencyCheck,
    backend: Backend,
    absent: list[int],
) -> list[str]:
    """Fill the tables that `comparison.sql` names, for the run's check; `absent`: shards that have failed.

    Returns a sentence for each ignore pattern that was of no use. Raises BackendError when a filter of the backend
    fails.
    """
    datasets = run.read_json(DATASETS)
    protected, pending = set(datasets["protected"]), set(datasets["deletionRequests"])
    ignored = Ignored(check.spec.comparison.ignore, check.spec.comparison.ignored, check.spec.listing.exclude)
    if absent:
        _keep(database, "unlisted", "SELECT path FROM file", partial(filter, belongs_to(absent, check.spec.listing)))
    _keep(database, "ignored", f"{_UNKNOWN} UNION ALL {_DIRECTORIES}", ignored.among)
    unknown = f"{_UNKNOWN} AND path NOT IN (FROM ignored)"
    _keep(database, "protected", unknown, _of_datasets(backend.DatasetFilter(protected | pending)))
    said = _of_no_dataset(database, backend)
    if pending:
        _keep(database, "deletion_pending", _UNSEEN, _of_datasets(backend.DatasetFilter(pending)))
    fold_names(database)
    remember_renamed(database, run)
    return said + [
        f"the ignore pattern {pattern} matches no listed directory, and no file that the inventory does not know"
        for pattern in ignored.unmatched
    ]


def _of_no_dataset(database: duckdb.DuckDBPyConnection, backend: Backend) -> list[str]:
    """A sentence where many files are protected only because their names do not tell their dataset.

    Such are those that the backend protects even when no dataset is protected.
    """
    (number,) = database.execute("SELECT count(*) FROM protected").fetchone() or (0,)
    some = database.execute(f"SELECT path FROM protected LIMIT {_SAMPLE}").fetchall()
    try:
        nameless = _of_datasets(backend.DatasetFilter(set()))([path for (path,) in some]) if some else []
    except BackendError:
        return []
    if 2 * len(list(nameless)) <= len(some):
        return []
    return [
        f"{number} files that the inventory does not know are protected, because names such as "
        f"{paths.to_text(some[0][0])} tell no dataset: see datasetNames of the backend"
    ]


class Ignored:
    """The ignore patterns of a check, and which of those that a person wrote have matched nothing until now.

    What is excluded was not listed; a directory that is spelt otherwise may be it all the same, and is ignored.
    """

    def __init__(self, patterns: list[str], every: list[str], excluded: list[str]) -> None:
        self._all = paths.PatternFilter(every)
        directories = [re.escape(paths.folded(paths.to_bytes(path))) for path in excluded]
        self._excluded = re.compile(b"(?:" + b"|".join(directories) + rb")(?:/|\Z)") if directories else None
        self.unmatched = {pattern: paths.PatternFilter([pattern]) for pattern in patterns}

    def among(self, files: list[bytes]) -> list[bytes]:
        ignored = [path for path in files if self._all.ignored(path) or self._is_excluded(path)]
        for pattern, one in list(self.unmatched.items()):
            if any(map(one.ignored, ignored)):
                del self.unmatched[pattern]
        return ignored

    def _is_excluded(self, path: bytes) -> bool:
        return self._excluded is not None and self._excluded.match(paths.folded(path)) is not None


def _keep(database: duckdb.DuckDBPyConnection, table: str, question: str, passing: Passing) -> None:
    """Put those paths into `table` that pass."""
    fill(database, table, question, lambda rows: [(path,) for path in passing([path for (path,) in rows])])


def _of_datasets(dataset_filter: DatasetFilter) -> Passing:
    """What the filter protects; many files are asked for together where it can answer so."""

    def passing(files: list[bytes]) -> list[bytes]:
        names = [paths.to_text(path) for path in files]
        try:
            kept = optional_features.protected_among(dataset_filter, names)
        except ConsistencyError:
            raise
        except Exception as error:
            reason = redact(f"{type(error).__name__}: {error}")
            raise BackendError(f"the backend could not say which files are protected: {reason}") from error
        return [path for path, name in zip(files, names, strict=True) if name in kept]

    return passing
