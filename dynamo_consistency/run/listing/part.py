"""What is listed in one go, and what is told of it in the end."""

from typing import Any, NamedTuple

from dynamo_consistency import paths
from dynamo_consistency.check import Listing
from dynamo_consistency.listers.shards import Share
from dynamo_consistency.run.listing.parquet import ListingFile
from dynamo_consistency.run.listing.progress import ListingCounts
from dynamo_consistency.secrets import redact


class Part(NamedTuple):
    """What is listed in one go: a share of the trees in `listing.roots`, written to `<name>.parquet` and `.json`.

    `may_be_empty`: whether it is no wonder when nothing is there.
    """

    name: str
    listing: Listing
    share: Share
    may_be_empty: bool = False


def result_of(share: Share, listed_at: int, source: str, file: ListingFile) -> dict[str, Any]:
    """What the `.json` of every listing has."""
    return {
        "shard": share.shard,
        "shards": share.shards,
        "listedAt": listed_at,
        "source": redact(source),
        "counts": _counts(file.counts),
        "roots": {paths.to_text(root): _counts(counts) for root, counts in file.roots.items()},
        "usage": {paths.to_text(directory): list(counts) for directory, counts in file.usage.of.items()},
        "holes": file.holes,
        "notes": file.notes,
    }


def _counts(counts: ListingCounts) -> dict[str, int]:
    return {"files": counts.files, "directories": counts.directories, "holes": counts.holes, "bytes": counts.bytes}
