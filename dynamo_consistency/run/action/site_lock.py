"""One action of a site at a time: a lock that dies with the process that holds it."""

import contextlib
import fcntl
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.store.run_directory import RunStore


@contextlib.contextmanager
def site_lock(store: RunStore, site: str) -> Iterator[None]:
    """Hold the lock of `site`. Raises ConsistencyError at once when another process has it.

    With an object store, which has no such locks, it only excludes other processes of the same machine; in a cluster it
    is the name of the Job that allows one action of a run.
    """
    path = _path(store, site)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConsistencyError(
                f"another action of {site} is under way; nothing was requested by this one. Run it again afterwards"
            ) from None
        yield


def _path(store: RunStore, site: str) -> Path:
    local = store.local_path()
    if local is not None:
        return local / site / ".action.lock"
    name = hashlib.sha256(f"{store.url}/{site}".encode()).hexdigest()[:32]
    return Path(tempfile.gettempdir()) / f"dynamo-consistency-{name}.lock"
