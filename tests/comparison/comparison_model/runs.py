"""From a case to a run directory, through the engine, and back to findings."""

import contextlib
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from comparison_model.cases import LISTING_TOOK, NOW, Case, Findings, Settings, Shard, Written, cms
from dynamo_consistency import paths
from dynamo_consistency.backend.contract import INVENTORY_COLUMNS
from dynamo_consistency.backend.dataset_filter import DatasetFilter
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.checkfile import dump_check
from dynamo_consistency.run.comparison.comparison import compare
from dynamo_consistency.run.keys import Scope, keys_of
from dynamo_consistency.run.records import complete_runs
from dynamo_consistency.run.records.summary import fingerprint
from dynamo_consistency.run.store.run_directory import CHECK, SUMMARY, RunDirectory

SITE = "T2_XX_Test"
KINDS = ("missing", "orphan", "twin", "mismatch", "empty_directory")

LISTING_COLUMNS = pa.schema(
    [
        pa.field("path", pa.binary(), nullable=False),
        pa.field("kind", pa.dictionary(pa.int32(), pa.string())),
        pa.field("size", pa.int64()),
        pa.field("mtime", pa.int64()),
        pa.field("reason", pa.string()),
        pa.field("identity", pa.int64()),
    ]
)


class ConventionFilter:
    """`DatasetFilter` of a backend whose sites name their files in a way of their own."""

    def __init__(self, convention: Callable[[str], str | None], datasets: set[str]) -> None:
        self._convention = convention
        self._datasets = datasets

    def protected(self, filename: str) -> bool:
        dataset = self._convention(filename)
        return dataset is None or dataset in self._datasets


def backend_for(case: Case) -> Any:
    """A backend that answers like the one that filled the run directory; CMS names go through our own filter."""

    def dataset_filter(datasets: set[str]) -> Any:
        return DatasetFilter(datasets) if case.convention is cms else ConventionFilter(case.convention, datasets)

    return SimpleNamespace(
        DatasetFilter=dataset_filter,
        deletion_requests=lambda _site: set(case.deletion_requests),
        inventory=SimpleNamespace(protected_datasets=lambda _site: set(case.protected)),
    )


def check_of(settings: Settings, shards: int) -> SiteConsistencyCheck:
    def text(names: tuple[bytes, ...]) -> list[str]:
        return [name.decode() for name in names]

    return SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": "t2-xx-test"},
            "spec": {
                "site": SITE,
                "listing": {
                    "roots": [{"path": root} for root in text(settings.roots)],
                    "exclude": text(settings.exclude),
                    "shards": shards,
                },
                "comparison": {"ignoreAgeSeconds": settings.ignore_age, "ignore": text(settings.ignore)},
            },
        }
    )


@contextlib.contextmanager
def _on_the_day_of_the_cases() -> Iterator[None]:
    """The cases are dated 2027: for the clock of a day before, their runs would be of the future and count nothing."""
    late = SimpleNamespace(time=lambda: float(2 * NOW))
    with (
        mock.patch.object(complete_runs, "time", late),
        mock.patch.object(RunDirectory, "modified", return_value=late.time()),
    ):
        yield


def write_run(case: Case, folder: Path) -> RunDirectory:
    """A run directory as the stages before the comparison leave it: with normalised paths."""
    case = normalised(case)
    run = RunDirectory(str(folder / SITE / "20270115T080000Z"))
    run.write_text(CHECK, dump_check(check_of(case.settings, len(case.shards))))
    write_snapshot(run, "before", case, case.taken_at)
    write_snapshot(run, "after", case, max(case.taken_at, *(shard.listed_at for shard in case.shards)) + 1)
    run.write_json(
        "inventory/datasets.json",
        {"protected": sorted(case.protected), "deletionRequests": sorted(case.deletion_requests)},
    )
    for number in range(len(case.shards)):
        write_shard(run, number, case.shards, case.settings, case.written)
    for number, earlier in enumerate(case.earlier):
        write_earlier_run(run, f"earlier-{number}", case, earlier)
    return run


