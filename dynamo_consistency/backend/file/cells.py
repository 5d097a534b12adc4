"""Where the columns of an inventory dump are, and its rows as they are written.

The formats of a site's own dumps are read by the dump lister's readers; two more are the inventory's alone.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency.backend.file.options import InventorySource, Meaning
from dynamo_consistency.listers.dump.cells import Cells
from dynamo_consistency.listers.dump.columns import Layout
from dynamo_consistency.listers.dump.formats import read_cells
from dynamo_consistency.listers.dump.lines import line_batches
from dynamo_consistency.listers.dump.opening import opened

ORDER = ("path", "size", "dataset", "block", "group", "complete", "time")
"""Columns of text formats where the entry names none: the order of `inventory export`; the last ones may lack."""

RUCIO = {
    meaning: number
    for number, meaning in enumerate(
        ("rse", "scope", "name", "checksum", "size", "created", "path", "time", "state"), start=1
    )
}

OURS = {"mtime": "time"}
"""What the formats of a site's dump call otherwise."""

_PADDING = b"\t" * (len(ORDER) - 1)
_ESCAPES = {b"\\t": b"\t", b"\\n": b"\n", b"\\r": b"\r", b"\\\\": b"\\"}


def read(source: InventorySource, layout: Layout) -> Iterator[Cells]:
    """A part of the dump in batches. Raises ListingError when it cannot be read to its end."""
    for some in read_cells(layout, _exported if source.format == "list" else None):
        columns = {OURS.get(meaning, meaning): column for meaning, column in some.columns.items()}
        yield Cells(columns, some.unread)


def layout_of(source: InventorySource, url: str, name: str) -> Layout:
    """How the part of the dump at `url` is laid out."""
    if source.format == "rucio":
        return replace(Layout.of(source, url, name), format="tsv", columns=RUCIO)
    typed = source.format in ("parquet", "jsonl")
    return Layout.of(source, url, name, get_args(Meaning) if typed else ORDER)


def _exported(layout: Layout) -> Iterator[Cells]:
    """What `inventory export` writes: tabs between columns, escaped names, comments."""
    with opened(layout.url) as stream:
        for lines in line_batches(stream, layout.name, carriage_returns=layout.trim):
            rows = lines.filter(pc.invert(pc.match_substring_regex(lines, r"^(#|\z)"))).cast(pa.binary())
            padded = pc.split_pattern(pc.binary_join_element_wise(rows, _PADDING, b""), b"\t")
            fits = pc.less_equal(pc.list_value_length(padded), len(ORDER) + len(_PADDING))
            cells = padded.filter(fits)
            columns = {meaning: _unescaped(pc.list_element(cells, index)) for index, meaning in enumerate(ORDER)}
            yield Cells(columns, rows.filter(pc.invert(fits)).to_pylist())


def _unescaped(column: pa.Array) -> pa.Array:
    """Only the few columns that have a backslash are looked at cell by cell."""
    if not pc.any(pc.match_substring(column, b"\\")).as_py():
        return column
    unescaped = [re.sub(rb"\\[\\tnr]", lambda match: _ESCAPES[match[0]], cell) for cell in column.to_pylist()]
    return pa.array(unescaped, column.type)
