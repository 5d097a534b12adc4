"""Lists a site through its WebDAV doors: PROPFIND, one directory at a time."""

from dynamo_consistency.listers.webdav.lister import WebDavLister

__all__ = ["WebDavLister"]
