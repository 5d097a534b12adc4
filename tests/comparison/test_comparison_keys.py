"""Keys: what is written with them, and that no verdict depends on how few files are looked at."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from comparison_model import runs
from comparison_model.cases import Case, Entry, Settings, Shard, SiteDirectory, SiteFile, Written

from dynamo_consistency.run.comparison import doubtful
from dynamo_consistency.run.comparison.comparison import compare
from dynamo_consistency.run.keys import keys_of
from dynamo_consistency.run.snapshot import take_snapshot


def test_the_key_of_a_path_is_the_same_in_every_version() -> None:
    assert keys_of([b"/store/mc/f", b"/store/mc/\xff"]).to_pylist() == [17745341368195618727, 17982434919041235950]


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
    assert [row["key"] for row in first] == keys_of([row["path"] for row in first]).to_pylist()
    assert {(row["path"].decode(), row["key"], row["root"]) for row in second} == {
        (name, None, None) for name in outside
    }


def lists(seed: int) -> list[list[tuple[int, int | None]]]:
    """(key, size) of two snapshots and a listing that mostly agree, some of it several times."""
    chance = random.Random(seed)
    every = [(chance.getrandbits(64), chance.choice([1, 2, None])) for _ in range(2000)]
    sides: list[list[tuple[int, int | None]]] = [list(every) for _ in range(3)]
    for _ in range(30):
        side = chance.choice(sides)
        place = chance.randrange(len(side))
        change = chance.choice(["lost", "twice", "size", "elsewhere"])
        key, size = side.pop(place) if change in ("lost", "size") else side[place]
        if change == "size":
            side.append((key, 3 if size is None else None))
        elif change != "lost":
            side.append((key, size) if change == "twice" else (chance.getrandbits(64), size))
    return sides


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.mark.parametrize("ranges", [0, 1, 8])
@pytest.mark.parametrize("seed", range(5))
def test_the_doubtful_are_those_that_not_all_lists_have_alike(
    seed: int, ranges: int, database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether or not there are buckets, and in however many ranges the memory has them done."""
    sides = lists(seed)
    for name, side in zip(("inventory_before", "inventory_after", "listing"), sides, strict=True):
        keys, sizes = zip(*side, strict=True)
        columns = {"key": pa.array(keys, pa.uint64()), "size": pa.array(sizes, pa.int64())}
        rows = pa.table(columns | {"kind": ["file"] * len(side), "root": [0] * len(side)})
        database.register("rows", rows)
        database.execute(f"CREATE OR REPLACE TABLE {name} AS FROM rows")
    queries = resources.files(doubtful.__package__).joinpath("comparison.sql").read_text()
    view = next(statement for statement in database.extract_statements(queries) if "VIEW weighed" in statement.query)
    database.execute("DROP VIEW IF EXISTS weighed")
    database.execute(view)
    database.execute("CREATE OR REPLACE TABLE doubtful (key UBIGINT)")
    monkeypatch.setattr(doubtful, "_FEW_ROWS", 0 if ranges else 10**9)
    monkeypatch.setattr(doubtful, "memory_limit", lambda: (128 // ranges if ranges else 1) * 1024)
    doubtful.find_doubtful(database, sum(map(len, sides)))
    counted = [Counter(side) for side in sides]
    expected = {key for key, size in set().union(*counted) if len({count[key, size] for count in counted}) > 1}
    assert {key for (key,) in database.execute("FROM doubtful").fetchall()} == expected


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


def test_a_missing_file_and_an_orphan_with_one_key_and_one_size_hide_each_other(tmp_path: Path) -> None:
    """Nobody sees them; with different sizes both are found. Of two paths in 10^19 one pair has one key."""
    one, other = with_one_key()
    for size, found in ((1, []), (2, [one, other])):
        case = Case((Entry(one), HEALTHY), (Entry(one), HEALTHY), (Shard(files=(SiteFile(other, size), SEEN)),))
        run = runs.write_run(replace(case, written=Written.COLLIDING), tmp_path / str(size))
        compare(run, runs.backend_for(case))
        findings = runs.findings_of(run)
        assert [row["path"] for kind in ("missing", "orphan") for row in findings[kind]] == found


HEALTHY, SEEN = Entry(b"/store/healthy"), SiteFile(b"/store/healthy")


def with_one_key() -> list[bytes]:
    """Two paths with one weak key."""
    some = (f"/store/{number}".encode() for number in range(100))
    return [path for path in some if runs.weak_keys([path]) == [0]][:2]
