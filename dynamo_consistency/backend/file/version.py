"""What proves that an inventory dump has not changed: not only looks alike, so that nothing rests on guesses.

Only a local file proves it: by its inode and its change time, which nobody can set, and only if both its times are long
past. A file that was written just now may be written once more without a trace, in the same tick of its clock; a
server's ETag may be weak, and a copy of it old.
"""

import json
import os
import time
from importlib import metadata
from pathlib import Path

from dynamo_consistency.backend.file.options import InventorySource

SETTLED_SECONDS = 60


def is_local(source: InventorySource) -> bool:
    return all("::" not in url and "://" not in url.removeprefix("file://") for url in source.urls)


def version_of_files(site: str, source: InventorySource, urls: list[str]) -> str | None:
    """Equal for equal content of the local files `urls` that is read alike; None where nothing proves it."""
    states = [_state(Path(url.removeprefix("file://"))) for url in urls]
    if None in states:
        return None
    return json.dumps([metadata.version("dynamo-consistency"), site, source.model_dump(mode="json"), urls, states])


def _state(path: Path) -> list[int] | None:
    try:
        with path.open("rb") as file:  # a network file system is asked anew only when a file is opened
            status = os.fstat(file.fileno())
    except OSError:
        return None
    age = time.time() - max(status.st_mtime, status.st_ctime)
    if age < SETTLED_SECONDS:
        return None
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
