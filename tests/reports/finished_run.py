"""A run directory as the stages before the report leave it."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dynamo_consistency.run.store.run_directory import RunDirectory

FINDING = pa.schema(
    [("path", pa.binary()), ("size", pa.int64()), ("site_size", pa.int64()), ("mtime", pa.int64())]
    + [(name, pa.string()) for name in ("dataset", "block", "group", "root", "scope", "name")]
)
LISTING = pa.schema(
    [
        ("path", pa.binary()),
        ("kind", pa.dictionary(pa.int32(), pa.string())),
        ("size", pa.int64()),
        ("mtime", pa.int64()),
        ("reason", pa.string()),
    ]
)
LISTED_AT = 1_790_000_000


class FinishedRun:
    """Writes what a test says into a run directory."""

    def __init__(self, run: RunDirectory) -> None:
        self.directory = run

    def find(self, kind: str, rows: Iterable[dict[str, Any]]) -> None:
        self._write(f"findings/{kind}.parquet", FINDING, [{"root": "/store/mc", **row} for row in rows])

    def list_site(self, *shards: list[dict[str, Any]], of: int | None = None) -> None:
        for number, rows in enumerate(shards):
            self._write(f"listing/shard-{number:04d}.parquet", LISTING, rows)
            said = {
                "shard": number,
                "shards": of or len(shards),
                "listedAt": LISTED_AT + number,
                "source": "posix /mnt/site",
                "counts": {"files": sum(row["kind"] == "file" for row in rows), "directories": 0, "holes": 0},
                "notes": [],
                "elapsedSeconds": 61.5,
            }
            self.directory.write_json(f"listing/shard-{number:04d}.json", said)

    def _write(self, name: str, schema: pa.Schema, rows: list[dict[str, Any]]) -> None:
        with self.directory.writing(name) as path:
            pq.write_table(pa.Table.from_pylist(rows, schema), path)

    def text(self, name: str) -> str:
        with self.directory.reading(f"reports/{name}") as path:
            return path.read_bytes().decode("utf-8", "surrogateescape")

    def lines(self, name: str) -> list[str]:
        return self.text(name).split("\n")[:-1]
