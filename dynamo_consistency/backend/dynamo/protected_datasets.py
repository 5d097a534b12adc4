"""What is not to be touched at a site: datasets that are being deleted there, and those that are managed there."""

from typing import Any

from sqlalchemy import Connection, Select, func, select, union

from dynamo_consistency.backend.dynamo.database.connection import Databases, reading
from dynamo_consistency.backend.dynamo.database.names import label
from dynamo_consistency.backend.dynamo.database.schema import (
    active_deletions,
    block_replicas,
    blocks,
    dataset_replicas,
    datasets,
    deletion_request_items,
    deletion_request_sites,
    deletion_requests,
    file_subscriptions,
    files,
)
from dynamo_consistency.backend.dynamo.database.schema_version import Generation
from dynamo_consistency.backend.dynamo.sites import site_id


def datasets_being_deleted(databases: Databases, generation: Generation, site: str) -> set[str]:
    """Datasets with a pending deletion at the site: requested, active, or as single files.

    Raises BackendError for an unknown site and for a table that may not be read: that never means "nothing pending".
    """
    with reading(databases.inventory) as connection:
        number = site_id(connection, site)
        pending = _names(connection, _unsubscribed(number)) if generation.per_file_replicas else set()
    with reading(databases.register) as connection:
        for there, query in (
            (generation.requests, _requested(site)),
            (generation.active_deletions, _active(site)),
        ):
            if there:
                pending |= {item.partition("#")[0] for item in _names(connection, query)}
    return pending


def managed_datasets(databases: Databases, generation: Generation, site: str) -> set[str]:
    """Datasets whose files at the site must not be called orphans.

    Those with a replica or a block replica there, those of which a file is subscribed there, and everywhere those that
    Dynamo is set to leave alone (IGNORED). Raises BackendError for an unknown site.
    """
    with reading(databases.inventory) as connection:
        number = site_id(connection, site)
        queries = [
            select(dataset_replicas.c.dataset_id).where(dataset_replicas.c.site_id == number),
            select(blocks.c.dataset_id)
            .join(block_replicas, block_replicas.c.block_id == blocks.c.id)
            .where(block_replicas.c.site_id == number),
            select(datasets.c.id).where(func.upper(datasets.c.status) == "IGNORED"),
        ]
        if generation.per_file_replicas:
            queries.append(_subscribed(number))
        protected = union(*queries).subquery()
        return _names(connection, select(datasets.c.name).where(datasets.c.id.in_(select(protected.c[0]))))


def _names(connection: Connection, query: Select[Any]) -> set[str]:
    return {name for raw in connection.execute(query).scalars() if (name := label(raw))}


def _unsubscribed(number: int) -> Select[Any]:
    dataset_ids = _subscriptions(number, delete=1).where(
        file_subscriptions.c.status.in_(["new", "inbatch", "retry", "held"])
    )
    return select(datasets.c.name).where(datasets.c.id.in_(dataset_ids))


def _subscribed(number: int) -> Select[Any]:
    return _subscriptions(number, delete=0)


def _subscriptions(number: int, delete: int) -> Select[Any]:
    return (
        select(blocks.c.dataset_id)
        .distinct()
        .join(files, files.c.block_id == blocks.c.id)
        .join(file_subscriptions, file_subscriptions.c.file_id == files.c.id)
        .where(file_subscriptions.c.site_id == number, file_subscriptions.c.delete == delete)
    )


# The site is compared with a literal, never by a join: the collations of the columns differ (error 1267).


def _requested(site: str) -> Select[Any]:
    return (
        select(deletion_request_items.c.item)
        .join(deletion_requests, deletion_requests.c.id == deletion_request_items.c.request_id)
        .join(deletion_request_sites, deletion_request_sites.c.request_id == deletion_requests.c.id)
        .where(deletion_request_sites.c.site == site, deletion_requests.c.status.in_(["new", "activated"]))
    )


def _active(site: str) -> Select[Any]:
    return select(active_deletions.c.item).where(
        active_deletions.c.site == site, active_deletions.c.status.in_(["new", "queued"])
    )
