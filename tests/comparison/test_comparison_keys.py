"""Keys: what is written with them, and that no verdict depends on how few files are looked at."""

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from unittest.mock import patch

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from comparison_model import reference, runs
from comparison_model.cases import Case, Entry, Findings, Settings, Shard, SiteDirectory, SiteFile, Written
from hypothesis import assume, given
from hypothesis import strategies as st
from xxhash import xxh3_128_digest

from dynamo_consistency.run import keys
from dynamo_consistency.run.comparison import doubtful
from dynamo_consistency.run.comparison.comparison import compare
from dynamo_consistency.run.keys import keys_of
from dynamo_consistency.run.snapshot import take_snapshot


def test_the_key_of_a_path_is_the_same_in_every_version() -> None:
    columns = keys_of([b"/store/mc/f", b"/store/mc/\xff"])
    assert {name: column.to_pylist() for name, column in columns.items()} == {
        "key": [5399114644477590188, 1755832567248599687],
        "tail": [1890317361, 1723659027],
    }


def test_a_snapshot_has_keys_and_roots_of_what_takes_part_and_row_groups_of_the_rest(tmp_path: Path) -> None:
    settings = Settings(roots=(b"/store/mc", b"/store/data"), exclude=(b"/store/mc/x",))
    run = runs.write_run(Case(settings=settings), tmp_path)
    backend = runs.backend_for(Case())
    inside = {"/store/mc/f": 0, "/store/data/f": 1, "/store/mc/xy": 0}
    outside = ["/store/mc2/f", "/store/mc/x", "/store/mc/x/f", "/store/mc", "/"]
    backend.inventory.list_files = lambda _site: [(name, 1, None) for name in [*outside, *inside]]
    run.remove("inventory/before.json")
    take_snapshot(run, backend, "before")
    with run.reading("inventory/before.parquet") as path, pq.ParquetFile(path) as file:
        first, second = (file.read_row_group(number).to_pylist() for number in range(file.num_row_groups))
    assert {row["path"].decode(): row["root"] for row in first} == inside
    for name, column in keys_of([row["path"] for row in first]).items():
        assert [row[name] for row in first] == column.to_pylist()
    assert {(row["path"].decode(), row["key"], row["tail"], row["root"]) for row in second} == {
        (name, None, None, None) for name in outside
    }


Row = tuple[int, int, int | None]

