"""One shard, from the site into the run directory."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from listing_runs import rows_of, touch

from dynamo_consistency.errors import ConfigurationError, ListingError
from dynamo_consistency.listers.contract import Listed
from dynamo_consistency.run.keys import keys_of
from dynamo_consistency.run.listing.parquet import LISTING_COLUMNS
from dynamo_consistency.run.listing.progress import Progress
from dynamo_consistency.run.listing.shard import expected_directories, list_shard

WORKER = """
import resource, sys
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.run.listing.shard import list_shard
from dynamo_consistency.run.listing.progress import Progress
list_shard(RunDirectory(sys.argv[1]), None, 0, Progress("test"))
"""


OLD = 1_000_000_000


def test_what_a_shard_leaves_behind(site: Path, make_run):
    touch(site / "store/mc/a", b"f", b"g", size=10)
    touch(site / "store/mc/empty")
    touch(site / "store/data", b"h", size=5)
    (site / "store/data/link").symlink_to("h")
    os.utime(site / "store/data/h", (1, 1_000_000_000))
    run = make_run({"posix": {"prefix": str(site)}}, roots=["/store/mc", "/store/data"])
    before = time.time()
    result = list_shard(run, None, 0, Progress("test"))
    assert result == json.loads(Path(run.url, "listing/shard-0000.json").read_text())
    assert before - 1 <= result["listedAt"] <= time.time()
    assert result["source"] == f"posix {site}"
    assert (result["shard"], result["shards"]) == (0, 1)
    assert result["counts"] == {"files": 3, "directories": 4, "holes": 1, "bytes": 25, "requests": 4, "retries": 0}
    assert result["roots"] == {
        "/store/mc": {"files": 2, "directories": 3, "holes": 0, "bytes": 20},
        "/store/data": {"files": 1, "directories": 1, "holes": 1, "bytes": 5},
    }
    assert result["holes"] == [{"path": "/store/data/link", "reason": "a symbolic link; links are not followed"}]
    rows = {path: (kind, size, reason) for path, kind, size, _, reason in rows_of(run)}
    assert rows == {
        b"/store/mc": ("directory", 2, None),
        b"/store/mc/a": ("directory", 2, None),
        b"/store/mc/a/f": ("file", 10, None),
        b"/store/mc/a/g": ("file", 10, None),
        b"/store/mc/empty": ("directory", 0, None),
        b"/store/data": ("directory", 2, None),
        b"/store/data/h": ("file", 5, None),
        b"/store/data/link": ("hole", None, "a symbolic link; links are not followed"),
    }
    assert {path: mtime for path, _, _, mtime, _ in rows_of(run)}[b"/store/data/h"] == 1_000_000_000
    assert pq.read_schema(Path(run.url, "listing/shard-0000.parquet")).equals(LISTING_COLUMNS)
    assert expected_directories(run, 0) == 4
    assert {row["path"]: (row["root"], row["files"]) for row in all_columns_of(run)} == {
        b"/store/mc": (None, 0),
        b"/store/mc/a": (0, 2),
        b"/store/mc/a/f": (0, None),
        b"/store/mc/a/g": (0, None),
        b"/store/mc/empty": (0, 0),
        b"/store/data": (None, 1),
        b"/store/data/h": (1, None),
        b"/store/data/link": (1, None),
    }
    some = [row for row in all_columns_of(run) if row["root"] is not None]
    for name, keys in keys_of([row["path"] for row in some]).items():
        assert [row[name] for row in some] == keys.to_pylist()


def all_columns_of(run):
    return pq.read_table(Path(run.url, "listing/shard-0000.parquet")).to_pylist()


def test_a_root_that_is_not_there_is_a_hole(site: Path, list_site):
    touch(site / "store", b"f")
    result, rows = list_site({"posix": {"prefix": str(site)}}, roots=["/store", "/none"])
    assert result["holes"] == [{"path": "/none", "reason": "No such file or directory"}]
    assert (b"/none", "hole", None, None, "No such file or directory") in rows
    assert result["counts"]["files"] == 1


def test_an_excluded_directory_is_not_listed(site: Path, list_site):
    for name in ("HC", "HC2", "x/HC"):
        touch(site / "store" / name, b"f")
    _, rows = list_site({"posix": {"prefix": str(site)}}, exclude=["/store/HC"])
    assert {path for path, kind, *_ in rows if kind == "file"} == {b"/store/HC2/f", b"/store/x/HC/f"}
    assert (b"/store", 3) in {(path, entries) for path, _, entries, *_ in rows}, (
        "the parent is not as empty as it looks"
    )


@pytest.mark.parametrize("by_dump", [True, False])
def test_a_file_in_the_place_of_an_excluded_directory_takes_no_part(site: Path, make_run, *, by_dump: bool):
    touch(site / "store", b"HC", b"f")
    dump = site / "dump.tsv"
    dump.write_text("/store/HC\t1\t1700000000\n/store/f\t1\t1700000000\n")
    source = (
        {"dump": {"url": str(dump), "date": "2026-01-01T00:00:00Z"}} if by_dump else {"posix": {"prefix": str(site)}}
    )
    run = make_run(source, exclude=["/store/HC"])
    list_shard(run, None, 0, Progress("test"))
    files = {row["path"]: row for row in all_columns_of(run) if row["kind"] == "file"}
    assert {path: row["root"] for path, row in files.items()} == {b"/store/f": 0, b"/store/HC": None}
    assert (files[b"/store/HC"]["key"], files[b"/store/HC"]["tail"]) == (None, None)


def test_a_site_that_is_not_mounted_leaves_nothing(tmp_path: Path, make_run):
    run = make_run({"posix": {"prefix": str(tmp_path / "nowhere")}})
    with pytest.raises(ListingError):
        list_shard(run, None, 0, Progress("test"))
    assert run.names("listing") == []


def test_there_are_only_the_shards_of_the_check(site: Path, make_run):
    run = make_run({"posix": {"prefix": str(site)}}, shards=2)
    with pytest.raises(ConfigurationError, match="there is no shard 2"):
        list_shard(run, None, 2, Progress("test"))


def test_a_shard_that_is_whole_is_not_listed_again(site: Path, make_run):
    touch(site / "store", b"f")
    run = make_run({"posix": {"prefix": str(site)}})
    first = list_shard(run, None, 0, Progress("test"))
    touch(site / "store", b"g")
    assert list_shard(run, None, 0, Progress("test")) == first
    assert len(rows_of(run)) == 2


def test_without_a_source_the_backend_says_what_lists_the_site(list_site):
    asked = []

    def lister(door, directory):
        return True, [], [("f", 3, OLD), ("f", 3, OLD), ("unknown", None, None), ("negative", -1, OLD)]

    backend = SimpleNamespace(get_listers=lambda site: (asked.append(site), (lister, [("door",)]))[1])
    result, rows = list_site(backend=backend)
    assert asked == ["T2_TEST"]
    assert result["source"] == "get_listers lister"
    assert [row for row in rows if row[1] == "file"] == [
        (b"/store/f", "file", 3, OLD, None),
        (b"/store/f", "file", 3, OLD, None),
        (b"/store/negative", "file", None, OLD, None),
        (b"/store/unknown", "file", None, None, None),
    ]


def test_a_lister_of_many_requests_that_the_backend_names_is_used_as_such(list_site):
    seen = {}

    class Many:
        capacity = 7

        def __init__(self, door, *, concurrency, timeout):
            seen.update(door=door, concurrency=concurrency, timeout=timeout)

        def prepare(self):
            seen["order"] = ["prepare"]

        def submit(self, directory, done):
            seen["order"].append("submit")
            done(Listed())

        def verify(self):
            seen["order"].append("verify")

        def close(self):
            seen["order"].append("close")

    backend = SimpleNamespace(get_listers=lambda site: (Many, [("door",)]))
    list_site(backend=backend, concurrency=9, directoryTimeoutSeconds=30)
    assert seen == {
        "door": "door", "concurrency": 9, "timeout": 30, "order": ["prepare", "submit", "verify", "close"]
    }  # fmt: skip


def test_a_listing_that_turns_out_not_to_be_trusted_leaves_nothing(make_run):
    class Doubtful:
        capacity = 1

        def __init__(self, **_):
            pass

        def prepare(self):
            pass

        def submit(self, directory, done):
            done(Listed())

        def verify(self):
            raise ListingError("a server went away meanwhile")

        def close(self):
            pass

    run = make_run()
    with pytest.raises(ListingError):
        list_shard(run, SimpleNamespace(get_listers=lambda site: (Doubtful, [()])), 0, Progress("test"))
    assert list(Path(run.url, "listing").iterdir()) == []


def test_the_files_of_a_dump_below_the_roots_are_the_shards(tmp_path: Path, make_run):
    lines = [
        "/store/mc/a/b/f\t1\t1700000000",
        "/store/mc/top\t2\t1700000000",
        "/store/mc2/f\t4\t1700000000",
        "/store/mc/HC/f\t8\t1700000000",
    ]
    lines += [f"/store/mc/{number}/f\t16\t1700000000" for number in range(50)]
    dump = tmp_path / "dump.tsv"
    dump.write_text("\n".join(lines) + "\n")
    source = {"dump": {"url": str(dump), "date": "2026-01-01T00:00:00Z"}}
    run = make_run(source, roots=["/store/mc"], exclude=["/store/mc/HC"], shards=3, splitDepth=1)
    results = [list_shard(run, None, shard, Progress("test")) for shard in range(3)]
    rows = [row for shard in range(3) for row in rows_of(run, shard)]
    expected = {b"/store/mc/a/b/f", b"/store/mc/top"} | {b"/store/mc/%d/f" % number for number in range(50)}
    assert len(rows) == len(expected)
    assert {path for path, *_ in rows} == expected
    assert {kind for _, kind, *_ in rows} == {"file"}
    assert b"/store/mc/top" in {path for path, *_ in rows_of(run, 0)}
    assert all(result["counts"]["files"] for result in results)
    assert {result["listedAt"] for result in results} == {1767225600}
    assert sum(result["counts"]["bytes"] for result in results) == 1 + 2 + 50 * 16


@pytest.fixture
def slow_run(site: Path, make_run):
    """A run whose listing takes about a second and a half."""
    for number in range(60):
        touch(site / "store" / str(number), b"f", b"g")
    return make_run({"posix": {"prefix": str(site)}}, maxRequestsPerSecond=40)


def stop_midway(run, number: int) -> subprocess.Popen:
    """Start listing in a process of its own, and send it a signal once it has begun to write."""
    process = subprocess.Popen([sys.executable, "-c", WORKER, run.url], stderr=subprocess.DEVNULL)
    folder = Path(run.url, "listing")
    while not (folder.is_dir() and any(folder.iterdir())):
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.4)
    process.send_signal(number)
    assert process.wait(60) != 0
    return process


def test_a_shard_that_was_killed_and_started_again_is_as_if_undisturbed(slow_run, site: Path, list_site):
    stop_midway(slow_run, signal.SIGKILL)
    assert slow_run.names("listing") == []
    result = list_shard(slow_run, None, 0, Progress("test"))
    undisturbed, rows = list_site({"posix": {"prefix": str(site)}})
    assert rows_of(slow_run) == rows
    assert result["counts"] == undisturbed["counts"]


def test_an_interrupted_shard_leaves_nothing(slow_run):
    stop_midway(slow_run, signal.SIGINT)
    assert list(Path(slow_run.url, "listing").iterdir()) == []


def test_a_directory_with_a_million_files_is_listed(list_site, make_run):
    files = [(b"%d" % number, 1, 1.0) for number in range(1_000_000)]
    run = make_run()
    backend = SimpleNamespace(get_listers=lambda site: (lambda directory: (True, [], files), [()]))
    result = list_shard(run, backend, 0, Progress("test"))
    assert result["counts"]["files"] == 1_000_000
    with run.reading("listing/shard-0000.parquet") as path:
        parquet = pq.ParquetFile(path)
        assert parquet.metadata.num_rows == 1_000_001
        assert max(parquet.metadata.row_group(n).num_rows for n in range(parquet.metadata.num_row_groups)) <= 65536


MEMORY = """
import resource, sys
from types import SimpleNamespace
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.run.listing.shard import list_shard
from dynamo_consistency.run.listing.progress import Progress
def lister(directory):
    if directory == "/store":
        return True, [("directory-%d" % n, 1) for n in range(int(sys.argv[2]))], []
    return True, [], [("file-with-a-name-as-long-as-they-are-%d.root" % n, 1, 1) for n in range(20)]
backend = SimpleNamespace(get_listers=lambda site: (lister, [()]))
list_shard(RunDirectory(sys.argv[1]), backend, 0, Progress("test"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
assert not {"duckdb", "sqlalchemy", "rich"} & set(sys.modules)
"""


def test_the_memory_does_not_depend_on_the_number_of_files(make_run):
    def megabytes(directories: int) -> int:
        command = [sys.executable, "-c", MEMORY, make_run().url, str(directories)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    small, large = megabytes(1000), megabytes(15_000)
    assert large - small < 30
