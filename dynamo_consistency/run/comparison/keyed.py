"""Snapshots and listing as the comparison reads them: each row with the key of its path and its root's number."""

import duckdb
import pyarrow.parquet as pq

from dynamo_consistency.run.database import create_input, literal
from dynamo_consistency.run.keys import KEY, KEY_COLUMNS, ROOT, TAIL
from dynamo_consistency.run.listing.listing_view import create_listing

_ROOT_BY_PATH = "CASE WHEN takes_part(path) THEN root_number(path) END"
_TAIL_BY_PATH = r"(hash('\x2F'::BLOB || path) >> 32)::UINTEGER"
_BY_PATH = f"""
    CASE WHEN takes_part(path) THEN hash(path) END AS {KEY.name}, {_TAIL_BY_PATH} AS {TAIL.name},
    {_ROOT_BY_PATH} AS {ROOT.name}"""
_COLUMNS = [field.name for field in KEY_COLUMNS]


def create_keyed(
    database: duckdb.DuckDBPyConnection, snapshots: dict[str, str], shards: dict[int, str], elsewhere: list[str]
) -> int:
    """Create `inventory_<snapshot>`s, `listing` and what `create_listing` makes with it; returns the number of rows.

    Runs of former versions have files without keys. A key of theirs is of another kind, so where one file has none, all
    get their keys from their paths. Needs the macros of `create_scope`.
    """
    files = [*snapshots.values(), *shards.values()]
    footers = {file: pq.read_metadata(file) for file in files}
    columns = {file: set(footer.schema.names) for file, footer in footers.items()}
    keyed = all(names.issuperset(_COLUMNS) for names in columns.values())
    for snapshot, file in snapshots.items():
        create_input(database, f"inventory_{snapshot}", _rows(file, columns[file], keyed=keyed), [file])
    counted = all("files" in columns[file] for file in shards.values())
    own = ", " + (", ".join(_COLUMNS) if keyed else _BY_PATH)
    create_listing(database, shards, elsewhere, own + (", files" if counted else ", NULL::BIGINT AS files"))
    return sum(footer.num_rows for footer in footers.values())


def _rows(file: str, columns: set[str], *, keyed: bool) -> str:
    if keyed:
        return f"FROM read_parquet({literal(file)})"
    ours = ", ".join(sorted(columns.intersection(_COLUMNS)))
    return f"SELECT *{f' EXCLUDE ({ours})' if ours else ''}, {_BY_PATH} FROM read_parquet({literal(file)})"
