"""What is asked of Dynamo, and where: each generation of its daemons reads other tables."""

from collections.abc import Callable, Sequence
from typing import Literal

from dynamo_consistency.backend.contract import Asked, Outcome, Withdrawn
from dynamo_consistency.backend.dynamo.database.connection import Databases
from dynamo_consistency.backend.dynamo.database.schema_version import Generation
from dynamo_consistency.backend.dynamo.database.version_tables import deletion_queue, transfer_queue
from dynamo_consistency.backend.dynamo.lookup import look_up
from dynamo_consistency.backend.dynamo.requests import deletion, transfer, v1_queues, withdrawal
from dynamo_consistency.backend.sql import errors
from dynamo_consistency.errors import BackendError

RequestTables = Literal["v1", "v2"]

REGISTERED = "the inventory has it at the site; only what Dynamo does not manage is deleted in this way"


def request_deletion(
    databases: Databases, generation: Generation, chosen: RequestTables | None, site: str, files: Sequence[bytes]
) -> list[Outcome]:
    """See `contract.ItemisingRegistry`; beside that, a file that the inventory has at the site is refused."""
    tables = _tables(databases, generation, chosen)
    if tables == "v2" and not generation.unmanaged_deletions:
        raise BackendError(
            f"the database {errors.place(databases.inventory)} has no unmanaged_deletions: this Dynamo (before "
            "2018-08-28) cannot be asked to delete what it does not manage; update it"
        )

    def ask(wanted: Sequence[bytes]) -> dict[bytes, Outcome]:
        known = look_up(databases, generation, site, wanted)
        unmanaged = [path for path in wanted if path not in known]
        if tables == "v1":
            outcomes = v1_queues.request_deletion(databases, generation, site, unmanaged)
        else:
            outcomes = deletion.request(databases, generation, site, unmanaged)
        return outcomes | {path: Outcome(path, "refused", REGISTERED) for path in known}

    return _one_for_each(files, ask)


def request_transfer(
    databases: Databases, generation: Generation, chosen: RequestTables | None, site: str, files: Sequence[bytes]
) -> list[Outcome]:
    """See `contract.ItemisingRegistry`."""
    ask = v1_queues.request_transfer if _tables(databases, generation, chosen) == "v1" else transfer.request
    return _one_for_each(files, lambda wanted: ask(databases, generation, site, wanted))


def withdraw(
    databases: Databases, generation: Generation, chosen: RequestTables | None, site: str, asked: Sequence[Asked]
) -> list[Withdrawn]:
    """See `contract.WithdrawingRegistry`."""
    if not asked:
        return []
    transfers, deletions = withdrawal.by_path(asked, "transfer"), withdrawal.by_path(asked, "delete")
    if _tables(databases, generation, chosen) == "v1":
        fetched = withdrawal.queued(databases, transfer_queue, site, transfers) if transfers else {}
        deleted = withdrawal.queued(databases, deletion_queue, site, deletions) if deletions else {}
    else:
        fetched = withdrawal.subscriptions(databases, site, transfers) if transfers else {}
        deleted = withdrawal.unmanaged(databases, generation, site, deletions) if deletions else {}
    return [(fetched if one.request == "transfer" else deleted)[one.path] for one in asked]


def _one_for_each(files: Sequence[bytes], ask: Callable[[Sequence[bytes]], dict[bytes, Outcome]]) -> list[Outcome]:
    """A file that is in `files` twice is asked for once."""
    outcomes = ask(list(dict.fromkeys(files)))
    return [outcomes[path] for path in files]


def _tables(databases: Databases, generation: Generation, chosen: RequestTables | None) -> RequestTables:
    """Which tables the daemons read: a fact about Dynamo that its databases do not always tell."""
    there: list[RequestTables] = []
    if generation.v1_queues:
        there.append("v1")
    if generation.per_file_replicas:
        there.append("v2")
    place = errors.place(databases.inventory)
    if chosen is None and len(there) > 1:
        raise BackendError(
            f"{place} is v2.2 or later, and {errors.place(databases.register)} has the queues of 2018 as well; say "
            "which of them Dynamo's daemons read: add `requests: v2` (or `v1`) to the backend in backends.yaml"
        )
    if chosen is not None and chosen not in there:
        raise BackendError(f"{place} has no tables for `requests: {chosen}`; remove the line from backends.yaml")
    return chosen or there[0]
