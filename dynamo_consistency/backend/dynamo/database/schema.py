"""The tables of Dynamo that we use, as the `innodb` branch has them but for `filename_mappings` (as on master).

Queries on older generations use the same definitions: the columns that a generation lacks are never asked for (see
`schema_version`). `init` creates them for people who have no Dynamo: on SQLite, or in empty MySQL databases.
"""

from typing import Any

from sqlalchemy import (
    Column,
    Engine,
    Enum,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    inspect,
    quoted_name,
)
from sqlalchemy.dialects.mysql import BIGINT, ENUM, INTEGER, TINYINT, VARCHAR
from sqlalchemy.types import BigInteger, TypeEngine

from dynamo_consistency.backend.dynamo.database.column_types import NameType, SecondsType
from dynamo_consistency.backend.dynamo.database.connection import Databases
from dynamo_consistency.backend.sql import errors
from dynamo_consistency.errors import ConfigurationError

NAME_LIMIT = 512
"""Bytes that fit in the column of a file name; MySQL in non-strict mode silently cuts what is longer."""

_EXACT = "latin1_general_cs"
_FOLDED = "latin1_general_ci"

inventory = MetaData()
register = MetaData()


def _id(size: type[Integer] = Integer) -> TypeEngine[Any]:
    # On SQLite only INTEGER makes a row id, and has 64 bits anyhow.
    unsigned = BIGINT(unsigned=True) if size is BigInteger else INTEGER(unsigned=True)
    return Integer().with_variant(unsigned, "mysql")


def _text(length: int, collation: str = _EXACT) -> TypeEngine[Any]:
    return String(length).with_variant(VARCHAR(length, charset="latin1", collation=collation), "mysql")


def _enum(*values: str, collation: str = _FOLDED) -> TypeEngine[Any]:
    plain = Enum(*values, native_enum=False, create_constraint=False, validate_strings=False)
    return plain.with_variant(ENUM(*values, charset="latin1", collation=collation), "mysql")


def _flag() -> TypeEngine[Any]:
    return SmallInteger().with_variant(TINYINT(1), "mysql")


def _table(metadata: MetaData, name: str, *parts: Any) -> Table:
    return Table(
        quoted_name(name, quote=True),  # `groups` is a reserved word of MySQL 8, not of MariaDB
        metadata,
        *parts,
        mysql_engine="InnoDB",
        mysql_charset="latin1",
        mysql_collate=_EXACT,
    )


sites = _table(
    inventory,
    "sites",
    Column("id", _id(), primary_key=True),
    Column("name", _text(32), nullable=False, unique=True),
    Column("host", _text(256, _FOLDED)),
    Column("storage_type", _enum("disk", "mss", "buffer", "unknown"), nullable=False, server_default="unknown"),
    Column("backend", _text(128, _FOLDED)),
    Column("status", _enum("ready", "waitroom", "morgue", "unknown"), nullable=False, server_default="ready"),
)

groups = _table(
    inventory,
    "groups",
    Column("id", _id(), primary_key=True),
    Column("name", _text(64, _FOLDED), nullable=False, unique=True),
    Column("olevel", _enum("Dataset", "Block"), nullable=False, server_default="Block"),
)

datasets = _table(
    inventory,
    "datasets",
    Column("id", _id(), primary_key=True),
    Column("name", NameType(512), nullable=False, unique=True),
    Column("status", _enum("UNKNOWN", "DELETED", "DEPRECATED", "INVALID", "PRODUCTION", "VALID", "IGNORED")),
    Column("data_type", _enum("UNKNOWN", "PRODUCTION", "TEST"), nullable=False, server_default="UNKNOWN"),
    Column("software_version_id", _id(), nullable=False, server_default="0"),
    Column("last_update", SecondsType, nullable=False),
    Column("is_open", _flag(), nullable=False, server_default="0"),
)

blocks = _table(
    inventory,
    "blocks",
    Column("id", _id(BigInteger), primary_key=True),
    Column("dataset_id", _id(), nullable=False, server_default="0"),
    Column("name", NameType(128), nullable=False),
    Column("size", BigInteger, nullable=False, server_default="-1"),
    Column("num_files", Integer, nullable=False, server_default="0"),
    Column("is_open", _flag(), nullable=False),
    Column("last_update", SecondsType, nullable=False),
    UniqueConstraint("dataset_id", "name", name="full_name"),
)

files = _table(
    inventory,
    "files",
    Column("id", _id(BigInteger), primary_key=True),
    Column("block_id", _id(BigInteger), nullable=False, server_default="0"),
    Column("size", BigInteger, nullable=False, server_default="-1"),
    Column("name", NameType(NAME_LIMIT), nullable=False, unique=True),
    Index("files_blocks", "block_id"),
)

block_replicas = _table(
    inventory,
    "block_replicas",
    Column("block_id", _id(BigInteger), nullable=False),
    Column("site_id", _id(), nullable=False),
    Column("group_id", _id(), nullable=False),
    Column("is_custodial", _flag(), nullable=False, server_default="0"),
    Column("last_update", SecondsType, nullable=False),
    Column("is_complete", _flag(), nullable=False, server_default="1"),
    PrimaryKeyConstraint("block_id", "site_id"),
    Index("block_replicas_sites", "site_id"),
    Index("block_replicas_groups", "group_id"),
)

