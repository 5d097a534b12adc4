"""One action of a site at a time, on whatever host: a file lock in a folder, a lease in an object store."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.action.journal import under_way
from dynamo_consistency.run.action.lease import Lease
from dynamo_consistency.run.store.opening import open_storage
from dynamo_consistency.run.store.run_directory import RunStore


class SiteLock(Protocol):
    """What is held while an action works."""

    def confirm(self) -> None:
        """Before each request. Raises ConsistencyError when another action has taken over."""
        ...


class _FileLock:
    """It dies with the process that holds it. Whoever removes its file lets another action have a lock beside it."""

    def __init__(self, path: Path, file: IO[str], site: str) -> None:
        self._path, self._file, self._site = path, file, site

    def confirm(self) -> None:
        try:
            is_ours = os.path.samestat(os.fstat(self._file.fileno()), self._path.stat())
        except OSError:
            is_ours = False
        if not is_ours:
            raise ConsistencyError(
                f"the lock {self._path} of this action was removed, so that another action of {self._site} may be "
                "under way; nothing more was requested by this one. Run it again afterwards"
            )


@contextlib.contextmanager
def site_lock(store: RunStore, site: str) -> Iterator[SiteLock]:
    """Hold the lock of `site`. Raises ConsistencyError at once when another action has it."""
    local = store.local_path()
    if local is None:
        lease = Lease(open_storage(f"{store.url.rstrip('/')}/{site}"), site)
        with lease.held():
            yield lease
    else:
        with _locked(local / site / ".action.lock", site) as lock:
            yield lock


@contextlib.contextmanager
def _locked(path: Path, site: str) -> Iterator[_FileLock]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    except OSError as error:
        raise ConsistencyError(
            f"the lock {path} of the actions of {site} cannot be used: {error.strerror}; nothing was requested"
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConsistencyError(under_way(site)) from None
        yield _FileLock(path, file, site)
