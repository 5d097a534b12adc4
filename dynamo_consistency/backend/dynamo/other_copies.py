"""Where else a file is: looked up by name, a chunk at a time."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, select

from dynamo_consistency import paths
from dynamo_consistency.backend.dynamo.database.connection import Databases, reading
from dynamo_consistency.backend.dynamo.database.names import look_ups
from dynamo_consistency.backend.dynamo.database.schema import block_replicas, files, sites
from dynamo_consistency.backend.dynamo.database.schema_version import Generation
from dynamo_consistency.backend.dynamo.inventory import claimed
from dynamo_consistency.backend.dynamo.sites import site_id
from dynamo_consistency.backend.sql.reading import chunks


def without_source(
    databases: Databases, generation: Generation, site: str, names: Iterable[str]
) -> tuple[list[str], list[str]]:
    """(files that no disk elsewhere has, of those: the files that no tape has either), in the order given.

    A copy is one that a replica at a ready site other than `site` claims. A replica without an owner is about to be
    deleted and is no copy to rely on. A file that Dynamo does not know has none.
    """
    no_disk: list[str] = []
    nowhere: list[str] = []
    with reading(databases.inventory) as connection:
        number = site_id(connection, site)
        for chunk in chunks(names):
            storages: defaultdict[bytes, set[str]] = defaultdict(set)
            for look_up in look_ups(paths.to_bytes(name) for name in chunk):
                for known, _, _, storage in connection.execute(copies(generation, number, look_up)):
                    storages[known].add(storage)
            for name in chunk:
                kinds = storages[paths.to_bytes(name)]
                if "disk" not in kinds:
                    no_disk.append(name)
                    if "mss" not in kinds:
                        nowhere.append(name)
    return no_disk, nowhere


def copies(generation: Generation, number: int, names: list[bytes]) -> Select[Any]:
    """(name; number, name and storage type of a site other than `number` that has a copy)."""
    return (
        select(files.c.name, sites.c.id, sites.c.name, sites.c.storage_type)
        .join(block_replicas, block_replicas.c.block_id == files.c.block_id)
        .join(sites, sites.c.id == block_replicas.c.site_id)
        .where(
            files.c.name.in_(names),
            block_replicas.c.site_id != number,
            block_replicas.c.group_id != 0,
            sites.c.status == "ready",
            claimed(generation),
        )
    )
