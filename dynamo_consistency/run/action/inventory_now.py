"""What the inventory says just before something is asked for. An answer much shorter than the run's proves nothing.

Nothing is kept from one look to the next, but for two things. The pending deletions: Dynamo fetches a file anew by
dropping it first, so that once one is asked for, all of its dataset seems to be pending. And the directories that files
are in: no inventory can be asked for what is below one, so that all of it is read, once, when directories are to go.

A look-up that knows nothing of a file may be right, or may come from a database that is being loaded, or has failed
over to an empty one. So with each look-up some files are asked for that the inventory had when the run was compared.
"""

import functools
from collections.abc import Callable, Collection, Sequence

import pyarrow.parquet as pq

from dynamo_consistency import paths
from dynamo_consistency.backend import optional_features
from dynamo_consistency.backend.contract import Backend, Known
from dynamo_consistency.backend.inventory_paths import identified
from dynamo_consistency.columns import directories_above
from dynamo_consistency.errors import BackendError
from dynamo_consistency.run.much_shorter import much_shorter
from dynamo_consistency.run.records.complete_runs import AFTER
from dynamo_consistency.run.records.history import WITHDRAWN
from dynamo_consistency.run.store.run_directory import DATASETS, RunDirectory

AFTER_FILES = "inventory/after.parquet"
SAMPLE = 20
SOMETHING_INSIDE = Known(None, in_flight=True, dataset=None)


class InventoryNow:
    """The inventory of a run's site. All methods raise BackendError when it cannot tell, or when there is doubt."""

    def __init__(self, run: RunDirectory, backend: Backend) -> None:
        """Raises BackendError when it is not the inventory that the run was compared with."""
        self._backend, self._site = backend, run.site
        self._refuse_another(run)
        datasets = run.read_json(DATASETS)
        self._protected, self._pending = datasets["protected"], datasets["deletionRequests"]
        if run.exists(WITHDRAWN):  # requests that the run has taken back itself do not wait any more
            self._pending = []
        self._rows = int(run.read_json(AFTER)["rows"])
        self._known_then = _sample(run)
        self._pending_before = self._deletion_requests()
        self._of_pending = backend.DatasetFilter(self._pending_before)

    def entries(self, files: Sequence[bytes]) -> dict[bytes, Known]:
        """Those of `files` that it knows."""
        asked = [*files, *self._known_then]
        known = optional_features.look_up(self._backend, self._site, asked, rows_before=self._rows)
        still_known = sum(path in known for path in self._known_then)
        if much_shorter(still_known, len(self._known_then)):
            raise BackendError(
                f"the inventory is in doubt: of {len(self._known_then)} files that it had at {self._site} when they "
                f"were compared, it knows {still_known} now; nothing more is requested"
            )
        return known

    def directories(self, wanted: Sequence[bytes]) -> dict[bytes, Known]:
        """As `claims`, and those in or below which it has a file, also one that is still to come."""
        inside = dict.fromkeys(self._with_files.intersection(wanted), SOMETHING_INSIDE)
        return inside | self.claims(wanted)

    @functools.cached_property
    def _with_files(self) -> set[bytes]:
        found: set[bytes] = set()
        rows = 0  # an inventory that is read for each look-up, too, must be nearly as long as then: see `look_up`
        for batch in map(identified, optional_features.stream(self._backend, self._site)):
            rows += batch.num_rows
            for level in directories_above(batch["path"]):
                found.update(level.to_pylist())
        if much_shorter(rows, self._rows):
            raise BackendError(
                f"the inventory is in doubt: it has {rows} files at {self._site} now, and had {self._rows} when they "
                "were compared; nothing more is requested"
            )
        return found

    def claims(self, files: Sequence[bytes]) -> dict[bytes, Known]:
        """Those of `files` (or directories) that it knows, or that lie in something that it knows.

        What is one file to the inventory may be a directory at the site, with parts of that file in it.
        """
        names = {path: [path, *paths.directories_above(path)] for path in files}
        known = self.entries(list({name for some in names.values() for name in some}))
        found = {path: [known[name] for name in some if name in known] for path, some in names.items()}
        return {path: entries[0] for path, entries in found.items() if entries}

    def protection(self) -> Callable[[bytes], bool]:
        """Whether the dataset of a file is protected, or being deleted, now."""
        protected = set(self._backend.inventory.protected_datasets(self._site))
        self._refuse_if_short("protected datasets", protected, self._protected)
        of_protected = self._backend.DatasetFilter(protected | self._deletion_requests())
        return lambda path: of_protected.protected(paths.to_text(path))

    def deletion_is_pending(self, path: bytes, entry: Known | None) -> bool:
        """Of the dataset of a file, since before this action."""
        if entry is not None and entry.dataset is not None:
            return entry.dataset in self._pending_before
        return bool(self._pending_before) and self._of_pending.protected(paths.to_text(path))

    def _refuse_another(self, run: RunDirectory) -> None:
        then, now = run.read_json(AFTER)["description"], optional_features.describe(self._backend)
        if then != now:
            raise BackendError(
                f"the run was compared with another inventory: {then}, and the backend's is {now}; nothing was "
                "requested. Run the check again"
            )

    def _deletion_requests(self) -> set[str]:
        pending = set(self._backend.deletion_requests(self._site))
        self._refuse_if_short("datasets with deletion requests", pending, self._pending)
        return pending

    def _refuse_if_short(self, what: str, now: Collection[str], before: Collection[str]) -> None:
        if much_shorter(len(now), len(before)):
            raise BackendError(
                f"the inventory is in doubt: it has {len(now)} {what} of {self._site} now, and had {len(before)} when "
                "they were compared; nothing more is requested"
            )


def _sample(run: RunDirectory) -> list[bytes]:
    """Some of the files that the run's second snapshot has, from all over it."""
    files: list[bytes] = []
    with run.reading(AFTER_FILES) as path, pq.ParquetFile(path) as snapshot:
        groups = range(0, snapshot.num_row_groups, -(-snapshot.num_row_groups // SAMPLE))
        for group in groups:
            column = snapshot.read_row_group(group, columns=["path"]).column("path")
            step = -(-len(column) * len(groups) // SAMPLE) or 1
            files += [column[row].as_py() for row in range(0, len(column), step)]
    return files
