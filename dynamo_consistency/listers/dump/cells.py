"""Some entries of a list, as they are written."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency.listers.dump.values import texts

FILE = (b"", b"-", b"f", b"file", b"regular", b"regular file")
DIRECTORY = (b"d", b"dir", b"directory")


@dataclass(frozen=True, slots=True)
class Cells:
    """Some lines of a dump. `columns`: meaning → array, bytes from text formats and typed from Parquet, all of one
    length. `unread`: the lines that do not have the columns."""

    columns: dict[str, pa.Array]
    unread: list[bytes]


def first_cells(cells: Cells, meaning: str, number: int) -> list[bytes | None]:
    """The first cells of a column of text."""
    column = cells.columns.get(meaning)
    return [] if column is None else texts(column[:number]).to_pylist()


def without_directories(cells: Cells) -> Cells:
    """The files among `cells`, by their column `kind`, where there is one. What is neither counts as unread."""
    if "kind" not in cells.columns:
        return cells
    columns = dict(cells.columns)
    kind = pc.ascii_lower(pc.fill_null(columns.pop("kind").cast(pa.large_binary()).cast(pa.large_string()), ""))
    is_file = pc.is_in(kind, pa.array([word.decode() for word in FILE], pa.large_string()))
    if pc.all(is_file).as_py():
        return Cells(columns, cells.unread)
    known = pc.is_in(kind, pa.array([word.decode() for word in FILE + DIRECTORY], pa.large_string()))
    odd = columns["path"].filter(pc.invert(known)).cast(pa.large_binary()).to_pylist()
    files = {meaning: column.filter(is_file) for meaning, column in columns.items()}
    return Cells(files, cells.unread + [path or b"" for path in odd])
