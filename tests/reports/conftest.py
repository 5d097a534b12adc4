"""A run directory as the stages before the report leave it, and a backend that answers from memory."""

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dynamo_consistency.backend.dataset_filter import DatasetFilter
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

FINDING = pa.schema(
    [("path", pa.binary()), ("size", pa.int64()), ("site_size", pa.int64()), ("mtime", pa.int64())]
    + [(name, pa.string()) for name in ("dataset", "block", "group", "root")]
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


@pytest.fixture
def check() -> SiteConsistencyCheck:
    return SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": "site"},
            "spec": {"site": "T2_X", "listing": {"roots": [{"path": "/store/mc"}, {"path": "/store/data"}]}},
        }
    )


@pytest.fixture
def finished(tmp_path, check) -> FinishedRun:
    return FinishedRun(RunStore(str(tmp_path / "store")).create(check, "1"))


@pytest.fixture
def summary() -> Callable[..., dict[str, Any]]:
    def make(**changes: Any) -> dict[str, Any]:
        return {
            "site": "T2_X",
            "runId": "1",
            "backend": "default",
            "startTime": "2026-11-22T03:00:00Z",
            "endTime": "2026-11-22T06:20:00Z",
            "result": "Complete",
            "reason": "",
            "counts": {"listedFiles": 10, "listedBytes": 3000, "inventoryFiles": 9, "holes": 0, "missing": 0},
            "gates": [],
            "actions": {},
            "holes": [],
            "roots": {"/store/mc": {"listedFiles": 10, "missing": 0}},
            "artifacts": {},
            **changes,
        }

    return make


@pytest.fixture
def backend() -> SimpleNamespace:
    """A backend that knows of no file but writes how many it was asked for."""

    def filelist_to_blocklist(site: str, infile: str, outfile: str) -> None:
        with open(infile, "rb") as asked, open(outfile, "w") as answer:  # noqa: PTH123 (as a module backend would)
            answer.write(f"{site}: {len(asked.readlines())} files\n")

    return SimpleNamespace(
        DatasetFilter=DatasetFilter,
        filelist_to_blocklist=filelist_to_blocklist,
        inventory=SimpleNamespace(),
        registry=SimpleNamespace(),
        siteinfo=SimpleNamespace(),
    )