def write_earlier_run(run: RunDirectory, run_id: str, case: Case, shard: Shard) -> None:
    """A complete run of the same check, of which no more is left than what later runs ask it for."""
    earlier = run.store.run(SITE, run_id)
    check = check_of(case.settings, 1)
    earlier.write_text(CHECK, dump_check(check))
    described = {"takenAt": shard.listed_at - 1, "rows": 1, "bytes": 1, "description": "entries of a test"}
    earlier.write_json("inventory/before.json", described)
    write_shard(earlier, 0, (shard,), case.settings)
    nothing: dict[str, Any] = {"reason": "", "counts": {"inventoryFiles": 1}, "gates": [], "actions": {}}
    known = {"fingerprint": fingerprint(check), "snapshots": {"before": described}}
    earlier.write_json(SUMMARY, {"result": "Complete"} | nothing | known)


def normalised(case: Case) -> Case:
    def each(items: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(replace(item, path=paths.normalise(item.path)) for item in items)

    shards = tuple(
        replace(
            shard,
            files=each(shard.files),
            directories=each(shard.directories),
            holes=tuple(map(paths.normalise, shard.holes)),
            seen=tuple(map(paths.normalise, shard.seen)),
        )
        for shard in case.shards
    )
    earlier = tuple(replace(shard, files=each(shard.files)) for shard in case.earlier)
    return replace(case, before=each(case.before), after=each(case.after), shards=shards, earlier=earlier)


def has_keys(written: Written, *, first: bool) -> bool:
    """Has this file of a side the columns by which files are compared?"""
    return written in (Written.NOW, Written.COLLIDING) or (written is Written.MIXED and not first)


def key_columns(some: Sequence[bytes], settings: Settings, written: Written) -> dict[str, pa.Array]:
    """These columns, as the stages write them."""
    roots = Scope(check_of(settings, 1).spec.listing).roots_of(pa.array(some, pa.binary()))
    columns = keys_of(some)
    if written is Written.COLLIDING:
        columns["key"] = pa.array(weak_keys(some), pa.uint64())
    inside = roots.is_valid()
    return {name: pc.if_else(inside, keys, None) for name, keys in columns.items()} | {"root": roots}


def weak_keys(some: Iterable[bytes]) -> list[int]:
    return [key % 4 << 62 for key in keys_of(some)["key"].to_pylist()]


def with_columns(table: pa.Table, columns: dict[str, pa.Array]) -> pa.Table:
    for name, column in columns.items():
        table = table.append_column(name, column)
    return table


def write_snapshot(run: RunDirectory, which: str, case: Case, taken_at: int) -> None:
    entries = case.before if which == "before" else case.after
    columns = {
        "path": [entry.path for entry in entries],
        "size": [entry.size for entry in entries],
        "time": [entry.time for entry in entries],
        "in_flight": [entry.in_flight for entry in entries],
        "dataset": [entry.dataset for entry in entries],
        "block": [None if entry.dataset is None else f"{entry.dataset}#1" for entry in entries],
        "group": [None if entry.dataset is None else "AnalysisOps" for entry in entries],
    }
    # `scope` stands for the columns that a backend has beyond the common ones
    scope = pa.array([f"scope of {len(entry.path)}" for entry in entries], pa.string())
    table = pa.table(columns, schema=INVENTORY_COLUMNS).append_column("scope", scope)
    if has_keys(case.written, first=which == "before"):
        table = with_columns(table, key_columns(columns["path"], case.settings, case.written))
    with run.writing(f"inventory/{which}.parquet") as path:
        pq.write_table(table, path)
    size = sum(max(entry.size or 0, 0) for entry in entries)
    described = {"takenAt": taken_at, "rows": len(entries), "bytes": size, "description": "entries of a test"}
    run.write_json(f"inventory/{which}.json", described)


def write_shard(
    run: RunDirectory, number: int, shards: Sequence[Shard], settings: Settings, written: Written = Written.NOW
) -> None:
    shard = shards[number]
    rows: list[tuple[bytes, str, int | None, int | None, str | None, int | None]] = []
    rows += [(file.path, "file", file.size, file.mtime, None, file.identity) for file in shard.files]
    rows += [
        (item.path, "directory", entries_in(item.path, shards), item.mtime, None, item.identity)
        for item in shard.directories
    ]
    rows += [(hole, "hole", None, None, "permission denied", None) for hole in shard.holes]
    rows += [(path, "seen", None, None, None, None) for path in shard.seen]
    columns = dict(zip(LISTING_COLUMNS.names, map(list, zip(*rows, strict=True)), strict=True)) if rows else None
    table = pa.table(columns, schema=LISTING_COLUMNS) if columns else LISTING_COLUMNS.empty_table()
    if has_keys(written, first=number == 0):
        directories = Counter(path.rpartition(b"/")[0] for path, kind, *_ in rows if kind == "file")
        files = [directories[path] if kind == "directory" else None for path, kind, *_ in rows]
        keys = key_columns(table["path"].to_pylist(), settings, written)
        table = with_columns(table, keys | {"files": pa.array(files, pa.int64())})
    with run.writing(f"listing/shard-{number:04}.parquet") as path:
        pq.write_table(table, path)
    counts = counts_of(shard)
    run.write_json(
        f"listing/shard-{number:04}.json",
        {
            "shard": number,
            "shards": len(shards),
            "listedAt": shard.listed_at,
            "source": "posix file:///mnt/site",
            "counts": counts | {"requests": counts["directories"], "retries": 0},
            "roots": {root.decode(): counts_of(below(root, shard)) for root in settings.roots},
            "holes": [{"path": hole.decode(errors="replace"), "reason": "permission denied"} for hole in shard.holes],
            "notes": [],
            "elapsedSeconds": LISTING_TOOK,
            "window": {"largest": 1, "final": 1},
        },
    )


def entries_in(directory: bytes, shards: Sequence[Shard]) -> int:
    """How many entries were seen directly in a directory: files, and directories by whatever lies in them."""
    items = [item.path for shard in shards for item in (*shard.files, *shard.directories)]
    items += [path for shard in shards for path in (*shard.holes, *shard.seen)]
    start = directory.rstrip(b"/") + b"/"
    return len({path[len(start) :].split(b"/")[0] for path in items if path.startswith(start)})


def counts_of(shard: Shard) -> dict[str, int]:
    return {
        "files": len(shard.files),
        "directories": len(shard.directories),
        "holes": len(shard.holes),
        "bytes": sum(file.size or 0 for file in shard.files),
    }


def below(root: bytes, shard: Shard) -> Shard:
    """The part of a shard that belongs to one root."""
    start = root.rstrip(b"/") + b"/"
    return Shard(
        files=tuple(file for file in shard.files if file.path.startswith(start)),
        directories=tuple(item for item in shard.directories if (item.path + b"/").startswith(start)),
        holes=tuple(hole for hole in shard.holes if (hole + b"/").startswith(start)),
    )


def findings_of(run: RunDirectory) -> dict[str, list[dict[str, Any]]]:
    """The rows of the findings files by kind, in the order of the files."""
    result = {}
    for kind in KINDS:
        with run.reading(f"findings/{kind}.parquet") as path:
            result[kind] = pq.read_table(path).to_pylist()
    return result


def engine(case: Case, folder: Path) -> Findings:
    """What the engine finds in `case`. Raises InvalidRunError; a finding that stands twice is an error."""
    run = write_run(case, folder / uuid.uuid4().hex)
    with _on_the_day_of_the_cases():
        counts = compare(run, backend_for(case))
    rows_of = findings_of(run)
    found = {kind: [row["path"] for row in rows] for kind, rows in rows_of.items()}
    marks = {row["path"]: row["mark"] for rows in rows_of.values() for row in rows}
    for kind, rows in found.items():
        assert len(rows) == len(set(rows)), f"a path stands twice in {kind}"
    return Findings(
        missing=frozenset(found["missing"]),
        orphan=frozenset(found["orphan"]),
        mismatch=frozenset(found["mismatch"]),
        empty=tuple(found["empty_directory"]),
        twin=frozenset(found["twin"]),
        renamed=frozenset(path for path, mark in marks.items() if mark == "renamed"),
        in_empty=frozenset(path for path, mark in marks.items() if mark == "empty-directory"),
        other_name=frozenset(path for path, mark in marks.items() if mark == "other-name"),
        duplicates=(counts["inventoryDuplicates"], counts["listedDuplicates"]),
    )
