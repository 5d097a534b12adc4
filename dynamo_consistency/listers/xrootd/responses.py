"""Answers to a listing, whichever client gave them: dictionaries of the library, or a `Listing` of our own."""

from collections.abc import Iterator

from dynamo_consistency.listers.contract import Answer
from dynamo_consistency.listers.xrootd import entries
from dynamo_consistency.listers.xrootd.library import XRootDResponse
from dynamo_consistency.listers.xrootd.numbering import Numbering
from dynamo_consistency.listers.xrootd.wire.listing import Listing


def count(response: XRootDResponse) -> int:
    """The number of entries."""
    return len(response) if isinstance(response, Listing) else entries.count(response)


def names(response: XRootDResponse) -> set[bytes]:
    """The names of the entries."""
    if isinstance(response, Listing):
        return set(response.names)
    return {entry["name"].encode() for entry in response["dirlist"]} if response else set()


def read(response: XRootDResponse, numbering: Numbering) -> Answer:
    """The directory as a server shows it. `response` is that of a listing with STAT."""
    return response.read(numbering) if isinstance(response, Listing) else entries.read(response, numbering)


def identifiers(response: XRootDResponse) -> Iterator[str]:
    """What the server calls each entry."""
    if isinstance(response, Listing):
        return response.identifiers()
    stats = (entry["statinfo"] for entry in response["dirlist"])
    return (stat["id"] for stat in stats if stat)
