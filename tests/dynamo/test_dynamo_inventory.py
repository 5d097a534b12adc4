"""What the stream of the inventory says, on every schema of v2.2 and later."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from dynamo_consistency.backend.contract import INVENTORY_COLUMNS
from dynamo_consistency.backend.dynamo import inventory
from dynamo_consistency.errors import BackendError

T = 1_550_000_000


@pytest.fixture
def site(world):
    return world.site("T2_HERE")


@pytest.fixture
def block(world):
    return world.block(world.dataset("/A/E-v1/AOD"), "block-a")


@pytest.fixture
def group(world):
    return world.group("DataOps")


def test_every_column_says_what_the_inventory_knows(world, site, block, group):
    world.file(block, b"/store/a", 1234)
    world.replica(block, site, group, last_update=T)
    [batch] = world.backend().inventory.stream("T2_HERE")
    assert batch.schema.names == INVENTORY_COLUMNS.names
    assert batch.to_pylist() == [
        {
            "path": b"/store/a",
            "size": 1234,
            "time": T,
            "in_flight": False,
            "dataset": "/A/E-v1/AOD",
            "block": "block-a",
            "group": "DataOps",
        }
    ]


def test_a_complete_replica_has_all_files_of_its_block(world, site, block, group):
    for name in (b"/store/a", b"/store/b"):
        world.file(block, name)
    world.replica(block, site, group)
    assert world.in_flight("T2_HERE") == {b"/store/a": False, b"/store/b": False}


def test_files_that_an_incomplete_replica_does_not_list_are_in_flight(world, site, block, group):
    here = world.file(block, b"/store/here")
    world.file(block, b"/store/coming")
    world.replica(block, site, group, complete=False)
    world.claim(block, site, here)
    assert world.in_flight("T2_HERE") == {b"/store/here": False, b"/store/coming": True}


def test_a_list_of_another_site_says_nothing_here(world, site, block, group):
    file = world.file(block, b"/store/a")
    other = world.site("T2_OTHER")
    world.replica(block, site, group, complete=False)
    world.claim(block, other, file)
    assert world.in_flight("T2_HERE") == {b"/store/a": True}


def test_a_replica_without_owner_is_in_flight_and_has_no_group(world, site, block):
    world.file(block, b"/store/a")
    world.replica(block, site, group=0)
    [row] = next(world.backend().inventory.stream("T2_HERE")).to_pylist()
    assert (row["in_flight"], row["group"]) == (True, None)


@pytest.mark.parametrize("status", ["new", "inbatch", "retry", "held", "done"])
@pytest.mark.parametrize("delete", [0, 1])
def test_a_file_with_a_subscription_that_is_not_yet_applied_is_in_flight(embedded, status, delete):
    block = embedded.block(embedded.dataset("/A"), "b")
    site, group = embedded.site("T2_HERE"), embedded.group("g")
    embedded.replica(block, site, group)
    embedded.subscription(embedded.file(block, b"/store/a"), site, delete, status)
    embedded.subscription(embedded.file(block, b"/store/b"), site, delete, "cancelled")
    embedded.subscription(embedded.file(block, b"/store/c"), site + 1, delete, status)
    assert embedded.in_flight("T2_HERE") == {b"/store/a": True, b"/store/b": False, b"/store/c": False}


def test_a_subscription_makes_no_row_twice(world, site, block, group):
    world.replica(block, site, group)
    file = world.file(block, b"/store/a")
    world.subscription(file, site, delete=0)
    world.subscription(file, site, delete=1)
    assert world.in_flight("T2_HERE") == {b"/store/a": True}


def test_a_file_whose_block_or_dataset_has_vanished_is_at_the_site_all_the_same(world, site, group):
    world.replica(4711, site, group)
    world.file(4711, b"/store/a")
    [row] = next(world.backend().inventory.stream("T2_HERE")).to_pylist()
    assert (row["path"], row["in_flight"], row["dataset"], row["block"]) == (b"/store/a", False, None, None)


def test_files_come_in_batches_that_are_together_all_of_them(world, site, block, group, monkeypatch):
    monkeypatch.setattr(inventory, "BATCH_ROWS", 3)
    world.replica(block, site, group)
    names = {f"/store/{number}".encode() for number in range(10)}
    for name in names:
        world.file(block, name)
    batches = list(world.backend().inventory.stream("T2_HERE"))
    assert [batch.num_rows for batch in batches] == [3, 3, 3, 1]
    assert set(pa.Table.from_batches(batches)["path"].to_pylist()) == names


def test_a_site_without_files_gives_no_batch(world, site):
    assert list(world.backend().inventory.stream("T2_HERE")) == []


@pytest.mark.parametrize("world", ["sqlite", pytest.param("master", marks=pytest.mark.mariadb)], indirect=True)
@pytest.mark.parametrize("name", ["T2_NOWHERE", "t2_here", "T2_HERE ", "T2_日本", ""])
def test_a_site_that_the_inventory_does_not_know_is_an_error(world, site, name):
    backend = world.backend()
    for ask in (
        lambda: list(backend.inventory.stream(name)),
        lambda: backend.inventory.protected_datasets(name),
        lambda: backend.deletion_requests(name),
        lambda: backend.check_site(name),
        lambda: backend.registry.sources(name, ["/store/a"]),
    ):
        with pytest.raises(BackendError, match="knows no site"):
            ask()


def test_list_files_gives_names_sizes_and_times_and_what_is_in_flight_is_young(world, site, group, block):
    listed, other = world.file(block, b"/store/a", 7), world.block(world.dataset("/B"), "b")
    world.file(other, b"/store/b", -1)
    world.replica(block, site, group, last_update=T)
    world.replica(other, site, group=0, last_update=T)
    assert listed
    files = {name: (size, time) for name, size, time in world.backend().inventory.list_files("T2_HERE")}
    assert files["/store/a"] == (7, datetime.fromtimestamp(T, UTC))
    assert datetime.now(UTC) - files["/store/b"][1] < timedelta(seconds=60)


@pytest.mark.mariadb
def test_in_2018_a_file_is_expected_only_in_a_complete_replica_with_an_owner(make_world):
    world = make_world("production")
    site, group, dataset = world.site("T2_HERE"), world.group("g"), world.dataset("/A")
    for name, owner, complete in (("whole", group, True), ("part", group, False), ("left", 0, True)):
        block = world.block(dataset, name)
        world.file(block, f"/store/{name}".encode())
        world.replica(block, site, owner, complete)
    assert world.in_flight("T2_HERE") == {b"/store/whole": False, b"/store/part": True, b"/store/left": True}


@pytest.mark.mariadb
def test_in_2018_sites_that_differ_in_case_only_are_not_taken_for_each_other(make_world):
    world = make_world("production")
    world.site("T2_HERE")
    with pytest.raises(BackendError, match="knows no site 't2_here'"):
        world.in_flight("t2_here")
