"""Lists with a separator between their columns, and without quotes."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from dynamo_consistency.columns import joined
from dynamo_consistency.listers.dump.cells import Cells
from dynamo_consistency.listers.dump.columns import Layout
from dynamo_consistency.listers.dump.lines import as_lines, entry_blocks, trimmed

_MARK = b"\xef\xbb\xbf"


def separated(layout: Layout) -> Iterator[Cells]:
    """The first line decides how many columns there are; there is no quoting."""
    head: list[bytes] = []
    for block in entry_blocks(layout):
        body: bytes | None = block
        if not head:
            first, newline, rest = block.partition(b"\n")
            head = [cell.strip() if layout.trim else cell for cell in first.split(layout.delimiter)]
            positions = layout.positions(head)
            if layout.has_header:
                body = rest if newline else None
        yield _trimmed(_cells(body, layout, len(head), positions), layout)


def _cells(block: bytes | None, layout: Layout, width: int, positions: dict[str, int]) -> Cells:
    """`block`: lines; None: none at all."""
    parsed = _parsed(block, layout.delimiter, width, positions) if block else None
    if parsed is not None:
        return Cells(parsed, [])
    lines = as_lines(b"")[:0] if block is None else as_lines(block)
    return _split(lines, layout.delimiter, width, positions)


def _parsed(block: bytes, delimiter: bytes, width: int, positions: dict[str, int]) -> dict[str, pa.Array] | None:
    """The columns by Arrow's reader of CSV, four times as fast as splitting.

    None where it would read something else than is written (it also ends lines at a CR, fills up empty lines, and drops
    a byte order mark), and where a line has not as many columns as the first. All columns are read, so that it can be
    seen that each byte of the block is in a cell or ends one.
    """
    if b"\r" in block or block.startswith(_MARK) or len(delimiter) != 1 or not delimiter.isascii():
        return None
    names = [str(index) for index in range(width)]
    try:
        table = csv.read_csv(
            pa.BufferReader(block),
            csv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=names),
            csv.ParseOptions(
                delimiter=delimiter.decode(), quote_char=False, double_quote=False, ignore_empty_lines=False
            ),
            csv.ConvertOptions(check_utf8=False, column_types=dict.fromkeys(names, pa.binary())),
        )
    except pa.ArrowInvalid:
        return None
    cells = [column.chunk(0) for column in table.columns]  # one block, and so one chunk
    texts = list(map(joined, cells))
    if sum(map(len, texts)) + width * len(cells[0]) != len(block) + 1 or any(b"\n" in text for text in texts):
        return None
    columns = {meaning: cells[index] for meaning, index in positions.items()}
    # An empty line has an empty path. To look for its two line ends would take as long as the reading.
    return None if pc.min(pc.binary_length(columns["path"])).as_py() == 0 else columns


def _split(lines: pa.Array, delimiter: bytes, width: int, positions: dict[str, int]) -> Cells:
    cells = pc.split_pattern(lines, delimiter)
    complete = pc.equal(pc.list_value_length(cells), width)
    unread = lines.filter(pc.invert(complete)).to_pylist()
    cells = cells.filter(complete) if unread else cells
    return Cells({meaning: pc.list_element(cells, index) for meaning, index in positions.items()}, unread)


def _trimmed(cells: Cells, layout: Layout) -> Cells:
    if not layout.trim:
        return cells
    return Cells({meaning: trimmed(column) for meaning, column in cells.columns.items()}, cells.unread)
