"""What a backend is: the eleven names of the public API, and what the engine uses beside them when it is there.

A backend is any object with the attributes of `Backend`: an instance of a class of ours, a Python module, or what a
third party's entry point returns.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import pyarrow as pa

from dynamo_consistency.listers.contract import ListerFactory

INVENTORY_COLUMNS = pa.schema(
    [
        pa.field("path", pa.binary()),  # LFN; null: a file whose path cannot be told
        pa.field("size", pa.int64()),  # bytes; null or negative: unknown
        pa.field("time", pa.int64()),  # seconds since 1970 of the entry's last change; null: unknown, long ago
        pa.field("in_flight", pa.bool_(), nullable=False),  # incomplete, unsubscribed, being transferred or deleted
        pa.field("dataset", pa.string()),  # null: the inventory does not say
        pa.field("block", pa.string()),
        pa.field("group", pa.string()),
    ]
)
"""Columns of a streamed inventory, in this order. A backend may add columns of its own after them (scope, name,
checksum, …): they travel with a finding to its registry."""

ListedFile = tuple[str | bytes, int, datetime | None]


class DatasetFilter(Protocol):
    """Tells whether a file belongs to one of a set of datasets, by its name alone.

    One that has also `protected_among(filenames) -> set` is asked for many files together.
    """

    def protected(self, filename: str) -> bool: ...


class Inventory(Protocol):
    def protected_datasets(self, site: str) -> set[str]:
        """Datasets whose files at the site must not be called orphans."""
        ...

    def list_files(self, site: str) -> Iterable[ListedFile]:
        """Every file that the inventory knows at the site: (LFN, bytes, time of its last change)."""
        ...


@runtime_checkable
class StreamingInventory(Inventory, Protocol):
    """An inventory that need not fit in memory."""

    def stream(self, site: str) -> Iterator[pa.RecordBatch]:
        """Batches with `INVENTORY_COLUMNS`, from one consistent read where the engine gives one.

        A row whose path is null is a file that the inventory knows at the site without knowing where: such rows are
        counted, and while there are any no orphan is deleted. Raises BackendError when the read breaks off: the caller
        never sees a short list that looks whole.
        """
        ...


class Registry(Protocol):
    def delete(self, site: str, files: Iterable[str]) -> int:
        """Request deletion of files and (empty) directories at the site, by LFN; the number requested."""
        ...

    def transfer(self, site: str, files: Iterable[str]) -> tuple[list[str], list[str]]:
        """Request transfer of files to the site; (files without a disk source, of those: also none on tape)."""
        ...


class Known(NamedTuple):
    """What an inventory says of one file at a site, when it is asked for it by name; the columns are those of a stream.

    Where it has several entries of one file, one of them in flight is enough.
    """

    size: int | None
    in_flight: bool
    dataset: str | None
    time: int | None = None


@runtime_checkable
class LookingInventory(Inventory, Protocol):
    """An inventory that can be asked for single files, without reading all of it."""

    def look_up(self, site: str, files: Sequence[bytes]) -> dict[bytes, Known]:
        """What the inventory says now of those of `files` (LFNs) that it knows at the site, in flight or not.

        Raises BackendError when it cannot tell; a file that is not in the answer is unknown to the inventory.
        """
        ...


class Outcome(NamedTuple):
    """What became of one request.

    requested: it is now waiting in the registry; waiting: it was there already and nothing was written; refused: the
    registry will not take it, and `message` says why in a sentence.
    """

    path: bytes
    outcome: Literal["requested", "waiting", "refused"]
    message: str = ""


@runtime_checkable
class ItemisingRegistry(Registry, Protocol):
    """A registry that answers for every file. Both calls are idempotent: asking again writes nothing twice.

    One that has also `takes_directories(site) -> bool`, and says False there, is never asked to delete a directory.
    """

    def request_deletion(self, site: str, files: Sequence[bytes]) -> list[Outcome]:
        """Request deletion of files and directories by LFN; one outcome for each, in their order."""
        ...

    def request_transfer(self, site: str, files: Sequence[bytes]) -> list[Outcome]:
        """Request that the files are fetched to the site anew; one outcome for each, in their order.

        A file that no disk elsewhere has is refused: a last copy is never touched.
        """
        ...


class Asked(NamedTuple):
    """A request that an earlier run has made; `asked_at` in seconds since 1970."""

    path: bytes
    request: Literal["transfer", "delete"]
    run_id: str
    asked_at: float


Became = Literal["recovered", "lost", "queued", "removed", "kept", "unknown"]
"""What became of a request. recovered: the file is at the site again; lost: the inventory has given it up; queued: on
its way; removed: the file is gone from the site; kept: the registry has dropped the request and left the file."""


@runtime_checkable
class FollowingRegistry(Registry, Protocol):
    """A registry that can tell later what became of its requests."""

    def follow(self, site: str, asked: Sequence[Asked]) -> list[Became]:
        """What became of each request, in their order; nothing is written."""
        ...


Withdrawn = Literal["withdrawn", "done", "unknown", "cannot"]
"""What became of the wish to withdraw a request. withdrawn: nothing of it waits any more; done: it was carried out
before, or is being carried out; unknown: the registry has no such request of ours; cannot: it still waits."""


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
    """A registry that tells those who watch it for which run a request is made."""

    def for_run(self, run_id: str) -> ItemisingRegistry:
        """The same registry, for the requests of one run."""
        ...


class SiteInfo(Protocol):
    def site_list(self) -> list[str]: ...

    def ready_sites(self) -> set[str]: ...


class Backend(Protocol):
    """The eleven names. `DatasetFilter` is a class, the others functions or holders of functions."""

    inventory: Inventory
    registry: Registry
    siteinfo: SiteInfo

    def DatasetFilter(self, datasets: set[str]) -> DatasetFilter: ...  # noqa: N802 (the name is fixed)

    def check_site(self, site: str) -> bool:
        """True if the site is ready to run on."""
        ...

    def deletion_requests(self, site: str) -> set[str]:
        """Datasets with pending deletion requests at the site."""
        ...

    def filelist_to_blocklist(self, site: str, infile: str, outfile: str) -> None:
        """Summarise a list of files, one LFN a line, by block and owning group; worst first."""
        ...

    def get_listers(self, site: str) -> tuple[ListerFactory, list[tuple[Any, ...]]]:
        """What lists the site: (constructor or function, argument tuples), one tuple per lister."""
        ...
