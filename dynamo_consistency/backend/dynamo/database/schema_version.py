"""Which generation of Dynamo's schema a database has, found by looking and without changing anything.

The catalogue (information_schema) shows an account only what it may read, so that a forbidden table would look like
an absent one. A table is therefore asked for itself: the server answers "no such table" or "denied", two things that
must never be confused where absent means "nothing is pending".
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Table, column, func, quoted_name, select, text
from sqlalchemy import table as named
from sqlalchemy.exc import DBAPIError

from dynamo_consistency.backend.dynamo.database import schema
from dynamo_consistency.backend.dynamo.database.connection import Databases, reading
from dynamo_consistency.backend.dynamo.database.name_codes import send_names_in_their_code
from dynamo_consistency.backend.sql import errors
from dynamo_consistency.errors import BackendError

_CORE: tuple[tuple[Table, str], ...] = (
    (schema.sites, "id name storage_type status"),
    (schema.groups, "id name"),
    (schema.datasets, "id name status"),
    (schema.blocks, "id dataset_id name"),
    (schema.files, "id block_id size name"),
    (schema.block_replicas, "block_id site_id group_id is_complete last_update"),
    (schema.dataset_replicas, "dataset_id site_id"),
)
"""What every generation has had since full LFNs, and `last_update`, are in the database (v2.0)."""

_SINCE_V2_2: tuple[tuple[Table, str], ...] = (
    (schema.block_replica_files, "site_id file_id"),
    (schema.file_subscriptions, "file_id site_id status delete"),
)

_REQUESTS: tuple[tuple[Table, str], ...] = (
    (schema.deletion_requests, "id status"),
    (schema.deletion_request_items, "request_id item"),
    (schema.deletion_request_sites, "request_id site"),
)

_ACTIVE: tuple[tuple[Table, str], ...] = ((schema.active_deletions, "item site status"),)


@dataclass(frozen=True)
class Generation:
    """What a pair of databases holds, and which requests it takes."""

    name: str
    per_file_replicas: bool
    """`block_replica_files` and `file_subscriptions` exist: v2.2 and later."""
    requests: bool
    active_deletions: bool
    v1_queues: bool
    """`deletion_queue` and `transfer_queue` in the register."""
    unmanaged_deletions: bool
    protocol_table: bool
    """The rules for PFNs name their protocol by a number of `transfer_protocols` (branch innodb)."""
    transactional: bool
    """The inventory is read in one consistent view."""

    def describe(self) -> str:
        """One sentence for the log and the report."""
        found = [
            ("file subscriptions", self.per_file_replicas),
            ("unmanaged deletions", self.unmanaged_deletions),
            ("deletion requests", self.requests),
            ("active deletions", self.active_deletions),
            ("v1 queues", self.v1_queues),
        ]
        has = ", ".join(name for name, there in found if there)
        view = (
            "one consistent view"
            if self.transactional
            else "MyISAM tables, which give no consistent view: changes made during a snapshot may be half seen"
        )
        return f"Dynamo {self.name}, with {has}; {view}"


def detect(databases: Databases) -> Generation:
    """The generation of the schema.

    Raises BackendError that names the tables or columns that are lacking, and for a table that may not be read.
    """
    with reading(databases.inventory) as connection:
        _require(connection, _CORE)
        recent = _columns(connection, "block_replica_files") is not None
        if recent:
            _require(connection, _SINCE_V2_2)
        protocols = recent and _has_protocol_table(connection)
        unmanaged = _columns(connection, "unmanaged_deletions") is not None
        transactional = _is_transactional(connection)
        send_names_in_their_code(connection, schema.inventory)
    with reading(databases.register) as connection:
        send_names_in_their_code(connection, schema.register)
        requests = _has_all(connection, _REQUESTS)
        active = _has_all(connection, _ACTIVE)
        queues = None not in (_columns(connection, "deletion_queue"), _columns(connection, "transfer_queue"))
    if not (requests or active or queues):
        raise BackendError(
            f"the database {errors.place(databases.register)} has none of Dynamo's tables of requests; set registerUrl"
        )
    if not recent and not queues:
        raise BackendError(
            f"the database {errors.place(databases.inventory)} has no block_replica_files (Dynamo v2.2 or later), "
            f"and {errors.place(databases.register)} has no deletion_queue and transfer_queue (Dynamo of 2018): "
            "its schema is not known"
        )
    return Generation(_name(recent, protocols), recent, requests, active, queues, unmanaged, protocols, transactional)


def _columns(connection: Connection, name: str) -> frozenset[str] | None:
    """Columns of a table; None when there is no such table. Any other error is raised."""
    quoted = quoted_name(name, quote=True)
    try:
        result = connection.execute(select(text("*")).select_from(named(quoted)).limit(0))
    except DBAPIError as error:
        absent = errors.code(error) == errors.NO_SUCH_TABLE or f"no such table: {name}" in str(error.orig)
        if absent:
            return None
        raise
    return frozenset(result.keys())


def _lacking(connection: Connection, wanted: tuple[tuple[Table, str], ...]) -> tuple[list[str], list[str]]:
    """The tables that are not there, and the columns (`table.column`) that the others lack."""
    tables, columns = [], []
    for table, names in wanted:
        there = _columns(connection, table.name)
        if there is None:
            tables.append(table.name)
        else:
            columns += [f"{table.name}.{name}" for name in names.split() if name not in there]
    return tables, columns


def _require(connection: Connection, wanted: tuple[tuple[Table, str], ...]) -> None:
    tables, columns = _lacking(connection, wanted)
    if tables or columns:
        raise BackendError(
            f"the database {errors.place(connection.engine)} has a schema that is not known: it lacks "
            f"{', '.join(tables + columns)}; is it Dynamo's inventory, v2.0 or later?"
        )


def _has_all(connection: Connection, wanted: tuple[tuple[Table, str], ...]) -> bool:
    """False when none of the tables is there; some of them, or other columns, are an unknown schema."""
    tables, columns = _lacking(connection, wanted)
    if len(tables) == len(wanted):
        return False
    _require(connection, wanted)
    return not columns


def _name(recent: bool, protocols: bool) -> str:
    if not recent:
        return "of 2018 with v1 queues (branch production)"
    return f"v2.2 or later ({'branch innodb' if protocols else 'master'})"


def _has_protocol_table(connection: Connection) -> bool:
    rules = _columns(connection, "filename_mappings")
    if rules is not None and "protocol" in rules:
        return False
    if rules is not None and "protocol_id" in rules and _columns(connection, "transfer_protocols") is not None:
        return True
    raise BackendError(
        f"the database {errors.place(connection.engine)} has a schema that is not known: it lacks "
        "filename_mappings.protocol (master), and filename_mappings.protocol_id with transfer_protocols (branch innodb)"
    )


def _is_transactional(connection: Connection) -> bool:
    if connection.dialect.name == "sqlite":
        return True
    catalogue = named(
        "tables", column("engine"), column("table_schema"), column("table_name"), schema="information_schema"
    )
    engines = select(catalogue.c.engine).where(
        catalogue.c.table_schema == func.database(),
        catalogue.c.table_name.in_([table.name for table, _ in (*_CORE, *_SINCE_V2_2)]),
    )
    return all(engine == "InnoDB" for engine in connection.execute(engines).scalars())
