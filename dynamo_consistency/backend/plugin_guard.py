"""Foreign code behind the contract: whatever it raises becomes a BackendError, in one sentence and without a secret.

So does an answer of another form than the contract's (see `plugin_answers`). How long an answer takes is not bounded
here: reading an inventory may take hours. A Job has a deadline, and a person Ctrl-C.
"""

import contextlib
import functools
import logging
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any, cast

from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.backend.plugin_answers import checked
from dynamo_consistency.errors import BackendError, ConfigurationError, ConsistencyError
from dynamo_consistency.secrets import redact

log = logging.getLogger(__name__)

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
    "inventory.content_version",
    "registry.sources",
    "registry.request_deletion",
    "registry.request_transfer",
    "registry.for_run",
    "registry.takes_directories",
    "registry.request_deletion_of_directories",
    "registry.follow",
    "registry.withdraw",
)
_PLAIN_REQUESTS: dict[str, Callable[[int], Any]] = {
    "registry.delete": lambda files: files,
    "registry.transfer": lambda files: ([], []),
}
"""What None is taken for after a request was made: it may have arrived, so that all the files count as requested."""
_OF_FILTER = ("protected", "protected_among")


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
            asked = _requesting(function, dotted, name) if dotted in _PLAIN_REQUESTS else function
            setattr(getattr(guard, holder) if holder else guard, attribute, _calling(asked, dotted, name))
    return cast(Backend, guard)


def _reach(thing: Any, dotted: str) -> Any:
    for name in dotted.split("."):
        thing = getattr(thing, name, None)
    return thing


def _calling(function: Callable[..., Any], dotted: str, name: str) -> Callable[..., Any]:
    @functools.wraps(function, updated=())
    def call(*arguments: Any, **options: Any) -> Any:
        with _as_backend_error(dotted, name):
            result = _checked(function(*arguments, **options), dotted, name)
        if dotted == "DatasetFilter":
            return _guarded_filter(result, name)
        return _iterating(result, dotted, name) if isinstance(result, Iterator) else result

    return call


def _requesting(function: Callable[..., Any], dotted: str, name: str) -> Callable[..., Any]:
    @functools.wraps(function, updated=())
    def call(site: str, files: Iterable[str]) -> Any:
        listed = list(files)
        answer = function(site, listed)
        if answer is not None:
            return answer
        log.warning("the backend %s returned None from %s; what it was given counts as requested", name, dotted)
        return _PLAIN_REQUESTS[dotted](len(listed))

    return call


def _checked(answer: Any, dotted: str, name: str) -> Any:
    try:
        return checked(answer, dotted)
    except ValueError as error:
        raise BackendError(redact(f"the backend {name} {error}")) from None


def _guarded_filter(answer: Any, name: str) -> SimpleNamespace:
    """The filter with those of its names that the engine uses."""
    found = {attribute: getattr(answer, attribute, None) for attribute in _OF_FILTER}
    return SimpleNamespace(
        **{
            attribute: _calling(function, f"DatasetFilter.{attribute}", name)
            for attribute, function in found.items()
            if callable(function)
        }
    )


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
