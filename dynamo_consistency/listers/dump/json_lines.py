"""JSON lines: one object a line."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from dynamo_consistency import paths
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump.cells import Cells
from dynamo_consistency.listers.dump.columns import Layout
from dynamo_consistency.listers.dump.lines import line_batches
from dynamo_consistency.listers.dump.opening import opened

_Row = dict[str, Any]


def json_lines(layout: Layout) -> Iterator[Cells]:
    """The values of the wanted keys as they are written; null and a key that is lacking are empty cells.

    Without `columns` the first objects decide which of the usual keys there are; one that has others is unread.
    """
    keys: dict[str, str] = {}
    usual = () if layout.columns else (*layout.defaults, "kind")
    with opened(layout.url) as stream:
        for batch in line_batches(stream, layout.name, carriage_returns=True, json=True):
            lines = batch.to_pylist()
            rows = [_object(line) for line in lines]
            keys = keys or _keys(rows, lines[0], layout)
            later = [key for key in usual if key not in keys]
            yield _cells(lines, rows, keys, later)


def _keys(rows: Sequence[_Row | None], line: bytes, layout: Layout) -> dict[str, str]:
    """Meaning → key. Raises ListingError where the first objects have no path."""
    there = {key for row in rows if row for key in row}
    if not there:
        raise ListingError(f"the dump {layout.name} is not in JSON lines: {paths.to_text(line[:200])!r}")
    usual = {name: name for name in (*layout.defaults, "kind") if name in there}
    keys = {meaning: str(key) for meaning, key in (layout.columns or usual).items()}
    if keys.get("path") not in there:
        raise ListingError(
            f"the objects of the dump {layout.name} have no {keys.get('path', 'path')}, such as "
            f"{paths.to_text(line[:200])!r}; say in `columns` which key has the path"
        )
    return keys


def _cells(lines: list[bytes], rows: Sequence[_Row | None], keys: Mapping[str, str], later: Sequence[str]) -> Cells:
    read, unread = [], []
    for line, row in zip(lines, rows, strict=True):
        try:
            if row is None or any(key in row for key in later):
                raise ValueError("no object, or another one than before")
            read.append([_cell(row.get(key)) for key in keys.values()])
        except ValueError:
            unread.append(line)
    columns = {meaning: pa.array([row[at] for row in read], pa.large_binary()) for at, meaning in enumerate(keys)}
    return Cells(columns, unread)


def _object(line: bytes) -> _Row | None:
    """None for what is no object, or has a key twice: readers do not agree on which one counts."""
    try:
        row = json.loads(line.decode("utf-8", "surrogateescape"), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> _Row:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a key comes twice")
    return row


def _cell(value: Any) -> bytes:
    """ValueError for what is no text and no number, and for text that cannot be the bytes of a name."""
    if value is None:
        return b""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("neither text nor a number")
    return paths.to_bytes(str(value))
