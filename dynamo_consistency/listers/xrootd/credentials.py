"""Proxies and tokens: XRootD's library finds them by itself, and is told nothing of them."""

from dynamo_consistency.listers.credentials import check_credentials
from dynamo_consistency.listers.credentials import stale_credentials as stale_defaults

__all__ = ["check_credentials", "stale_defaults"]
