"""Shards of a listing that are not there: as many as the check lets fail leave holes where they would have listed."""

from collections.abc import Callable

from dynamo_consistency import paths
from dynamo_consistency.check import Listing
from dynamo_consistency.errors import InvalidRunError
from dynamo_consistency.listers.shards import Share
from dynamo_consistency.run.store.run_directory import RunDirectory, shard_name


def absent_shards(run: RunDirectory, listing: Listing) -> list[int]:
    """Shards that have not come to their end. Raises InvalidRunError for more than the check allows, or for all."""
    absent = [shard for shard in range(listing.shards) if not run.exists(f"{shard_name(shard)}.json")]
    if len(absent) == listing.shards:
        raise InvalidRunError("no shard of the listing is there; run its listing stage")
    if len(absent) > listing.max_failed_shards:
        raise InvalidRunError(f"shard {absent[0]} of the listing is not there; run its listing stage")
    return absent


def belongs_to(absent: list[int], listing: Listing) -> Callable[[bytes], bool]:
    """Whether a file, below one of the roots, is one that only these shards would have listed."""
    share = Share(0, listing.shards, listing.split_depth)
    roots = [paths.to_bytes(root.path) for root in listing.roots]

    def is_theirs(path: bytes) -> bool:
        return any(paths.is_below(path, root) and share.owner_of(path, root) in absent for root in roots)

    return is_theirs


def notes(absent: list[int]) -> list[str]:
    return [f"shard {shard} has failed: what only it would have listed is a hole" for shard in absent]
