"""Snapshots and listing as the comparison reads them: each row with the key of its path and the number of its root."""

import duckdb
import pyarrow.parquet as pq

from dynamo_consistency.run.database import create_input, literal
from dynamo_consistency.run.keys import KEY, ROOT
from dynamo_consistency.run.listing.listing_view import create_listing

_ROOT_BY_PATH = "CASE WHEN takes_part(path) THEN root_number(path) END"
_BY_PATH = f"CASE WHEN takes_part(path) THEN hash(path) END AS {KEY.name}, {_ROOT_BY_PATH} AS {ROOT.name}"


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
    keyed = all({KEY.name, ROOT.name} <= names for names in columns.values())
    for snapshot, file in snapshots.items():
        create_input(database, f"inventory_{snapshot}", _rows(file, columns[file], keyed=keyed), [file])
    counted = all("files" in columns[file] for file in shards.values())
    own = ", key, root" if keyed else f", {_BY_PATH}"
    create_listing(database, shards, elsewhere, own + (", files" if counted else ", NULL::BIGINT AS files"))
    return sum(footer.num_rows for footer in footers.values())


def _rows(file: str, columns: set[str], *, keyed: bool) -> str:
    if keyed:
        return f"FROM read_parquet({literal(file)})"
    ours = ", ".join(sorted({KEY.name, ROOT.name} & columns))
    return f"SELECT *{f' EXCLUDE ({ours})' if ours else ''}, {_BY_PATH} FROM read_parquet({literal(file)})"
