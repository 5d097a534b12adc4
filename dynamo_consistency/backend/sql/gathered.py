"""Long answers of SQLite as columns: it joins the values of thousands of rows itself, and gives them as one row.

So there is no object of Python for each value. Texts come behind one another, with their lengths; numbers as text.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, Connection, LargeBinary, Select, cast, func


def columns(
    connection: Connection, query: Select[Any], pieces: Iterable[ColumnElement[bool]]
) -> Iterator[list[pa.Array]]:
    """The columns of `query`, a text and then integers, none of them null, of each piece: a condition on its rows.

    The text comes as the bytes that are stored. A piece is held in memory as a whole. Raises what SQLAlchemy raises.
    """
    text, *numbers = query.selected_columns
    stored = cast(text, LargeBinary)
    values = [
        cast(func.group_concat(stored, ""), LargeBinary),
        *(func.group_concat(number) for number in (func.length(stored), *numbers)),
    ]
    joined = query.with_only_columns(*values, maintain_column_froms=True)
    for piece in pieces:
        data, *texts = connection.execute(joined.where(piece)).one()
        if data is not None:
            yield _taken_apart(data, [_numbers(text) for text in texts])


def _numbers(text: str) -> pa.Int64Array:
    return pc.split_pattern(pa.array([text]), ",").flatten().cast(pa.int64())


def _taken_apart(data: bytes, numbers: list[pa.Int64Array]) -> list[pa.Array]:
    """The text and all numbers but the first, which are its lengths. Raises ValueError where they do not fit."""
    lengths, *others = numbers
    if pc.sum(lengths).as_py() != len(data) or any(len(column) != len(lengths) for column in others):
        raise ValueError("a row without a value")  # a null is left out
    ends = pc.cumulative_sum(lengths).cast(pa.int32())
    bounds = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    buffers = [None, bounds.buffers()[1], pa.py_buffer(data)]
    return [pa.Array.from_buffers(pa.binary(), len(lengths), buffers), *others]
