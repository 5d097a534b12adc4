"""What SQL cannot decide about a path: ignore patterns, and the backend's idea of which dataset a file belongs to.

Python is asked between the two halves of `comparison.sql`, only about paths for which the answer matters.
"""

from collections.abc import Callable, Iterable
from functools import partial

import duckdb

from dynamo_consistency import paths
from dynamo_consistency.backend import optional_features
from dynamo_consistency.backend.contract import Backend, DatasetFilter
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import BackendError, ConsistencyError
from dynamo_consistency.run.database import fill
from dynamo_consistency.run.listing.failed_shards import belongs_to
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.secrets import redact

_UNKNOWN = "SELECT path FROM file WHERE before + after = 0 AND NOT young"
_DIRECTORIES = "SELECT DISTINCT path FROM listing WHERE kind = 'directory' AND takes_part(path)"
_UNSEEN = "SELECT path FROM file WHERE before > 0 AND after > 0 AND at_site = 0 AND NOT in_flight"

Passing = Callable[[list[bytes]], Iterable[bytes]]
"""Which of some paths pass."""


def ask(
    database: duckdb.DuckDBPyConnection,
    run: RunDirectory,
    check: SiteConsistencyCheck,
    backend: Backend,
    absent: list[int],
) -> None:
    """Fill the tables that `comparison.sql` names, for the run's check; `absent`: shards that have failed.

    Raises BackendError when a filter of the backend fails.
    """
    datasets = run.read_json("inventory/datasets.json")
    protected, pending = set(datasets["protected"]), set(datasets["deletionRequests"])
    is_ignored = paths.PatternFilter(check.spec.comparison.ignore).ignored
    if absent:
        _keep(database, "unlisted", "SELECT path FROM file", partial(filter, belongs_to(absent, check.spec.listing)))
    _keep(database, "ignored", f"{_UNKNOWN} UNION ALL {_DIRECTORIES}", partial(filter, is_ignored))
    unknown = f"{_UNKNOWN} AND path NOT IN (FROM ignored)"
    _keep(database, "protected", unknown, _of_datasets(backend.DatasetFilter(protected | pending)))
    if pending:
        _keep(database, "deletion_pending", _UNSEEN, _of_datasets(backend.DatasetFilter(pending)))
    database.execute("SET VARIABLE deletion_requests = ?::VARCHAR[]", [sorted(pending)])


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