WIDEST = 1 << 64
BORDERS = sorted({key % WIDEST for border in range(0, WIDEST + 1, WIDEST // 16) for key in (border - 1, border)})
"""Keys with which ranges and buckets begin and end."""


def lists(seed: int) -> list[list[Row]]:
    """(key, tail, size) of two snapshots and a listing that mostly agree, some of it several times."""
    chance = random.Random(seed)
    some = [chance.getrandbits(64) for _ in range(2000)] + BORDERS
    every = [(key, chance.getrandbits(32), chance.choice([1, 2, None])) for key in some]
    every += chance.sample(every, 20)
    sides: list[list[Row]] = [list(every) for _ in range(3)]
    for number in range(60):
        side = chance.choice(sides)
        place = chance.randrange(len(side) - 60 if number % 2 else 0, len(side))
        change = chance.choice(["lost", "twice", "size", "elsewhere", "of one key"])
        key, tail, size = side.pop(place) if change in ("lost", "size", "of one key") else side[place]
        if change == "size":
            side.append((key, tail, 3 if size is None else None))
        elif change == "of one key":
            side.append((key, tail ^ 1 << chance.randrange(32), size))
        elif change != "lost":
            side.append((key if change == "twice" else chance.getrandbits(64), tail, size))
    return sides


@given(things=st.integers(0, 10**6), size=st.integers(1, 1000), memory=st.integers(1000, 10**9))
def test_every_key_is_in_one_range(things: int, size: int, memory: int) -> None:
    with patch.object(doubtful, "memory_limit", lambda: memory):
        ranges = list(itertools.islice(doubtful._ranges(things, size), 5000))
    assume(len(ranges) < 5000)
    assert (ranges[0][0], ranges[-1][1]) == (0, WIDEST - 1)
    assert all(first <= last for first, last in ranges)
    assert all(last + 1 == first for (_, last), (first, _) in itertools.pairwise(ranges))
    assert things * size <= memory * len(ranges)


@given(some=st.lists(st.binary(max_size=20), max_size=8), at_once=st.integers(1, 4), data=st.data())
def test_keys_are_those_of_each_path_by_itself(some: list[bytes], at_once: int, data: st.DataObject) -> None:
    """However they come: a list, or a part of a column, some at a time."""
    digests = [xxh3_128_digest(path) for path in some]
    expected = {
        "key": [int.from_bytes(digest[:8], "little") for digest in digests],
        "tail": [int.from_bytes(digest[8:12], "little") for digest in digests],
    }
    first = data.draw(st.integers(0, len(some)))
    with patch.object(keys, "_AT_ONCE", at_once):
        part = keys.keys_of_column(pa.array(some, pa.binary()).slice(first))
    assert {name: column.to_pylist() for name, column in keys_of(some).items()} == expected
    assert {name: column.to_pylist() for name, column in part.items()} == {
        name: values[first:] for name, values in expected.items()
    }


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.mark.parametrize("ranges", [0, 1, 8])
@pytest.mark.parametrize("seed", range(5))
def test_the_doubtful_are_those_that_not_all_lists_have_alike_and_once(
    seed: int, ranges: int, database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether or not there are buckets, and in however many ranges the memory has them done."""
    sides = lists(seed)
    for name, side in zip(("inventory_before", "inventory_after", "listing"), sides, strict=True):
        columns = zip((pa.uint64(), pa.uint32(), pa.int64()), zip(*side, strict=True), strict=True)
        arrays = [pa.array(values, kind) for kind, values in columns]
        arrays += [pa.repeat(pa.scalar(value), len(side)) for value in ("file", 0)]
        rows = pa.table(arrays, names=["key", "tail", "size", "kind", "root"])
        database.register("rows", rows)
        database.execute(f"CREATE OR REPLACE TABLE {name} AS FROM rows")
    queries = resources.files(doubtful.__package__).joinpath("comparison.sql").read_text()
    database.execute("DROP VIEW IF EXISTS weighed; DROP MACRO IF EXISTS weight_of")
    for statement in database.extract_statements(queries)[:2]:
        database.execute(statement)
    database.execute("CREATE OR REPLACE TABLE doubtful (key UBIGINT)")
    monkeypatch.setattr(doubtful, "_FEW_ROWS", 0 if ranges else 10**9)
    monkeypatch.setattr(doubtful, "memory_limit", lambda: (128 // ranges if ranges else 1) * 1024)
    doubtful.find_doubtful(database, sum(map(len, sides)))
    counted = [Counter(side) for side in sides]
    expected = {row[0] for row in set().union(*counted) if {count[row] for count in counted} != {1}}
    assert {key for (key,) in database.execute("FROM doubtful").fetchall()} == expected


def test_the_sums_of_buckets_stand_in_an_array(database: duckdb.DuckDBPyConnection) -> None:
    """A hash table of so many buckets holds nearly every row until the end."""
    database.execute("CREATE OR REPLACE VIEW weighed AS SELECT hash(i) AS key, i AS weight FROM range(1000) AS t(i)")
    database.execute(doubtful._PIECE.format(first=0, last=WIDEST - 1))
    with doubtful._sums_in_an_array(database, 20):
        ((_, plan),) = database.execute(f"EXPLAIN {doubtful._UNEVEN.format(width=1 << 44)}").fetchall()
    database.execute("DROP TABLE piece")
    assert "Perfect Hash Group By" in plan


@pytest.mark.parametrize("written", [Written.NOW, Written.FORMERLY])
@pytest.mark.parametrize("walked", [True, False])
def test_what_lies_in_a_listed_file_makes_it_a_directory(tmp_path: Path, written: Written, *, walked: bool) -> None:
    """Be there few endings of names or many, and whether or not the listing has directories."""
    listed = [f"/store/mc/{number}.{number:03}/d/f".encode() for number in range(20)]
    above = [path.rpartition(b"/d/")[0] for path in listed]
    orphan = b"/store/mc/0.root"
    files = tuple(SiteFile(path) for path in [*listed, *above, orphan])
    directories = tuple(SiteDirectory(path.rpartition(b"/")[0]) for path in listed) if walked else ()
    entries = tuple(map(Entry, listed))
    case = Case(entries, entries, (Shard(files=files, directories=directories),), written=written)
    counts = compare(run := runs.write_run(case, tmp_path), runs.backend_for(case))
    assert [row["path"] for row in runs.findings_of(run)["orphan"]] == [orphan]
    assert counts["listedFiles"] == len(listed) + 1


def with_one_key(*patterns: bytes) -> list[bytes]:
    """The same number put into each pattern, such that all have one and the same weak key."""
    some = ([pattern % number for pattern in patterns] for number in range(1000))
    return next(paths for paths in some if runs.weak_keys(paths) == [0] * len(paths))


ONE, OTHER = with_one_key(b"/store/%d", b"/store/o%d")
DIRECTORY, TWIN = with_one_key(b"/store/d%d", b"/store/t%d/f")
CLAIMED = with_one_key(b"/store/c%d/f")[0]
LOWER, UPPER = with_one_key(b"/store/r%d", b"/store/R%d")
COLLIDING = {
    "missing and orphan of one size": ([ONE], [OTHER], [], Findings(missing={ONE}, orphan={OTHER})),
    "both at the site": ([ONE, OTHER], [ONE, OTHER], [], Findings()),
    "both missing": ([ONE, OTHER], [], [], Findings(missing={ONE, OTHER})),
    "one missing": ([ONE, OTHER], [OTHER], [], Findings(missing={ONE})),
    "one an orphan": ([ONE], [ONE, OTHER], [], Findings(orphan={OTHER})),
    "one twice instead of both": ([ONE, OTHER], [ONE, ONE], [], Findings(missing={OTHER}, duplicates=(0, 1))),
    "an empty directory and a file": ([ONE], [ONE], [DIRECTORY], Findings(empty=(DIRECTORY,))),
    "an empty directory and an orphan": ([], [OTHER], [DIRECTORY], Findings(orphan={OTHER}, empty=(DIRECTORY,))),
    "a directory and its entry": ([DIRECTORY], [], [DIRECTORY], Findings(missing={DIRECTORY}, in_empty={DIRECTORY})),
    "a twin": ([CLAIMED], [CLAIMED, TWIN], [], Findings(twin={TWIN})),
    "a twin of what is not seen": ([CLAIMED], [TWIN], [], Findings(missing={CLAIMED}, twin={TWIN})),
    "renamed": ([LOWER], [UPPER], [], Findings(missing={LOWER}, orphan={UPPER}, renamed={LOWER, UPPER})),
}


@pytest.mark.parametrize("few", [True, False])
@pytest.mark.parametrize("name", COLLIDING)
def test_two_paths_with_one_key_stay_two(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, few: bool
) -> None:
    monkeypatch.setattr(doubtful, "_FEW_ROWS", 1000 if few else 0)
    expected_files, listed, directories, expected = COLLIDING[name]
    entries = tuple(map(Entry, [*expected_files, b"/store/healthy"]))
    files = tuple(map(SiteFile, [*listed, b"/store/healthy"]))
    shard = Shard(files=files, directories=tuple(map(SiteDirectory, directories)))
    case = Case(entries, entries, (shard,), written=Written.COLLIDING)
    found = runs.engine(case, tmp_path)
    assert (found, found.duplicates) == (expected, expected.duplicates)
    assert found == reference.compare(case)
