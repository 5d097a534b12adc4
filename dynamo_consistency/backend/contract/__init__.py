"""What a backend is: the eleven names of the public API, and what the engine uses beside them when it is there.

A backend is any object with the attributes of `Backend`: an instance of a class of ours, a Python module, or what a
third party's entry point returns. `required` has the eleven names, with the smallest backend as an example; `optional`
has one Protocol for each further feature; `data` has what passes between. All are imported from here.

A site is called as the inventory calls it. Foreign code may raise anything: it becomes a BackendError in one sentence.
"""

from dynamo_consistency.backend.contract.data import (
    INVENTORY_COLUMNS,
    LABEL,
    LONG_AGO,
    Asked,
    Became,
    Known,
    ListedFile,
    Outcome,
    Withdrawn,
)
from dynamo_consistency.backend.contract.optional import (
    BulkDatasetFilter,
    DescribedBackend,
    DirectoryDeletingRegistry,
    DirectoryRegistry,
    FollowingRegistry,
    ItemisingRegistry,
    ListingSourceBackend,
    LookingBackend,
    LookingInventory,
    RunningRegistry,
    SourcesRegistry,
    StreamingInventory,
    VersionedInventory,
    WithdrawingRegistry,
)
from dynamo_consistency.backend.contract.required import Backend, DatasetFilter, Inventory, Registry, SiteInfo

__all__ = [
    "INVENTORY_COLUMNS",
    "LABEL",
    "LONG_AGO",
    "Asked",
    "Backend",
    "Became",
    "BulkDatasetFilter",
    "DatasetFilter",
    "DescribedBackend",
    "DirectoryDeletingRegistry",
    "DirectoryRegistry",
    "FollowingRegistry",
    "Inventory",
    "ItemisingRegistry",
    "Known",
    "ListedFile",
    "ListingSourceBackend",
    "LookingBackend",
    "LookingInventory",
    "Outcome",
    "Registry",
    "RunningRegistry",
    "SiteInfo",
    "SourcesRegistry",
    "StreamingInventory",
    "VersionedInventory",
    "WithdrawingRegistry",
    "Withdrawn",
]
