"""The XRootD protocol, spoken by this package itself: many questions in flight on a few connections, one thread."""

from dynamo_consistency.listers.xrootd.wire.client import WireClient

__all__ = ["WireClient"]
