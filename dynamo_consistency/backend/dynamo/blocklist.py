"""The report that tells people which blocks, of which groups, a list of files belongs to."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, and_, select

from dynamo_consistency.backend.blocks import UNKNOWN, UNSUBSCRIBED, Block, block_of, read_names, write_report
from dynamo_consistency.backend.dynamo.database.connection import Databases, reading
from dynamo_consistency.backend.dynamo.database.names import label, look_ups
from dynamo_consistency.backend.dynamo.database.schema import block_replicas, blocks, datasets, files, groups
from dynamo_consistency.backend.dynamo.sites import site_id
from dynamo_consistency.backend.sql.reading import chunks


def write_blocklist(databases: Databases, site: str, infile: str | Path, outfile: str | Path) -> None:
    """Summarise `infile`, one LFN a line: a line per block with the number of files, group, dataset and block.

    Datasets with the most files come first; blocks are sorted by name. A name that the inventory has forgotten counts
    for the dataset that its name says. Raises BackendError, and ConfigurationError for a file that cannot be read or
    written.
    """
    counts: Counter[Block] = Counter()
    with reading(databases.inventory) as connection:
        number = site_id(connection, site)
        for chunk in chunks(read_names(infile)):
            known = {name: block for names in look_ups(chunk) for name, block in _blocks(connection, number, names)}
            counts.update(known.get(name) or block_of(name) for name in chunk)
    write_report(outfile, counts)


def _blocks(connection: Connection, number: int, names: list[bytes]) -> Iterator[tuple[bytes, Block]]:
    """The block of each file that the inventory knows.

    The database compares without spaces at the end; the dictionary, by the bytes that are stored, does not.
    """
    query = (
        select(files.c.name, datasets.c.name, blocks.c.name, groups.c.name)
        .join(blocks, blocks.c.id == files.c.block_id)
        .join(datasets, datasets.c.id == blocks.c.dataset_id)
        .outerjoin(
            block_replicas,
            and_(block_replicas.c.block_id == blocks.c.id, block_replicas.c.site_id == number),
        )
        .outerjoin(groups, groups.c.id == block_replicas.c.group_id)
        .where(files.c.name.in_(names))
    )
    for name, dataset, block, group in connection.execute(query):
        yield name, Block(label(dataset) or UNKNOWN, label(block) or UNKNOWN, group or UNSUBSCRIBED)
