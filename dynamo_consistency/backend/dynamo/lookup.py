"""What the inventory says of single files, asked for by name."""

from collections.abc import Iterable

from dynamo_consistency.backend.contract import Known
from dynamo_consistency.backend.dynamo.database.connection import Databases, reading
from dynamo_consistency.backend.dynamo.database.names import label, look_ups
from dynamo_consistency.backend.dynamo.database.schema import files
from dynamo_consistency.backend.dynamo.database.schema_version import Generation
from dynamo_consistency.backend.dynamo.inventory import contents, in_flight
from dynamo_consistency.backend.dynamo.sites import site_id


def look_up(databases: Databases, generation: Generation, site: str, wanted: Iterable[bytes]) -> dict[bytes, Known]:
    """Those of `wanted` (LFNs) that the inventory knows at the site, as `inventory.stream` tells them.

    The database finds names without regard to spaces at the end; only the very bytes that were asked for count.
    """
    names = dict.fromkeys(wanted)
    found: dict[bytes, Known] = {}
    with reading(databases.inventory) as connection:
        query = contents(site_id(connection, site), in_flight(generation))
        for chunk in look_ups(names):
            for name, size, time, flag, dataset, *_ in connection.execute(query.where(files.c.name.in_(chunk))):
                if name in names:
                    found[name] = Known(None if size < 0 else size, bool(flag), label(dataset), time)
    return found
