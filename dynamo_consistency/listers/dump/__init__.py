"""Listing a site from a file in which it publishes what it has."""

from dynamo_consistency.check import DumpSource
from dynamo_consistency.listers.dump.dump import Dump
from dynamo_consistency.listers.dump.lister import DumpLister
from dynamo_consistency.listers.dump.parts import Parts, parts_of, versions

__all__ = ["Dump", "DumpLister", "Parts", "parts_of", "read_dump", "versions"]


def read_dump(source: DumpSource) -> Dump:
    """The dump of `source`, to be read by its `batches()`. Raises ListingError when it is not there."""
    return Dump(source)
