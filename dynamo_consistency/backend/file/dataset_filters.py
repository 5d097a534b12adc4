"""What tells the dataset of a file where its name does not: `datasetNames` in the entry of a file backend."""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency import paths
from dynamo_consistency.errors import BackendError

Inventories = Callable[[], Iterable[tuple[str, Iterator[pa.RecordBatch]]]]


class NamelessFilter:
    """Nothing tells the dataset of a file: where some dataset is protected, every file may be of it."""

    def __init__(self, datasets: Iterable[str]) -> None:
        self._some = bool(set(datasets))

    def protected(self, filename: str) -> bool:
        return self._some


class ContentsFilter:
    """The inventories of all sites tell the dataset of a file. One that none of them has is in no dataset."""

    def __init__(self, inventories: Inventories, datasets: Iterable[str]) -> None:
        """`inventories`: site and batches of its inventory, all read anew."""
        self._inventories = inventories
        self._datasets = pa.array(sorted(set(datasets)), pa.string())

    def protected(self, filename: str) -> bool:
        """Raises BackendError when an inventory cannot be read, or names no dataset at all."""
        return hash(paths.to_bytes(filename)) in self._protected

    def protected_among(self, filenames: Iterable[str]) -> set[str]:
        """Those of the names that are protected."""
        return {name for name in filenames if self.protected(name)}

    @cached_property
    def _protected(self) -> frozenset[int]:
        """Hashes of the protected names, an eighth of the names themselves; two of one hash protect one too many."""
        hashes: set[int] = set()
        for site, batches in self._inventories():
            named = False
            for batch in batches:
                dataset = batch["dataset"]
                named = named or dataset.null_count < len(dataset)
                kept = pc.or_(pc.is_in(dataset, self._datasets), pc.is_null(dataset))
                hashes.update(map(hash, batch["path"].filter(kept).to_pylist()))
            if not named:
                raise BackendError(
                    f"the inventory of {site} names no dataset, and datasetNames is contents; give it a column "
                    "dataset, or set datasetNames: none"
                )
        return frozenset(hashes)
