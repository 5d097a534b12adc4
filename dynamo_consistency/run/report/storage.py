"""How much is where: a storage summary in the manner of the WLCG storage resource reporting."""

from collections import defaultdict
from typing import Any

from dynamo_consistency import paths
from dynamo_consistency.paths import visible
from dynamo_consistency.run.database import byte_sum
from dynamo_consistency.run.report.tables import Tables, shards
from dynamo_consistency.run.store.run_directory import RunDirectory

_DEPTH = 2  # directories down to this depth below a root have an entry of their own

# The beginning of a path, with as many slashes as the root has and at most _DEPTH more, but not its name. Names are
# UTF-8 nearly always; else bytes outside printable ASCII become \xNN, and back again, which takes longer.
_FILES_BY_DIRECTORY = f"""
    SELECT coalesce(encode(regexp_extract(try(decode(path)), $3)), regexp_extract(path::VARCHAR, $3)::BLOB) AS start,
           count(*), {byte_sum("size")}
    FROM listing WHERE kind = 'file' AND path >= $1 AND path < $2
    GROUP BY start
"""


def write_storage(run: RunDirectory, tables: Tables) -> dict[str, str]:
    """Write `storage.json` from a complete listing: files and bytes of each root and its directories."""
    listed = shards(run)
    if "listing" not in tables.names or len(listed) < listed[0]["shards"]:
        return {}
    listed_at = int(min(shard["listedAt"] for shard in listed))
    shares = [
        {
            "path": [visible(directory)],
            "numberoffiles": files,
            "usedsize": size,
            "totalsize": 0,  # a listing does not know how much room there is
            "timestamp": listed_at,
        }
        for root in run.check().spec.listing.roots
        for directory, (files, size) in sorted(_usage(tables, paths.to_bytes(root.path)).items())
    ]
    service: dict[str, Any] = {"name": run.site, "latestupdate": listed_at, "storageshares": shares}
    run.write_json("reports/storage.json", {"storageservice": service})
    return {"storage": "reports/storage.json"}


def _usage(tables: Tables, root: bytes) -> dict[bytes, tuple[int, int]]:
    """(files, bytes) in and below the root, and the directories below it that have files; the root always."""
    usage: dict[bytes, tuple[int, int]] = defaultdict(lambda: (0, 0))
    usage[root] = (0, 0)
    first, past = paths.subtree(root)
    slashes = first.count(b"/")
    pattern = f"^(?:[^/]*/){{{slashes},{slashes + _DEPTH}}}"
    for beginning, files, size in tables.rows(_FILES_BY_DIRECTORY, (first, past, pattern)):
        directory, below = root, beginning[len(first) :].rstrip(b"/")
        for component in [b"", *below.split(b"/")] if below else [b""]:
            directory = paths.join(directory, component) if component else directory
            known = usage[directory]
            usage[directory] = (known[0] + files, known[1] + (size or 0))
    return dict(usage)
