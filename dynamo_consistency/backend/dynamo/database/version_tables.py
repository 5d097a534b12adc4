"""Tables that only some generations have: the queues of 2018 (v1), and the PFN rules of the branch innodb.

They are only described here, with the columns that we use; `schema.init` never makes them.
"""

from sqlalchemy import Column, Integer, MetaData, String, Table

from dynamo_consistency.backend.dynamo.database.column_types import NameType, SecondsType
from dynamo_consistency.backend.dynamo.database.schema import NAME_LIMIT

_register = MetaData()
_inventory = MetaData()

deletion_queue = Table(
    "deletion_queue",
    _register,
    Column("reqid", Integer),
    Column("file", NameType(NAME_LIMIT), primary_key=True),
    Column("site", String(32), primary_key=True),
    Column("status", String(16)),
    Column("created", SecondsType),
)

transfer_queue = Table(
    "transfer_queue",
    _register,
    Column("reqid", Integer),
    Column("file", NameType(NAME_LIMIT), primary_key=True),
    Column("site_from", String(32), primary_key=True),
    Column("site_to", String(32), primary_key=True),
    Column("status", String(16)),
    Column("created", SecondsType),
    Column("fsize", Integer),
)

transfer_protocols = Table(
    "transfer_protocols", _inventory, Column("id", Integer, primary_key=True), Column("protocol", String(32))
)

filename_mappings = Table(
    "filename_mappings",
    _inventory,
    Column("site_id", Integer),
    Column("protocol_id", Integer),
    Column("chain_id", Integer),
    Column("index", Integer),
    Column("lfn_pattern", NameType(512)),
    Column("pfn_pattern", NameType(512)),
)
"""As on the branch innodb; `schema.filename_mappings` is as on master."""
