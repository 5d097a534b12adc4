"""A stream of bytes as batches of lines. A line ends with a newline and with nothing else."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dynamo_consistency.errors import ListingError

_BLOCK = 2 << 20
_LONGEST_LINE = 1 << 20


def line_batches(stream: Any, name: str) -> Iterator[pa.Array]:
    """The lines of `stream`, without their newlines, as arrays of bytes (`large_binary`); memory is bounded by a block.

    `name` is the dump for messages. Raises ListingError when the last line has no newline, as that of a file that was
    cut short, and for a line of more than 1 MiB.
    """
    rest = b""
    first = True
    while block := stream.read(_BLOCK):
        complete, newline, rest_of_block = bytes(block).rpartition(b"\n")
        if not newline:
            rest += rest_of_block
        else:
            lines = pc.split_pattern(pa.array([rest + complete], pa.large_binary()), b"\n").flatten()
            if first:
                _refuse_windows_line_ends(lines[0].as_py(), name)
            first, rest = False, rest_of_block
            yield lines
        if len(rest) > _LONGEST_LINE:
            raise ListingError(
                f"the dump {name} has a line of more than 1 MiB; it is no list of files, or not in this format"
            )
    if rest:
        raise ListingError(
            f"the last line of the dump {name} has no line end: the dump was cut short; "
            "fetch it again (and if it is whole, have its writer end the last line)"
        )


def _refuse_windows_line_ends(line: bytes, name: str) -> None:
    if line.endswith(b"\r"):
        raise ListingError(f"the dump {name} has Windows line ends (CR LF); convert it, for instance with dos2unix")
