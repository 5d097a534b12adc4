"""JSON lines: one object a line."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from dynamo_consistency import paths
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump.cells import Cells
from dynamo_consistency.listers.dump.columns import Layout
from dynamo_consistency.listers.dump.lines import line_batches
from dynamo_consistency.listers.dump.opening import opened


def json_lines(layout: Layout) -> Iterator[Cells]:
    """The values of the wanted keys as they are written; null and a key that is lacking are empty cells."""
    keys = {meaning: str(key) for meaning, key in (layout.columns or {name: name for name in layout.defaults}).items()}
    keys = {"path": keys["path"]} | keys | {"kind": keys.get("kind", "kind")}
    with opened(layout.url) as stream:
        for number, lines in enumerate(_decoded(stream, layout)):
            rows = [(line, _cells_of(line, keys)) for line in lines]
            read = [row for _, row in rows if row is not None]
            unread = [line for line, row in rows if row is None]
            if not number and not read:
                raise ListingError(f"the dump {layout.name} is not in JSON lines: {paths.to_text(unread[0][:200])!r}")
            if not number and not any(row[0] for row in read):
                raise ListingError(
                    f"the objects of the dump {layout.name} have no {keys['path']}, such as "
                    f"{paths.to_text(lines[0][:200])!r}; say in `columns` which key has the path"
                )
            columns = {
                meaning: pa.array([row[place] for row in read], pa.large_binary()) for place, meaning in enumerate(keys)
            }
            yield Cells(columns, unread)


def _decoded(stream: Any, layout: Layout) -> Iterator[list[bytes]]:
    for batch in line_batches(stream, layout.name, carriage_returns=True, json=True):
        yield batch.to_pylist()


def _cells_of(line: bytes, keys: Mapping[str, str]) -> list[bytes] | None:
    """One cell for each key; None for what is no object, or has something else than text and numbers there."""
    try:
        row = json.loads(line.decode("utf-8", "surrogateescape"), object_pairs_hook=_once)
        return [_cell(row.get(key)) for key in keys.values()] if isinstance(row, dict) else None
    except (ValueError, RecursionError):
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; ValueError where a key comes twice, since readers do not agree on which one counts."""
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
