"""The report that tells people which blocks, of which groups, the files of a list belong to."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from dynamo_consistency import paths
from dynamo_consistency.backend.dataset_filter import dataset_of
from dynamo_consistency.errors import ConfigurationError

UNSUBSCRIBED = "Unsubscribed"
UNKNOWN = "unknown"


class Block(NamedTuple):
    """A block and who owns its replica at the site."""

    dataset: str
    name: str
    group: str


def block_of(name: bytes, dataset: str | None = None, block: str | None = None, group: str | None = None) -> Block:
    """The block of a file as an inventory knows it; what it does not know is taken from the name."""
    return Block(dataset or dataset_of(paths.to_text(name)) or UNKNOWN, block or UNKNOWN, group or UNSUBSCRIBED)


def read_names(infile: str | Path) -> Iterator[bytes]:
    """The names in a list, one a line. Raises ConfigurationError when it cannot be read."""
    try:
        with Path(infile).open("rb") as file:
            for line in file:
                if name := line.rstrip(b"\n"):
                    yield name
    except OSError as error:
        raise ConfigurationError(f"{infile}: cannot be read: {error.strerror}") from None


def write_report(outfile: str | Path, counts: Mapping[Block, int]) -> None:
    """A line per block: number of files, group, dataset and block.

    Datasets with the most files come first; blocks are sorted by name. Raises ConfigurationError when it cannot be
    written.
    """
    totals: Counter[str] = Counter()
    for block, files in counts.items():
        totals[block.dataset] += files
    ordered = sorted(counts, key=lambda block: (-totals[block.dataset], block))
    lines = [f"{counts[block]:10d}    {block.group:<17}  {block.dataset}#{block.name}\n" for block in ordered]
    try:
        Path(outfile).write_bytes(paths.to_bytes("".join(lines)))
    except OSError as error:
        raise ConfigurationError(f"{outfile}: cannot be written: {error.strerror}") from None
