"""The listing stage: one shard of a site, from whatever lists it, into the run directory."""

import gc
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from dynamo_consistency import paths
from dynamo_consistency.check import DumpSource, Listing
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.listers.contract import Answer, ClusterLister, Failed, LineLister
from dynamo_consistency.listers.protocols import OpenSource
from dynamo_consistency.listers.shards import Share
from dynamo_consistency.listers.walk import Limits, Visit, Walk
from dynamo_consistency.run.listing.line_ends import REASON, directories_with_line_ends
from dynamo_consistency.run.listing.parquet import ListingFile
from dynamo_consistency.run.listing.progress import ListingCounts, Watcher
from dynamo_consistency.run.listing.source import open_lister, source_of
from dynamo_consistency.run.store.run_directory import RunDirectory, shard_name
from dynamo_consistency.secrets import redact

if TYPE_CHECKING:
    from dynamo_consistency.backend.contract import Backend

log = logging.getLogger(__name__)


class Part(NamedTuple):
    """What is listed in one go: a share of the trees in `listing.roots`, written to `<name>.parquet` and `.json`."""

    name: str
    listing: Listing
    share: Share


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
    """List `part`; what its `.json` holds. Raises ListingError as `list_shard` does."""
    began = time.monotonic()
    dump = source_of(part.listing, backend, run.site).dump
    with progress:
        if dump is not None:
            result = _read_dump(run, part, dump, progress)
        else:
            result = _walk(run, part, progress, open_lister(part.listing, backend, run.site))
    result["elapsedSeconds"] = round(time.monotonic() - began, 3)
    run.write_json(f"{part.name}.json", result)
    return result


def expected_directories(earlier: RunDirectory, shard: int) -> int | None:
    """How many directories an earlier run found in `shard`, for the estimate of the progress; None if not known."""
    report = f"{shard_name(shard)}.json"
    return int(earlier.read_json(report)["counts"]["directories"]) if earlier.exists(report) else None


def _walk(run: RunDirectory, part: Part, progress: Watcher, source: OpenSource) -> dict[str, Any]:
    name, listing, share = part
    roots = [paths.to_bytes(root.path) for root in listing.roots]
    limits = Limits(
        listing.concurrency, listing.directory_timeout_seconds, listing.retries, listing.max_requests_per_second
    )
    listed_at = int(time.time())
    excluded = [paths.to_bytes(path) for path in listing.exclude]
    walk = Walk(source.lister, roots, share, limits, excluded, identify=_identify(source))
    try:
        with run.writing(f"{name}.parquet") as path, ListingFile(path, roots, listed_at) as file, rarely_collected():
            source.lister.prepare()
            unclear = _unclear(run, source)
            for visit in walk:
                _record(file, share, visit._replace(answer=unclear.get(visit.directory.path, visit.answer)))
                progress(file.counts, walk.window.size)
            source.lister.verify()
    finally:
        source.lister.close()
    log.info("%s: at most %d requests in flight, %d at the end", name, walk.window.largest, walk.window.size)
    result = _result(share, listed_at, source.description, file)
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
    entries = len(answer.directories) + len(answer.files) + len(answer.holes)
    file.directory(directory.root, directory.path, entries, directory.mtime, directory.identity)
    if answer.is_mount:
        file.mounts.add(directory.path)
    file.files(directory.root, directory.path, answer.files)
    for hole in answer.holes:
        file.hole(directory.root, paths.join(directory.path, hole.name), hole.reason)
    for path in visit.elsewhere:
        file.seen(path)
    file.note(answer.notes)


def _read_dump(run: RunDirectory, part: Part, source: DumpSource, progress: Watcher) -> dict[str, Any]:
    from dynamo_consistency.listers.dump import read_dump

    name, listing, share = part
    dump = read_dump(source)
    roots = [paths.to_bytes(root.path) for root in listing.roots]
    excluded = [paths.to_bytes(path) for path in listing.exclude]
    met: set[bytes] = set()
    with run.writing(f"{name}.parquet") as path, ListingFile(path, roots, dump.date) as file:
        for batch in dump.batches():
            for root, rows in _parts(_without(batch, excluded, met), roots, share):
                file.columns(root, rows.column("path"), rows.column("size"), rows.column("mtime"))
            progress(file.counts, 0)
        if share.shard == 0:  # every shard reads all of a dump
            holes = dict.fromkeys(directories_with_line_ends(run), REASON) if source.format != "parquet" else {}
            holes |= dict.fromkeys(dump.holes, "a line of the dump about something in here cannot be read")
            for directory, reason in sorted(holes.items()):
                for root in roots:
                    if paths.is_in(directory, [root]) and not paths.is_in(directory, excluded):
                        file.hole(root, directory, reason)
            file.note(dump.notes)
    result = _result(share, int(dump.date), f"dump {dump.name}", file)
    result["counts"] |= {"requests": 0, "retries": 0}
    result["window"] = {"largest": 0, "final": 0}
    result["excluded"] = sorted(map(paths.to_text, met))
    return result


def _without(batch: Any, excluded: list[bytes], met: set[bytes]) -> Any:
    """`batch` without what is in excluded directories; those that it has something of are added to `met`."""
    import pyarrow.compute as pc

    for directory in excluded:
        below = pc.starts_with(batch.column("path"), paths.subtree(directory)[0])
        if pc.any(below).as_py():
            met.add(directory)
            batch = batch.filter(pc.invert(below))
    return batch


def _parts(batch: Any, roots: list[bytes], share: Share) -> Iterator[tuple[bytes, Any]]:
    """The rows of `batch` that this shard records, by their root."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for root in roots:
        part = batch.filter(pc.starts_with(batch.column("path"), paths.subtree(root)[0]))
        if share.shards > 1:
            part = part.filter(
                pa.array([share.owns_file(path, root) for path in part.column("path").to_pylist()], pa.bool_())
            )
        if part.num_rows:
            yield root, part


def _result(share: Share, listed_at: int, source: str, file: ListingFile) -> dict[str, Any]:
    return {
        "shard": share.shard,
        "shards": share.shards,
        "listedAt": listed_at,
        "source": redact(source),
        "counts": _counts(file.counts),
        "roots": {paths.to_text(root): _counts(counts) for root, counts in file.roots.items()},
        "holes": file.holes,
        "notes": file.notes,
    }


def _counts(counts: ListingCounts) -> dict[str, int]:
    return {"files": counts.files, "directories": counts.directories, "holes": counts.holes, "bytes": counts.bytes}


_UNFREED_OBJECTS = 100_000  # default: 700, less than the answers of a busy door keep alive


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Look for cycles only when many more objects were made than freed.

    A listing makes two dictionaries for each file and frees them by reference count. With the default threshold the
    collector looks through all of them, and through every module, again and again: a third of all time.
    """
    threshold = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_UNFREED_OBJECTS, *threshold[1:])
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        gc.unfreeze()
