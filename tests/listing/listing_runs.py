"""Run directories with a listing in them, and files to list."""

import os
from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet as pq

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.run.store.run_directory import RunDirectory

Row = tuple[bytes, str, int | None, int | None, str | None]


def check_of(source: dict | None, *, roots: Iterable[str] = ("/store",), **listing) -> SiteConsistencyCheck:
    listing = {"roots": [{"path": root} for root in roots], "shards": 1, **listing}
    if source is not None:
        listing["source"] = source
    return SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": "t2"},
            "spec": {"site": "T2_TEST", "listing": listing},
        }
    )


def rows_of(run: RunDirectory, shard: int = 0) -> list[Row]:
    with run.reading(f"listing/shard-{shard:04}.parquet") as path:
        table = pq.read_table(path)
    columns = [table.column(name).to_pylist() for name in ("path", "kind", "size", "mtime", "reason")]
    return sorted(zip(*columns, strict=True), key=lambda row: row[:2])


def touch(directory: Path | bytes, *names: bytes, size: int = 1) -> None:
    """Make files of `size` bytes in `directory`, which is made too."""
    folder = Path(os.fsdecode(directory))
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / os.fsdecode(name)).write_bytes(b"x" * size)
