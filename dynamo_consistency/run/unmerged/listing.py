"""The listing of the unmerged area: one walk, beside those of the shards, with a file of its own."""

import logging
import time
from typing import TYPE_CHECKING, Any

from dynamo_consistency import paths
from dynamo_consistency.check import Root
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.shards import Share
from dynamo_consistency.run.listing.parquet import ListingFile
from dynamo_consistency.run.listing.part import Part
from dynamo_consistency.run.listing.progress import Watcher
from dynamo_consistency.run.listing.shard import write_listing
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.run.unmerged.rules import cleaned
from dynamo_consistency.secrets import redact

if TYPE_CHECKING:
    from dynamo_consistency.backend.contract import Backend

log = logging.getLogger(__name__)

LISTING = "listing/unmerged"


def list_unmerged(run: RunDirectory, backend: "Backend | None", progress: Watcher) -> dict[str, Any] | None:
    """List the unmerged area of the run's check; what `listing/unmerged.json` holds, None where there is no area.

    An area that is already listed is not listed again. One that cannot be listed is a hole, and does not disturb the
    rest of the run.
    """
    check = run.check()
    unmerged = cleaned(check)
    if unmerged is None:
        return None
    if run.exists(f"{LISTING}.json") and run.exists(f"{LISTING}.parquet"):
        return dict(run.read_json(f"{LISTING}.json"))
    trees = {"roots": [Root(path=area) for area in unmerged.areas], "exclude": [], "shards": 1}
    part = Part(LISTING, check.spec.listing.model_copy(update=trees), Share(0, 1, 1), may_be_empty=True)
    try:
        return write_listing(run, part, backend, progress)
    except ListingError as error:
        log.warning("the unmerged area %s could not be listed: %s", unmerged.path, error)
        return _hole(run, unmerged.areas, str(error))


def _hole(run: RunDirectory, areas: list[str], reason: str) -> dict[str, Any]:
    """The listing of areas of which nothing is known."""
    roots = [paths.to_bytes(area) for area in areas]
    listed_at = int(time.time())
    with run.writing(f"{LISTING}.parquet") as path, ListingFile(path, roots, listed_at) as file:
        for root in roots:
            file.hole(root, root, reason)
    result = {
        "listedAt": listed_at,
        "source": None,
        "counts": {"files": 0, "directories": 0, "holes": len(roots), "bytes": 0},
        "holes": file.holes,
        "notes": [redact(reason)],
        "elapsedSeconds": 0.0,
    }
    run.write_json(f"{LISTING}.json", result)
    return result
