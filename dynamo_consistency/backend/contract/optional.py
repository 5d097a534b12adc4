"""What a backend may have beside the eleven names: a Protocol for each feature.

An object has a feature when it has the attribute; `optional_features` asks, and does what is done without it.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import pyarrow as pa

from dynamo_consistency.backend.contract.data import Asked, Became, Known, Outcome, Withdrawn
from dynamo_consistency.backend.contract.required import Inventory, Registry
from dynamo_consistency.check import Source


@runtime_checkable
class ListingSourceBackend(Protocol):
    """A `Backend` that names what lists a site, so that the engine can list better than a directory at a time."""

    def listing_source(self, site: str) -> Source | None:
        """What lists the site, in the words of a check's `listing.source`; None where only `get_listers` does."""
        ...


@runtime_checkable
class LookingBackend(Protocol):
    """A `Backend` that can be asked for a single file at a site, where its listers cannot."""

    def exists(self, path: str) -> bool:
        """Is the file, an LFN, at the site? False only where the storage clearly has nothing of that name."""
        ...


@runtime_checkable
class DescribedBackend(Protocol):
    """A `Backend` that says what it is."""

    def describe(self) -> str:
        """One sentence, without a credential, for the snapshot and the report."""
        ...


@runtime_checkable
class BulkDatasetFilter(Protocol):
    """A `DatasetFilter` that can be asked for many files together."""

    def protected_among(self, filenames: Iterable[str]) -> set[str]:
        """Those of the files (LFNs) for which `protected` is True. Raises BackendError when it does not know."""
        ...


@runtime_checkable
class StreamingInventory(Inventory, Protocol):
    """An inventory that need not fit in memory."""

    def stream(self, site: str) -> Iterator[pa.RecordBatch]:
        """Batches with `INVENTORY_COLUMNS`, from one consistent read where the engine gives one.

        A row whose path is null is a file that the inventory knows at the site without knowing where: such rows are
        counted, and while there are any no orphan is deleted. Raises BackendError when the read breaks off: the caller
        never sees a short list that looks complete.
        """
        ...


@runtime_checkable
class LookingInventory(Inventory, Protocol):
    """An inventory that can be asked for single files, without reading all of it."""

    def look_up(self, site: str, files: Sequence[bytes]) -> dict[bytes, Known]:
        """What the inventory says now of those of `files` (LFNs) that it knows at the site, in flight or not.

        Raises BackendError when it cannot say; a file that is not in the answer is unknown to the inventory.
        """
        ...


@runtime_checkable
class VersionedInventory(Inventory, Protocol):
    """An inventory of which can be proven that it has not changed, so that it need not be read again."""

    def content_version(self, site: str) -> str | None:
        """Two equal answers prove that `stream` gives the same rows as before, whoever asks, from any process.

        None where nothing proves it. Raises BackendError where `stream` would refuse to begin, for example for age.
        """
        ...


@runtime_checkable
class SourcesRegistry(Protocol):
    """A `Registry` that can say, without a request, where else files are."""

    def sources(self, site: str, files: Iterable[str]) -> tuple[list[str], list[str]]:
        """(LFNs without a disk source elsewhere, of those: also none on tape), in the order given; only reads."""
        ...


@runtime_checkable
class DirectoryRegistry(Protocol):
    """A `Registry` that knows whether it may be asked to delete a directory; others are taken to allow it."""

    def takes_directories(self, site: str) -> bool:
        """May an empty directory at the site be in a request for deletion? Where False, none ever is."""
        ...


@runtime_checkable
class ItemisingRegistry(Registry, Protocol):
    """A registry that answers for every file. Both calls are idempotent: asking again writes nothing twice."""

    def request_deletion(self, site: str, files: Sequence[bytes]) -> list[Outcome]:
        """Request deletion of files and directories by LFN; one outcome for each, in their order."""
        ...

    def request_transfer(self, site: str, files: Sequence[bytes]) -> list[Outcome]:
        """Request that the files are fetched to the site anew; one outcome for each, in their order.

        A file that no disk elsewhere has is refused: a last copy is never touched.
        """
        ...


@runtime_checkable
class DirectoryDeletingRegistry(ItemisingRegistry, Protocol):
    """A registry for which a directory is another thing than a file of that name."""

    def request_deletion_of_directories(self, site: str, directories: Sequence[bytes]) -> list[Outcome]:
        """Request deletion of (empty) directories by LFN, without a slash at the end; one outcome for each."""
        ...


@runtime_checkable
class FollowingRegistry(Registry, Protocol):
    """A registry that can say later what became of its requests."""

    def follow(self, site: str, asked: Sequence[Asked]) -> list[Became]:
        """What became of each request, in their order; nothing is written."""
        ...


@runtime_checkable
class WithdrawingRegistry(Registry, Protocol):
    """A registry that can take back what was requested of it and still waits."""

    def withdraw(self, site: str, asked: Sequence[Asked]) -> list[Withdrawn]:
        """Withdraw each request, in their order. Idempotent.

        Only what this program made and what still waits is touched: never a request of somebody else, and never one
        that is being carried out. Raises BackendError when the registry cannot be reached; some may be withdrawn then.
        """
        ...


@runtime_checkable
class RunningRegistry(Registry, Protocol):
    """A registry that shows those who watch it for which run a request is made."""

    def for_run(self, run_id: str) -> ItemisingRegistry:
        """The same registry, for the requests of one run."""
        ...
