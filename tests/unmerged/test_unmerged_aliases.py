"""Directories with two names: deleting under one of them deletes what the other one leads to."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.run.unmerged import find_unmerged

OLD = 1_000_000_000
U = "/store/unmerged"


def with_identities(run: RunDirectory, name: str, identities: dict[str, int]) -> None:
    """Let the listing `name` of `run` have these directories, by their identities."""
    rows = [(path.encode(), "directory", 1, OLD, None, identity) for path, identity in identities.items()]
    names = ("path", "kind", "size", "mtime", "reason", "identity")
    types = (pa.binary(), pa.string(), pa.int64(), pa.int64(), pa.string(), pa.int64())
    columns = zip(names, types, zip(*rows, strict=True), strict=True)
    table = pa.table({name: pa.array(column, kind) for name, kind, column in columns})
    if run.exists(name):
        with run.reading(name) as path:
            listed = pq.read_table(path).select(names[:5]).cast(table.select(names[:5]).schema)
        table = pa.concat_tables([table, listed.append_column("identity", pa.nulls(len(listed), pa.int64()))])
    with run.writing(name) as path:
        pq.write_table(table, path)


def found(run: RunDirectory) -> list[bytes]:
    find_unmerged(run)
    with run.reading("findings/unmerged.parquet") as path:
        return [row["path"] for row in pq.read_table(path).to_pylist()]


@pytest.fixture
def run(area) -> RunDirectory:
    area.files = [(f"{U}/{name}", OLD) for name in ("a/f", "a/d/f", "b/f", "c/f")]
    return area.run()


def test_nothing_goes_from_a_directory_that_has_two_names_in_the_area(run):
    with_identities(run, "listing/unmerged.parquet", {f"{U}/a": 7, f"{U}/b": 7, f"{U}/c": 8})
    assert found(run) == [f"{U}/c/f".encode()]


def test_nothing_goes_from_a_directory_that_a_root_of_the_check_has_as_well(run):
    with_identities(run, "listing/unmerged.parquet", {f"{U}/a": 7, f"{U}/b": 8})
    with_identities(run, "listing/shard-0000.parquet", {"/store/mc/a": 7, "/store/mc/c": 9})
    assert found(run) == [f"{U}/b/f".encode(), f"{U}/c/f".encode()]


def test_what_has_a_name_of_its_own_goes(run):
    with_identities(run, "listing/unmerged.parquet", {f"{U}/a": 7, f"{U}/b": 8})
    assert len(found(run)) == 4


def test_nothing_goes_that_has_another_name(area):
    area.files = [(f"{U}/{name}", OLD) for name in ("a/f", "b/g", "c/h")]
    run = area.run()
    with run.reading("listing/unmerged.parquet") as path:
        listed = pq.read_table(path)
    identities = {f"{U}/a/f".encode(): 7, f"{U}/b/g".encode(): 7, f"{U}/c/h".encode(): 8}
    column = pa.array(map(identities.get, listed["path"].to_pylist()), pa.int64())
    listed = listed.set_column(listed.schema.get_field_index("identity"), "identity", column)
    with run.writing("listing/unmerged.parquet") as path:
        pq.write_table(listed, path)
    assert found(run) == [f"{U}/c/h".encode()]


def test_what_may_be_a_claimed_file_under_another_name_stays(area):
    area.inventory = ["/store/mc/set/f", "/store/mc/set/other"]
    area.files = [(f"{U}/{name}", OLD) for name in ("again/f", "again/mine")]
    assert found(area.run()) == [f"{U}/again/mine".encode()]


@pytest.mark.parametrize(("size", "mtime", "goes"), [(10, OLD, False), (11, OLD, True), (10, OLD - 1, True)])
def test_of_a_claimed_file_that_was_listed_the_size_and_the_time_are_known(area, size, mtime, goes):
    area.inventory = ["/store/mc/set/f"]
    area.files = [(f"{U}/again/f", OLD)]
    run = area.run()
    listed = pa.table({"path": [b"/store/mc/set/f"], "kind": ["file"], "size": [size], "mtime": [mtime]})
    with run.reading("listing/unmerged.parquet") as path, run.writing("listing/shard-0000.parquet") as shard:
        schema = pq.read_schema(path)
        columns = [listed[name] if name in listed.column_names else pa.nulls(1) for name in schema.names]
        pq.write_table(pa.table(columns, names=schema.names).cast(schema), shard)
    assert found(run) == [f"{U}/again/f".encode()] * goes
