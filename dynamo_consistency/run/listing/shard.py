"""The listing stage: one shard of a site, from whatever lists it, into the run directory."""

import gc
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dynamo_consistency import paths
from dynamo_consistency.errors import ConfigurationError, ListingError
from dynamo_consistency.listers.contract import Answer, ClusterLister, Failed, LineLister
from dynamo_consistency.listers.protocols import OpenSource
from dynamo_consistency.listers.shards import Share
from dynamo_consistency.listers.walk import Limits, Visit, Walk
from dynamo_consistency.run.listing.line_ends import REASON, directories_with_line_ends
from dynamo_consistency.run.listing.parquet import ListingFile
from dynamo_consistency.run.listing.part import Part, result_of
from dynamo_consistency.run.listing.progress import Watcher
from dynamo_consistency.run.listing.source import open_lister, source_of
from dynamo_consistency.run.stage_clock import StageClock
from dynamo_consistency.run.store.run_directory import RunDirectory, shard_name

if TYPE_CHECKING:
    from dynamo_consistency.backend.contract import Backend

log = logging.getLogger(__name__)


def list_shard(run: RunDirectory, backend: "Backend | None", shard: int, progress: Watcher) -> dict[str, Any]:
    """List shard number `shard` of the run's site; what `listing/shard-NNNN.json` holds.

    A shard that is already complete is not listed again. `backend` is asked only where the check names no source.
    Raises ListingError when the site could not be listed at all, ConfigurationError for a shard that the check does
    not have; then the run directory has nothing of the shard.
    """
    check = run.check()
    listing = check.spec.listing
    if not 0 <= shard < listing.shards:
        raise ConfigurationError(f"there is no shard {shard}: the check has {listing.shards}, numbered from 0")
    report = f"{shard_name(shard)}.json"
    if run.exists(report) and run.exists(f"{shard_name(shard)}.parquet"):
        log.info("shard %d is already listed", shard)
        return dict(run.read_json(report))
    share = Share(shard, listing.shards, listing.split_depth)
    return write_listing(run, Part(shard_name(shard), listing, share), backend, progress)


def write_listing(run: RunDirectory, part: Part, backend: "Backend | None", progress: Watcher) -> dict[str, Any]:
    """List `part`; what its `.json` holds. Raises ListingError as `list_shard` does, and when the clock was set."""
    began, clock = time.monotonic(), StageClock()
    dump = source_of(part.listing, backend, run.site).dump
    with progress:
        if dump is not None:
            from dynamo_consistency.run.listing.from_dump import listing_of_dump

            result = listing_of_dump(run, part, dump, progress)
        else:
            result = _walk(run, part, progress, open_lister(part.listing, backend, run.site))
    if why := clock.jump("the site was listed"):
        raise ListingError(why)
    result["elapsedSeconds"] = round(time.monotonic() - began, 3)
    run.write_json(f"{part.name}.json", result)
    return result


def expected_directories(earlier: RunDirectory, shard: int) -> int | None:
    """How many directories an earlier run found in `shard`, for the estimate of the progress; None if not known."""
    report = f"{shard_name(shard)}.json"
    return int(earlier.read_json(report)["counts"]["directories"]) if earlier.exists(report) else None


def _walk(run: RunDirectory, part: Part, progress: Watcher, source: OpenSource) -> dict[str, Any]:
    name, listing, share, _ = part
    roots = [paths.to_bytes(root.path) for root in listing.roots]
    limits = Limits(
        listing.concurrency, listing.directory_timeout_seconds, listing.retries, listing.max_requests_per_second
    )
    listed_at = int(time.time())
    excluded = [paths.to_bytes(path) for path in listing.exclude]
    walk = Walk(source.lister, roots, share, limits, excluded, identify=_identify(source))
    try:
        with (
            run.writing(f"{name}.parquet") as path,
            ListingFile(path, roots, listed_at, excluded) as file,
            rarely_collected(),
        ):
            source.lister.prepare()
            unclear = _unclear(run, source)
            for visit in walk:
                answer = unclear.get(visit.directory.path) if unclear else None
                _record(file, share, visit._replace(answer=answer) if answer else visit)
                progress(file.counts, walk.window.size)
            for excluded_path, identity in walk.excluded.items():
                file.excluded(excluded_path, identity)
            source.lister.verify()
    finally:
        source.lister.close()
    log.info("%s: at most %d requests in flight, %d at the end", name, walk.window.largest, walk.window.size)
    result = result_of(share, listed_at, source.description, file)
    result["counts"] |= {"requests": walk.requests, "retries": walk.retries}
    result["window"] = {"largest": walk.window.largest, "final": walk.window.size}
    result["servers"] = source.lister.behind if isinstance(source.lister, ClusterLister) else []
    result["mounts"] = sorted(map(paths.to_text, file.mounts))
    result["excluded"] = sorted(map(paths.to_text, walk.excluded))
    return result


def _unclear(run: RunDirectory, source: OpenSource) -> dict[bytes, Answer]:
    """What is recorded of directories that this kind of listing cannot show."""
    in_lines = isinstance(source.lister, LineLister) and source.lister.in_lines
    return dict.fromkeys(directories_with_line_ends(run), Failed(REASON)) if in_lines else {}


def _identify(source: OpenSource) -> Callable[[bytes], object] | None:
    return source.lister.identify if isinstance(source.lister, ClusterLister) else None


def _record(file: ListingFile, share: Share, visit: Visit) -> None:
    directory, answer = visit.directory, visit.answer
    if isinstance(answer, Failed):
        file.hole(directory.root, directory.path, answer.reason)
        return
    if not share.records(directory.depth):
        return
    files = len(answer.files)
    entries = len(answer.directories) + files + len(answer.holes)
    file.directory(directory.root, directory.path, entries, directory.mtime, directory.identity, files=files)
    if answer.is_mount:
        file.mounts.add(directory.path)
    if files:
        file.files(directory.root, directory.path, answer.files)
    for hole in answer.holes:
        file.hole(directory.root, paths.join(directory.path, hole.name), hole.reason, hole.file)
    for path in visit.elsewhere:
        file.seen(path)
    if answer.notes:
        file.note(answer.notes)


_UNFREED_OBJECTS = 100_000  # default: 700, less than the answers of a busy door keep alive


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Look for cycles only when many more objects were made than freed.

    A listing frees what it makes by reference count; the XRootD library makes two dictionaries for each file. With the
    default threshold the collector looks through all of them, and through every module, again and again: a third of all
    time.
    """
    threshold = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_UNFREED_OBJECTS, *threshold[1:])
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        gc.unfreeze()
