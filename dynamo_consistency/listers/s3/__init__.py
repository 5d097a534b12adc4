"""Lists a site that is an object store. The client library is loaded when the first lister is made."""

from dynamo_consistency.listers.s3.lister import S3Lister

__all__ = ["S3Lister"]
