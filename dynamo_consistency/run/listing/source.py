"""What lists a site, opened: by the check itself, or by what its backend says."""

from typing import TYPE_CHECKING

from dynamo_consistency import paths
from dynamo_consistency.check import Listing, Source
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.listers.look import FileLook, FileStat, Look, NotThere, Unsure
from dynamo_consistency.listers.protocols import OpenSource, open_source
from dynamo_consistency.listers.threaded import in_time, simple_lister, simple_look

if TYPE_CHECKING:
    from dynamo_consistency.backend.contract import Backend


def source_of(listing: Listing, backend: "Backend | None", site: str) -> Source:
    """What lists the site by the check or else by the backend; without a protocol where only `get_listers` knows.

    Raises ConfigurationError where its rules do not say where the roots are.
    """
    source = listing.source
    if source is None and backend is not None:
        from dynamo_consistency.backend import optional_features

        source = optional_features.listing_source(backend, site)
    if source is not None and (problem := listing.misplaced(source)):
        raise ConfigurationError(f"the rules of what lists {site} do not suit the check: {problem}")
    return source or Source.model_construct()


def open_lister(listing: Listing, backend: "Backend | None", site: str) -> OpenSource:
    """What the check or the backend says lists the site. Raises ListingError."""
    opened = open_source(site, source_of(listing, backend, site), listing)
    if opened is not None:
        return opened
    if backend is None:
        raise ConfigurationError("the check names no listing.source and there is no backend that could")
    factory, arguments = backend.get_listers(site)
    name = getattr(factory, "__name__", type(factory).__name__)
    if isinstance(factory, type) and hasattr(factory, "submit") and len(arguments) == 1:  # one of ours, many at a time
        many = {"concurrency": listing.concurrency, "timeout": listing.directory_timeout_seconds}
        lister = factory(*arguments[0], **many)
        return OpenSource(lister, f"get_listers {name}", look=getattr(lister, "look", None))
    seconds = listing.directory_timeout_seconds
    lister = simple_lister(factory, arguments)
    look = simple_look(factory, arguments, seconds) or _exists(backend, seconds)
    return OpenSource(lister, f"get_listers {name}", look=look)


def _exists(backend: "Backend", seconds: float) -> FileLook | None:
    """Looks with the function `exists(path)` of a backend, which says nothing of size and time; None without one."""
    from dynamo_consistency.backend.contract import LookingBackend

    if not isinstance(backend, LookingBackend):
        return None
    exists = backend.exists

    def look(file: bytes) -> Look:
        answer = exists(paths.to_text(file))
        if answer is True:
            return FileStat(None, None)
        return NotThere() if answer is False else Unsure(f"exists says neither True nor False: {answer!r:.40}")

    return in_time(look, seconds)
