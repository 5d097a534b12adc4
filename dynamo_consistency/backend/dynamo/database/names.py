"""Names of datasets, blocks and files between the database, where they are bytes, and people."""

from collections.abc import Iterable, Iterator

from dynamo_consistency.backend.dynamo.database.schema import NAME_LIMIT
from dynamo_consistency.backend.sql.reading import chunks


def label(raw: bytes | None) -> str | None:
    """The name of a dataset or block as text; an empty one, as a list without datasets leaves it, says nothing."""
    if not raw:
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def storable(name: bytes) -> bool:
    """Can a file of this name be in the database at all?"""
    return len(name) <= NAME_LIMIT


def look_ups(names: Iterable[bytes]) -> Iterator[list[bytes]]:
    """`names` in chunks for one query each, without those that the database cannot hold: they are never sent there."""
    return chunks(name for name in names if storable(name))
