"""One action of a site at a time, on whatever host: a file lock in a folder, a lease in an object store."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

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
    """It dies with the process that holds it, and cannot be lost before."""

    def confirm(self) -> None:
        return


@contextlib.contextmanager
def site_lock(store: RunStore, site: str) -> Iterator[SiteLock]:
    """Hold the lock of `site`. Raises ConsistencyError at once when another action has it."""
    local = store.local_path()
    if local is None:
        lease = Lease(open_storage(f"{store.url.rstrip('/')}/{site}"), site)
        with lease.held():
            yield lease
    else:
        with _locked(local / site / ".action.lock", site):
            yield _FileLock()


@contextlib.contextmanager
def _locked(path: Path, site: str) -> Iterator[None]:
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
        yield
