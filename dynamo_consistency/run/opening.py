"""What lists a site, opened: by the check itself, or by what its backend says."""

from typing import TYPE_CHECKING, NamedTuple

from dynamo_consistency.check import Listing, Source
from dynamo_consistency.errors import ConfigurationError, ListingError
from dynamo_consistency.listers.contract import Lister, Remover

if TYPE_CHECKING:
    from dynamo_consistency.backend.contract import Backend

POSIX_THREADS = 8


class OpenSource(NamedTuple):
    """A lister, what it lists in a few words, and what removes empty directories there if its protocol can."""

    lister: Lister
    description: str
    remove_directory: Remover | None = None


def source_of(listing: Listing, backend: "Backend | None", site: str) -> Source:
    """What lists the site by the check or else by the backend; without a protocol where only `get_listers` tells."""
    source = listing.source
    if source is None and backend is not None:
        from dynamo_consistency.backend import optional_features

        source = optional_features.listing_source(backend, site)
    return source or Source.model_construct()


def open_lister(listing: Listing, backend: "Backend | None", site: str) -> OpenSource:
    """What the check or the backend says lists the site. Raises ListingError."""
    from dynamo_consistency.listers.threaded import simple_lister

    source = source_of(listing, backend, site)
    if source.dump is not None:
        raise ListingError(f"{site} is listed from a dump, and no directory or file can be looked at in that again")
    opened = _of_protocol(source, listing)
    if opened is not None:
        return opened
    if backend is None:
        raise ConfigurationError("the check names no listing.source and there is no backend that could")
    factory, arguments = backend.get_listers(site)
    name = getattr(factory, "__name__", type(factory).__name__)
    if isinstance(factory, type) and hasattr(factory, "submit") and len(arguments) == 1:  # one of ours, many at a time
        return OpenSource(factory(*arguments[0], **_many(listing)), f"get_listers {name}")
    return OpenSource(simple_lister(factory, arguments), f"get_listers {name}")


def _of_protocol(source: Source, listing: Listing) -> OpenSource | None:
    """What lists a site over one of the protocols; None where `source` names none."""
    if source.posix is not None:
        from dynamo_consistency.listers.posix import PosixLister
        from dynamo_consistency.listers.threaded import ThreadedLister

        posix = PosixLister(source.posix.prefix)
        lister = ThreadedLister([lambda: posix.answer] * min(POSIX_THREADS, listing.concurrency))
        return OpenSource(lister, f"posix {source.posix.prefix}", posix.remove_directory)
    if source.xrootd is not None:
        from dynamo_consistency.listers.xrootd import XRootDLister

        servers, many = source.xrootd.servers, _many(listing)
        xrootd = XRootDLister(servers, source.xrootd.prefix, **many)
        return OpenSource(xrootd, f"xrootd {' '.join(servers)}", xrootd.remove_directory)
    if source.webdav is not None:
        from dynamo_consistency.listers.webdav import WebDavLister

        servers = source.webdav.servers
        webdav = WebDavLister(servers, source.webdav.prefix, **_many(listing))
        return OpenSource(webdav, f"webdav {' '.join(servers)}")
    if source.s3 is not None:
        from dynamo_consistency.listers.s3 import S3Lister

        return OpenSource(S3Lister(source.s3.url, source.s3.endpoint, **_many(listing)), f"s3 {source.s3.url}")
    if source.gfal is not None:
        from dynamo_consistency.listers.gfal import GfalLister

        gfal = GfalLister(source.gfal.url, **_many(listing))
        return OpenSource(gfal, f"gfal {source.gfal.url}", gfal.remove_directory)
    return None


def _many(listing: Listing) -> dict[str, int]:
    """What a lister that keeps many requests in flight wants to know."""
    return {"concurrency": listing.concurrency, "timeout": listing.directory_timeout_seconds}
