"""How much is where: a storage summary in the manner of the WLCG storage resource reporting."""

from collections.abc import Mapping
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from dynamo_consistency import paths
from dynamo_consistency.listers.times import known_sizes
from dynamo_consistency.paths import visible
from dynamo_consistency.run.database import LARGEST
from dynamo_consistency.run.listing.usage import FilesAndBytes, Usage
from dynamo_consistency.run.report.tables import Tables, shards
from dynamo_consistency.run.store.run_directory import RunDirectory, shard_name


def write_storage(run: RunDirectory, tables: Tables) -> dict[str, str]:
    """Write `storage.json` from a complete listing: files and bytes of each root and its directories."""
    listed = shards(run)
    if "listing" not in tables.names or len(listed) < listed[0]["shards"]:
        return {}
    listed_at = int(min(shard["listedAt"] for shard in listed))
    roots = [paths.to_bytes(root.path) for root in run.check().spec.listing.roots]
    usage = _usage([_of_shard(run, shard, roots) for shard in listed], roots)
    shares = [
        {
            "path": [visible(directory)],
            "numberoffiles": files,
            "usedsize": min(size, LARGEST),
            "totalsize": 0,  # a listing does not know how much room there is
            "timestamp": listed_at,
        }
        for root in roots
        for directory, (files, size) in sorted(usage[root].items())
    ]
    service: dict[str, Any] = {"name": run.site, "latestupdate": listed_at, "storageshares": shares}
    run.write_json("reports/storage.json", {"storageservice": service})
    return {"storage": "reports/storage.json"}


def _of_shard(run: RunDirectory, shard: dict[str, Any], roots: list[bytes]) -> Mapping[bytes, FilesAndBytes]:
    """What a shard has counted; of a former version its files are counted now."""
    if "usage" in shard:
        return {paths.to_bytes(directory): (files, size) for directory, (files, size) in shard["usage"].items()}
    usage = Usage(roots)
    with run.reading(f"{shard_name(shard['shard'])}.parquet") as path, pq.ParquetFile(path) as listing:
        for batch in listing.iter_batches(columns=["path", "kind", "size"]):
            for root in roots:
                below = pc.starts_with(batch["path"], paths.subtree(root)[0])
                files = batch.filter(pc.and_(below, pc.equal(batch["kind"].cast("string"), "file")))
                usage.add_column(root, files["path"], known_sizes(files["size"]))
    return usage.of


def _usage(counted: list[Mapping[bytes, FilesAndBytes]], roots: list[bytes]) -> dict[bytes, dict[bytes, FilesAndBytes]]:
    """(files, bytes) by root: in and below the root, which is always there, and in and below what lies in it."""
    usage = {root: {root: (0, 0)} for root in roots}
    for shard in counted:
        for place, (files, size) in shard.items():
            root = next(root for root in roots if paths.is_in(place, [root]))
            below = place[len(paths.subtree(root)[0]) :]
            directory = root
            for component in [b"", *below.split(b"/")] if below else [b""]:
                directory = paths.join(directory, component) if component else directory
                known = usage[root].get(directory, (0, 0))
                usage[root][directory] = known[0] + files, known[1] + size
    return usage
