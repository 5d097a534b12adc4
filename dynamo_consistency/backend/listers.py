"""`get_listers` for backends whose entry says what lists a site in the words of a check's `listing.source`."""

from typing import Any

from dynamo_consistency.backend.contract import ListerFactory
from dynamo_consistency.check import Source
from dynamo_consistency.errors import BackendError


def listers_of(site: str, source: Source | None) -> tuple[ListerFactory, list[tuple[Any, ...]]]:
    """(constructor, argument tuples), for a prompt or a script: the engine takes `source` itself.

    Raises BackendError when there is no source.
    """
    if source is None:
        raise BackendError(
            f"nothing says how {site} is listed; name it in the backend's entry in backends.yaml, in the words of "
            "listing.source, or give the check a listing.source"
        )
    if source.posix is not None:
        from dynamo_consistency.listers.posix import PosixLister

        return PosixLister, [(source.posix.prefix,)]
    if source.xrootd is not None:
        from dynamo_consistency.listers.xrootd import XRootDLister

        return XRootDLister, [(tuple(source.xrootd.servers), source.xrootd.prefix)]
    if source.webdav is not None:
        from dynamo_consistency.listers.webdav import WebDavLister

        return WebDavLister, [(tuple(source.webdav.servers), source.webdav.prefix)]
    if source.s3 is not None:
        from dynamo_consistency.listers.s3 import S3Lister

        return S3Lister, [(source.s3.url, source.s3.endpoint)]
    if source.gfal is not None:
        from dynamo_consistency.listers.gfal import GfalLister

        return GfalLister, [(source.gfal.url,)]
    from dynamo_consistency.listers.dump import DumpLister

    return DumpLister, [(source.dump,)]
