"""The inventory of an RSE from a replica dump, for catalogues that shall be spared the reading of all replicas."""

from collections.abc import Iterator

import pyarrow as pa

from dynamo_consistency.backend.file.inventory import InventoryDump
from dynamo_consistency.backend.file.options import InventorySource
from dynamo_consistency.backend.rucio.options import DumpOptions
from dynamo_consistency.errors import BackendError


def stream(options: DumpOptions, site: str) -> Iterator[pa.RecordBatch]:
    """The files of all parts of the dump; in flight is what is not available.

    Raises BackendError for a part that is too old, cut short or unreadable, and when none has a file of the RSE.
    """
    rows = 0
    for url in options.urls:
        source = InventorySource(url=url, format="rucio", rse=site, max_age_seconds=options.max_age_seconds)
        for batch in InventoryDump(source, site, is_part=True).batches():
            rows += batch.num_rows
            yield batch
    if not rows:
        raise BackendError(f"the replica dump of {site} has no file of it; correct `dumps` of the backend's entry")
