"""A scratch area in a run directory: written as the stages before leave it, or a folder with a real inventory."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dynamo_consistency.backend.contract import INVENTORY_COLUMNS
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.run.listing.parquet import LISTING_COLUMNS
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore
from dynamo_consistency.run.unmerged import find_unmerged

NOW = 1_790_000_000
OLD = 1_000_000_000
SCRATCH = "/store/unmerged"


class Area:
    """What a test says of the area; `found` writes it down and lets the engine judge it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.protected_list = folder / "protected.txt"
        self.protect(f"{SCRATCH}/kept")
        self.files: list[tuple[str | bytes, int | None]] = []
        self.directories: list[tuple[str | bytes, int | None]] = []
        self.holes: list[str | bytes] = []
        self.inventory: list[str] = []
        self.listed_at = NOW
        self.unmerged: dict[str, Any] = {}
        self.ignore: list[str] = []
        self._number = 0

    def protect(self, *lines: str | bytes) -> None:
        self.protected_list.write_bytes(b"".join(_bytes(line) + b"\n" for line in lines))

    def check(self) -> SiteConsistencyCheck:
        unmerged = {"path": SCRATCH, "protectedFrom": {"url": str(self.protected_list)}} | self.unmerged
        return SiteConsistencyCheck.model_validate(
            {
                "apiVersion": "consistency.dynamo.io/v1alpha1",
                "kind": "SiteConsistencyCheck",
                "metadata": {"name": "site"},
                "spec": {
                    "site": "T2_X",
                    "listing": {"roots": [{"path": "/store/mc"}], "shards": 1},
                    "comparison": {"ignore": self.ignore},
                    "unmerged": unmerged,
                },
            }
        )

    def run(self) -> RunDirectory:
        """A run directory in which everything but the findings of the area is there."""
        self._number += 1
        run = RunStore(str(self.folder / "store")).create(self.check(), f"{self._number:03}")
        entries = {field.name: [None] * len(self.inventory) for field in INVENTORY_COLUMNS}
        entries |= {"path": [_bytes(path) for path in self.inventory], "in_flight": [False] * len(self.inventory)}
        for moment in ("before", "after"):
            with run.writing(f"inventory/{moment}.parquet") as path:
                pq.write_table(pa.table(entries, schema=INVENTORY_COLUMNS), path)
        rows = [(_bytes(path), "file", 10, mtime, None, None) for path, mtime in self.files]
        rows += [(_bytes(path), "directory", 0, mtime, None, None) for path, mtime in self.directories]
        rows += [(_bytes(path), "hole", None, None, "permission denied", None) for path in self.holes]
        names = ("path", "kind", "size", "mtime", "reason", "identity")
        table = [dict(zip(names, row, strict=True)) for row in rows]
        with run.writing("listing/unmerged.parquet") as path:
            pq.write_table(pa.Table.from_pylist(table, schema=LISTING_COLUMNS), path)
        holes = [
            {"path": _bytes(path).decode("utf-8", "surrogateescape"), "reason": "permission denied"}
            for path in self.holes
        ]
        counts = {"files": len(self.files), "directories": len(self.directories), "holes": len(holes), "bytes": 0}
        run.write_json("listing/unmerged.json", {"listedAt": self.listed_at, "counts": counts, "holes": holes})
        return run

    def found(self) -> list[str]:
        """What goes, in the order of the findings."""
        run = self.run()
        self.told = find_unmerged(run)
        return [row["path"].decode("utf-8", "surrogateescape") for row in rows_of(run)]


def rows_of(run: RunDirectory) -> list[dict[str, Any]]:
    with run.reading("findings/unmerged.parquet") as path:
        return pq.read_table(path).to_pylist()


def _bytes(path: str | bytes) -> bytes:
    return path if isinstance(path, bytes) else path.encode("utf-8", "surrogateescape")


def _with_parents(paths: Iterable[str]) -> set[str]:
    above = {SCRATCH}
    for path in paths:
        while (path := path.rpartition("/")[0]) and path != SCRATCH:
            above.add(path)
    return above


@pytest.fixture
def area(tmp_path: Path) -> Area:
    return Area(tmp_path)


@pytest.fixture(scope="session")
def make_area(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Area]:
    """A new one at each call."""
    return lambda: Area(tmp_path_factory.mktemp("area"))


@pytest.fixture
def with_parents() -> Callable[[Iterable[str]], set[str]]:
    """The directories that a listing shows with these paths: the area, and all between it and them."""
    return _with_parents
