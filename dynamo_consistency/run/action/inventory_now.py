"""What the inventory says just before something is asked for. An answer much shorter than the run's proves nothing.

Nothing is kept from one look to the next, but for the pending deletions: Dynamo fetches a file anew by dropping it
first, so that once one is asked for, all of its dataset seems to be pending.
"""

from collections.abc import Callable, Collection, Sequence

from dynamo_consistency import paths
from dynamo_consistency.backend import optional_features
from dynamo_consistency.backend.contract import Backend, Known
from dynamo_consistency.errors import BackendError
from dynamo_consistency.run.much_shorter import much_shorter
from dynamo_consistency.run.records.history import WITHDRAWN
from dynamo_consistency.run.store.run_directory import DATASETS, RunDirectory

AFTER = "inventory/after.json"


class InventoryNow:
    """The inventory of a run's site. All methods raise BackendError when it cannot tell, or when there is doubt."""

    def __init__(self, run: RunDirectory, backend: Backend) -> None:
        self._backend, self._site = backend, run.site
        datasets = run.read_json(DATASETS)
        self._protected, self._pending = datasets["protected"], datasets["deletionRequests"]
        if run.exists(WITHDRAWN):  # requests that the run has taken back itself do not wait any more
            self._pending = []
        self._rows = int(run.read_json(AFTER)["rows"])
        self._pending_before = self._deletion_requests()
        self._of_pending = backend.DatasetFilter(self._pending_before)

    def entries(self, files: Sequence[bytes]) -> dict[bytes, Known]:
        """Those of `files` that it knows."""
        return optional_features.look_up(self._backend, self._site, files, rows_before=self._rows)

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
