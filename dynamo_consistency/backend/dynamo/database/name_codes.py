"""In which code a database has its names. Dynamo's tables are in latin1, but a server's owner may convert them.

A name that is sent in another code than that of its column is not found, and would look like one that nobody claims.
"""

from sqlalchemy import Connection, MetaData, column, func, select, table

from dynamo_consistency.backend.dynamo.database.column_types import NameCode, NameType

_CATALOGUE = table(
    "columns",
    *map(column, ("table_name", "column_name", "character_set_name", "table_schema")),
    schema="information_schema",
)


def send_names_in_their_code(connection: Connection, tables: MetaData) -> None:
    """Have all connections to this database send names in the code of its columns; see `NameType`."""
    if connection.dialect.name != "mysql":
        return
    names = {
        (each.name, part.name) for each in tables.tables.values() for part in each.c if isinstance(part.type, NameType)
    }
    there = select(_CATALOGUE.c.table_name, _CATALOGUE.c.column_name, _CATALOGUE.c.character_set_name).where(
        _CATALOGUE.c.table_schema == func.database(), _CATALOGUE.c.table_name.in_(sorted({each for each, _ in names}))
    )
    codes = {code for each, part, code in connection.execute(there) if (each, part) in names}
    NameCode.of(connection.dialect).learn(codes)