block_replica_files = _table(
    inventory,
    "block_replica_files",
    Column("block_id", _id(BigInteger), nullable=False),
    Column("site_id", _id(), nullable=False),
    Column("file_id", BigInteger, nullable=False),
    UniqueConstraint("file_id", "site_id", name="filereplica"),
    Index("block_replica_files_blockreplica", "block_id", "site_id"),
    Index("block_replica_files_site", "site_id"),
)

dataset_replicas = _table(
    inventory,
    "dataset_replicas",
    Column("dataset_id", _id(), nullable=False),
    Column("site_id", _id(), nullable=False),
    Column("growing", _flag(), nullable=False),
    Column("group_id", _id()),
    PrimaryKeyConstraint("dataset_id", "site_id"),
    Index("dataset_replicas_sites", "site_id"),
    Index("dataset_replicas_groups", "group_id"),
)

filename_mappings = _table(
    inventory,
    "filename_mappings",
    Column("site_id", _id(), nullable=False),
    Column("protocol", _text(32), nullable=False),
    Column("chain_id", _id(), nullable=False),
    Column("index", _id(), nullable=False),
    Column("lfn_pattern", NameType(512), nullable=False),
    Column("pfn_pattern", NameType(512), nullable=False),
    Index("filename_mappings_links", "site_id", "protocol", "chain_id", "index"),
)

file_subscriptions = _table(
    inventory,
    "file_subscriptions",
    Column("id", _id(BigInteger), primary_key=True),
    Column("file_id", _id(BigInteger), nullable=False),
    Column("site_id", _id(), nullable=False),
    Column(
        "status",
        _enum("new", "inbatch", "done", "retry", "held", "cancelled"),
        nullable=False,
        server_default="new",
    ),
    Column("created", SecondsType, nullable=False),
    Column("last_update", SecondsType),
    Column("delete", _flag(), nullable=False),
    Column("hold_reason", _enum("no_source", "all_failed", "site_unavailable")),
    UniqueConstraint("file_id", "site_id", "delete", name="subscription"),
    Index("file_subscriptions_delete", "delete"),
    Index("file_subscriptions_status", "status"),
)

unmanaged_deletions = _table(
    inventory,
    "unmanaged_deletions",
    Column("id", _id(BigInteger), primary_key=True),
    Column("site", _text(32, _FOLDED), nullable=False),
    Column("url", NameType(512), nullable=False),
    Index("unmanaged_deletions_sites", "site"),
)

deletion_requests = _table(
    register,
    "deletion_requests",
    Column("id", _id(), primary_key=True),
    Column("user", _text(64), nullable=False),
    Column("dn", _text(256)),
    Column("request_time", SecondsType, nullable=False),
    Column("status", _enum("new", "activated", collation=_EXACT), nullable=False, server_default="new"),
)

deletion_request_items = _table(
    register,
    "deletion_request_items",
    Column("request_id", _id(), nullable=False),
    Column("item", NameType(512), nullable=False),
    Index("deletion_request_items_request", "request_id"),
)

deletion_request_sites = _table(
    register,
    "deletion_request_sites",
    Column("request_id", _id(), nullable=False),
    Column("site", _text(512), nullable=False),
    Index("deletion_request_sites_request", "request_id"),
)

active_deletions = _table(
    register,
    "active_deletions",
    Column("request_id", _id(), nullable=False),
    Column("item", NameType(512), nullable=False),
    Column("site", _text(32), nullable=False),
    Column("status", _enum("new", "queued", "failed", "completed"), nullable=False, server_default="new"),
    Column("created", SecondsType, nullable=False),
    Column("updated", SecondsType),
    UniqueConstraint("request_id", "item", "site", name="request"),
)

_marker = _table(MetaData(), "dynamo_consistency_marker", Column("schema_version", Integer, primary_key=True))
"""A table in the databases that `init` made, and in no other."""


def init(databases: Databases) -> None:
    """Create the tables in empty databases, once; databases that `init` made before are left as they are.

    Raises ConfigurationError for a database that holds tables of somebody else, BackendError when it cannot be made.
    """
    if is_ours(databases.inventory):
        return
    embedded = databases.inventory.url == databases.register.url
    targets = [(databases.inventory, inventory), (databases.register, register)]
    for engine, _ in targets[:1] if embedded else targets:
        _refuse_foreign(engine)
    for engine, tables in targets:
        with errors.explained(engine):
            tables.create_all(engine)
    # The marker comes last: an `init` that broke off leaves a database that is neither ours nor empty.
    with errors.explained(databases.inventory), databases.inventory.begin() as connection:
        _marker.create(connection)


def is_ours(engine: Engine) -> bool:
    """Did `init` make this inventory? No other may be written to: Dynamo keeps its own in memory."""
    with errors.explained(engine):
        return inspect(engine).has_table(_marker.name)


def _refuse_foreign(engine: Engine) -> None:
    with errors.explained(engine):
        tables = sorted(inspect(engine).get_table_names())
    if tables:
        raise ConfigurationError(
            f"the database {errors.place(engine)} already has tables, such as {tables[0]}; "
            "`inventory init` only fills an empty database"
        )
