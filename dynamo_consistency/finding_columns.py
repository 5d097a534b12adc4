"""The columns of a findings file, the same for every kind: `findings/*.parquet` of a run directory.

Further columns, which the inventory's backend gives, follow them. `docs/reference/run-directory.md` shows this table.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Column:
    """A column. `of_inventory`: an inventory has it as well."""

    name: str
    type: Literal["BLOB", "BIGINT", "VARCHAR"]
    unit: str
    meaning: str
    of_inventory: bool = False


COLUMNS = (
    Column("path", "BLOB", "LFN", "normalised, its bytes as they are", of_inventory=True),
    Column("size", "BIGINT", "bytes", "in the inventory", of_inventory=True),
    Column("site_size", "BIGINT", "bytes", "at the site"),
    Column("mtime", "BIGINT", "seconds since 1970", "last change at the site"),
    Column("dataset", "VARCHAR", "name", "in the inventory", of_inventory=True),
    Column("block", "VARCHAR", "name", "in the inventory", of_inventory=True),
    Column("group", "VARCHAR", "name", "that owns the block, in the inventory", of_inventory=True),
    Column("root", "VARCHAR", "LFN", "the root of the check that the path is below"),
    Column(
        "mark",
        "VARCHAR",
        "word",
        "why it is not acted on like others: `renamed` (it is at the other side under another spelling of its name), "
        "`other-name` (another name at the site leads to the same file), `empty-directory` (missing from a directory "
        "that was listed without any entry)",
    ),
)
UNMERGED_TYPE = Column("type", "VARCHAR", "word", "of `unmerged` only: `file`, `log` or `directory`")


def select_list(**values: str) -> str:
    """`COLUMNS` as a SQL select list: by column the expression that gives it, NULL for what is not named.

    Raises ValueError for a name that is no column.
    """
    names = [column.name for column in COLUMNS]
    if unknown := sorted(values.keys() - set(names)):
        raise ValueError(f"findings have no column {', '.join(unknown)}")
    return ", ".join(f'{values.get(column.name, f"NULL::{column.type}")} AS "{column.name}"' for column in COLUMNS)
