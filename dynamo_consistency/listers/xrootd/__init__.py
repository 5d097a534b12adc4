"""Lists a site through its XRootD doors. The library itself is loaded when the first lister is made."""

from dynamo_consistency.listers.xrootd.lister import XRootDLister

__all__ = ["XRootDLister"]
