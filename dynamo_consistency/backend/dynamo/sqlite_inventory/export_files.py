"""The files of a site as a list that `import_files` reads."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dynamo_consistency.backend.dynamo.database.connection import Databases, reading
from dynamo_consistency.backend.dynamo.database.schema_version import Generation
from dynamo_consistency.backend.dynamo.inventory import BATCH_ROWS, claimed, contents
from dynamo_consistency.backend.dynamo.sites import site_id
from dynamo_consistency.backend.dynamo.sqlite_inventory.filelist import HEADER, FileRecord, create_list, format_line
from dynamo_consistency.backend.sql.reading import partitions
from dynamo_consistency.errors import ConfigurationError

STDOUT = "-"


def export_files(databases: Databases, generation: Generation, site: str, path: str | Path) -> int:
    """Write the list of `site`, packed when its name ends in `.gz`; returns the number of files. `-` is stdout.

    The file appears when it is complete. Raises ConfigurationError when it cannot be written, and BackendError.
    """
    if str(path) == STDOUT:
        return _write(sys.stdout.buffer, databases, generation, site)
    target = Path(path)
    scratch = target.with_name(f".tmp-{target.name}")
    try:
        with create_list(scratch) as file:
            number = _write(file, databases, generation, site)
        scratch.replace(target)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        scratch.unlink(missing_ok=True)
    return number


def _write(file: BinaryIO, databases: Databases, generation: Generation, site: str) -> int:
    number = 0
    file.write(HEADER)
    for line in export_lines(databases, generation, site):
        file.write(line)
        number += 1
    return number


def export_lines(databases: Databases, generation: Generation, site: str) -> Iterator[bytes]:
    """The lines of the list, without its header. Raises BackendError."""
    with reading(databases.inventory) as connection:
        query = contents(site_id(connection, site), claimed(generation))
        for rows in partitions(connection, query, BATCH_ROWS):
            for name, size, time, complete, dataset, block, group in rows:
                yield format_line(FileRecord(name, size, dataset, block, group, bool(complete), time or 0))
