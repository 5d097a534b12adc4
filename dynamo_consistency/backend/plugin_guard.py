"""Foreign code behind the contract: whatever it raises becomes a BackendError, in one sentence and without a secret."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.errors import BackendError, ConfigurationError, ConsistencyError
from dynamo_consistency.secrets import redact

_HOLDERS = ("inventory", "registry", "siteinfo")
_REQUIRED = (
    "DatasetFilter",
    "check_site",
    "deletion_requests",
    "filelist_to_blocklist",
    "get_listers",
    "inventory.protected_datasets",
    "inventory.list_files",
    "registry.delete",
    "registry.transfer",
    "siteinfo.site_list",
    "siteinfo.ready_sites",
)
_OPTIONAL = (
    "describe",
    "exists",
    "listing_source",
    "inventory.stream",
    "inventory.look_up",
    "registry.sources",
    "registry.request_deletion",
    "registry.request_transfer",
    "registry.for_run",
    "registry.takes_directories",
    "registry.request_deletion_of_directories",
    "registry.follow",
    "registry.withdraw",
)


def guarded(backend: Any, name: str) -> Backend:
    """`backend` with those names of the contract that it has, and no others; messages call it `name`.

    Raises ConfigurationError when it lacks some of the eleven.
    """
    found = {dotted: _reach(backend, dotted) for dotted in (*_REQUIRED, *_OPTIONAL)}
    lacking = [dotted for dotted in _REQUIRED if not callable(found[dotted])]
    if lacking:
        raise ConfigurationError(f"the backend {name} lacks {', '.join(lacking)}")
    guard = SimpleNamespace(__name__=name, **{holder: SimpleNamespace() for holder in _HOLDERS})
    for dotted, function in found.items():
        holder, _, attribute = dotted.rpartition(".")
        if callable(function):
            setattr(getattr(guard, holder) if holder else guard, attribute, _calling(function, dotted, name))
    return cast(Backend, guard)


def _reach(thing: Any, dotted: str) -> Any:
    for name in dotted.split("."):
        thing = getattr(thing, name, None)
    return thing


def _calling(function: Callable[..., Any], dotted: str, name: str) -> Callable[..., Any]:
    @functools.wraps(function, updated=())
    def call(*arguments: Any, **options: Any) -> Any:
        with _as_backend_error(dotted, name):
            result = function(*arguments, **options)
        return _iterating(result, dotted, name) if isinstance(result, Iterator) else result

    return call


def _iterating(result: Iterator[Any], dotted: str, name: str) -> Iterator[Any]:
    """What a generator raises in the middle, too: its answer must not look complete."""
    with _as_backend_error(dotted, name):
        yield from result


@contextlib.contextmanager
def _as_backend_error(dotted: str, name: str) -> Iterator[None]:
    try:
        yield
    except ConsistencyError:
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise BackendError(redact(f"{dotted} of the backend {name} failed: {reason}")) from error
