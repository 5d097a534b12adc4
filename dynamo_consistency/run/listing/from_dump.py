"""The listing of a site from its dump: the files of a shard, and holes where lines could not be read."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dynamo_consistency import paths
from dynamo_consistency.check import DumpSource
from dynamo_consistency.columns import filtered
from dynamo_consistency.errors import ListingError
from dynamo_consistency.listers.shards import Share
from dynamo_consistency.run.listing.line_ends import REASON, directories_with_line_ends
from dynamo_consistency.run.listing.parquet import ListingFile
from dynamo_consistency.run.listing.part import Part, result_of
from dynamo_consistency.run.listing.progress import Watcher
from dynamo_consistency.run.store.run_directory import RunDirectory

if TYPE_CHECKING:
    from dynamo_consistency.listers.dump import Dump

_PARTS = "listing/dump.json"


def listing_of_dump(run: RunDirectory, part: Part, source: DumpSource, progress: Watcher) -> dict[str, Any]:
    """Write the files of the dump that belong to `part`; what its `.json` holds, but for the time it took.

    Raises ListingError for a dump that is not believed, also where none of its paths is below a root.
    """
    name, listing, share, _ = part
    roots = [paths.to_bytes(root.path) for root in listing.roots]
    dump = _open(run, source, roots)
    excluded = [paths.to_bytes(path) for path in listing.exclude]
    met: set[bytes] = set()
    first = b""
    some_below = part.may_be_empty
    with run.writing(f"{name}.parquet") as path, ListingFile(path, roots, dump.date, excluded) as file:
        for batch in dump.batches():
            first = first or next(iter(batch.column("path")[:1].to_pylist()), b"")
            for root, rows in _below(_without(batch, excluded, met), roots):
                some_below = True
                owned = _owned(rows, root, share)
                file.columns(root, owned.column("path"), owned.column("size"), owned.column("mtime"))
            progress(file.counts, 0)
        if not some_below and not met:
            raise ListingError(
                f"no path of the dump {dump.name} is below a root, such as {listing.roots[0].path}; the first is "
                f"{paths.to_text(first)!r}: look at its format, columns and prefix"
            )
        if share.shard == 0:  # every shard reads all of a dump
            _record_holes(run, file, dump, roots, excluded)
    result = result_of(share, int(dump.date), f"dump {dump.name}", file)
    result["counts"] |= {"requests": 0, "retries": 0}
    result["window"] = {"largest": 0, "final": 0}
    result["excluded"] = sorted(map(paths.to_text, met))
    return result


def _open(run: RunDirectory, source: DumpSource, roots: list[bytes]) -> "Dump":
    """The dump, which is the same one for all shards: the first of them looks for the newest.

    Raises ListingError when it was replaced since then: what the shards have read would be of two dumps.
    """
    from dynamo_consistency.listers.dump import Dump, Parts, parts_of, versions

    if not run.exists(_PARTS):
        parts = parts_of(source)
        run.create(_PARTS, json.dumps({"parts": parts._asdict(), "versions": versions(parts.urls)}))
    first = run.read_json(_PARTS)
    dump = Dump(source, Parts(**first["parts"]), roots)
    if versions(dump.parts.urls) != first["versions"]:
        raise ListingError(f"the dump {dump.name} was replaced while the site's shards were read from it; run it again")
    return dump


def _record_holes(
    run: RunDirectory, file: ListingFile, dump: "Dump", roots: list[bytes], excluded: list[bytes]
) -> None:
    holes = dict.fromkeys(directories_with_line_ends(run), REASON) if dump.source.format != "parquet" else {}
    holes |= dict.fromkeys(dump.holes, "a line of the dump about something in here cannot be read")
    holes |= dict.fromkeys(dump.unlisted, "a line of the dump about it cannot be read")
    for directory, reason in sorted(holes.items()):
        for root in roots:
            if paths.is_in(directory, [root]) and not paths.is_in(directory, excluded):
                file.hole(root, directory, reason)
            elif directory in dump.unlisted and paths.is_below(root, directory):
                file.hole(root, root, reason)
    file.note(dump.notes)


def _without(batch: Any, excluded: list[bytes], met: set[bytes]) -> Any:
    """`batch` without what is in excluded directories; those that it has something of are added to `met`."""
    import pyarrow.compute as pc

    for directory in excluded:
        below = pc.starts_with(batch.column("path"), paths.subtree(directory)[0])
        if pc.any(below).as_py():
            met.add(directory)
            batch = batch.filter(pc.invert(below))
    return batch


def _below(batch: Any, roots: list[bytes]) -> Iterator[tuple[bytes, Any]]:
    """The rows of `batch` below each root that has some."""
    import pyarrow.compute as pc

    for root in roots:
        rows = filtered(batch, pc.starts_with(batch.column("path"), paths.subtree(root)[0]))
        if rows.num_rows:
            yield root, rows


def _owned(rows: Any, root: bytes, share: Share) -> Any:
    """The rows that a shard records."""
    import pyarrow as pa

    if share.shards == 1:
        return rows
    return rows.filter(pa.array([share.owns_file(path, root) for path in rows.column("path").to_pylist()], pa.bool_()))
