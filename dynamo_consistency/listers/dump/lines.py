"""A stream of bytes as batches of lines. A line ends with a newline and with nothing else."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.dump.columns import Layout
from dynamo_consistency.listers.dump.opening import opened
from dynamo_consistency.listers.dump.text import TextStream
from dynamo_consistency.listers.dump.values import AROUND

_BLOCK = 4 << 20
_LONGEST_LINE = 1 << 20


def line_batches(stream: Any, name: str, *, carriage_returns: bool = False, json: bool = False) -> Iterator[pa.Array]:
    """The lines of `stream`, without newlines, as arrays of bytes (`large_binary`); read as by `line_blocks`."""
    for block in line_blocks(stream, name, carriage_returns=carriage_returns, json=json):
        yield as_lines(block)


def as_lines(block: bytes) -> pa.Array:
    """The lines of a block: at least one, which may be empty."""
    return pc.split_pattern(pa.array([block], pa.large_binary()), b"\n").flatten()


def line_blocks(stream: Any, name: str, *, carriage_returns: bool = False, json: bool = False) -> Iterator[bytes]:
    """Some lines of `stream` at a time, with newlines between them; memory is bounded by a block.

    `name` is the dump for messages. Raises ListingError as `TextStream` does, for a line of more than 1 MiB, and for
    one that ends with CR LF unless `carriage_returns`: nobody can say whether the CR belongs to a name. `json`: the
    lines are JSON.
    """
    rest = b""
    text = TextStream(stream, name, json=json)
    while block := text.read(_BLOCK):
        end = block.rfind(b"\n")
        if end < 0:
            rest += block
        else:
            lines = b"".join((rest, memoryview(block)[:end]))
            # one byte is looked for much faster than two
            if not carriage_returns and b"\r" in lines and (b"\r\n" in lines or lines.endswith(b"\r")):
                raise ListingError(
                    f"the dump {name} has Windows line ends (CR LF); set trim: true, or convert it, for instance with "
                    "dos2unix"
                )
            rest = block[end + 1 :]
            yield lines
        if len(rest) > _LONGEST_LINE:
            raise ListingError(
                f"the dump {name} has a line of more than 1 MiB; it is no list of files, or not in this format"
            )


def entry_blocks(layout: Layout) -> Iterator[bytes]:
    """The lines of `entry_batches`, with newlines between them."""
    if layout.skip_lines or layout.comment:
        for lines in entry_batches(layout):
            yield b"\n".join(lines.to_pylist())
        return
    with opened(layout.url) as stream:
        yield from line_blocks(stream, layout.name, carriage_returns=layout.trim)


def entry_batches(layout: Layout) -> Iterator[pa.Array]:
    """The lines of a list, as `line_batches`, without those that its layout calls no entries."""
    to_skip = layout.skip_lines
    with opened(layout.url) as stream:
        for batch in line_batches(stream, layout.name, carriage_returns=layout.trim):
            lines = batch[to_skip:]
            to_skip -= len(batch) - len(lines)
            if layout.comment:
                lines = lines.filter(pc.invert(pc.starts_with(lines, layout.comment)))
            if len(lines):
                yield lines


def trimmed(cells: pa.Array) -> pa.Array:
    """Cells without blanks around them."""
    return pc.replace_substring_regex(cells, AROUND, "")
