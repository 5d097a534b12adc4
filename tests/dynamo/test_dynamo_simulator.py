"""The simulated Dynamo does what the real one is known to do; other tests rest on that."""

import pytest
from dynamo_simulator import DOOR, DynamoSimulator

from dynamo_consistency.backend.dynamo.database.connection import connect
from dynamo_consistency.backend.dynamo.options import Options


@pytest.fixture
def site(world, tmp_path):
    """A simulator of T2_HERE, which holds a block of two files that T2_OTHER has as well."""
    here, other, group = world.site("T2_HERE"), world.site("T2_OTHER"), world.group("DataOps")
    block = world.block(world.dataset("/A"), "b")
    simulator = DynamoSimulator(connect(Options(url=world.url)).inventory, "T2_HERE", tmp_path / "site")
    simulator.block, simulator.files = block, {}
    for name in (b"/store/a", b"/store/b"):
        simulator.files[name] = world.file(block, name, size=7)
        simulator.path(name).parent.mkdir(parents=True, exist_ok=True)
        simulator.path(name).write_bytes(b"1234567")
    world.replica(block, here, group)
    world.replica(block, other, group)
    return simulator


def claims(world, simulator) -> list[tuple]:
    return [
        world.execute("SELECT is_complete FROM block_replicas WHERE site_id = %s", (simulator.number,)),
        world.execute("SELECT file_id FROM block_replica_files WHERE site_id = %s", (simulator.number,)),
        world.execute("SELECT file_id, `delete`, status FROM file_subscriptions"),
    ]


def test_a_claimed_file_that_is_to_be_deleted_is_dropped_and_fetched_again(world, site):
    a, b = site.files.values()
    site.path(b"/store/a").write_bytes(b"wrong")
    world.subscription(a, site.number, delete=1)
    site.step()
    assert not site.path(b"/store/a").exists()
    assert [sorted(map(tuple, rows)) for rows in claims(world, site)] == [[(0,)], [(b,)], [(a, 0, "new")]]
    site.settle()
    assert site.path(b"/store/a").stat().st_size == 7
    assert [list(map(tuple, rows)) for rows in claims(world, site)] == [[(1,)], [], []]


def test_a_file_that_is_not_there_is_deleted_without_complaint(world, site):
    site.path(b"/store/a").unlink()
    world.subscription(site.files[b"/store/a"], site.number, delete=1)
    site.settle()
    assert site.path(b"/store/a").stat().st_size == 7


def test_a_transfer_of_a_file_that_the_replica_claims_does_nothing(world, site):
    site.path(b"/store/a").unlink()
    world.subscription(site.files[b"/store/a"], site.number, delete=0)
    site.settle()
    assert not site.path(b"/store/a").exists()
    assert [list(map(tuple, rows)) for rows in claims(world, site)] == [[(1,)], [], []]


def test_a_block_of_which_all_files_are_deleted_is_lost(world, site):
    for file in site.files.values():
        world.subscription(file, site.number, delete=1)
    site.settle()
    assert [list(map(tuple, rows)) for rows in claims(world, site)] == [[], [], []]


def test_a_file_without_a_source_is_held(world, site):
    world.execute("UPDATE sites SET status = 'morgue' WHERE name = 'T2_OTHER'")
    world.subscription(site.files[b"/store/a"], site.number, delete=1)
    site.settle()
    assert world.execute("SELECT `delete`, status, hold_reason FROM file_subscriptions")[0] == (0, "held", "no_source")


def test_unmanaged_files_and_empty_directories_are_deleted_and_what_fails_is_forgotten(world, site):
    site.path(b"/store/empty").mkdir()
    site.path(b"/store/full").mkdir()
    site.path(b"/store/full/x").write_bytes(b"x")
    for name in ("/store/a", "/store/empty", "/store/full", "/store/absent"):
        world.insert("unmanaged_deletions", site="T2_HERE", url=DOOR + name)
    world.insert("unmanaged_deletions", site="T2_OTHER", url=DOOR + "/store/b")
    site.settle()
    assert sorted(path.name for path in site.path(b"/store").iterdir()) == ["b", "full"]
    assert len(world.execute("SELECT * FROM unmanaged_deletions")) == 1


def test_the_rule_for_names_is_written_in_the_form_that_the_database_has(world, site):
    site.map_names()
    assert world.execute("SELECT lfn_pattern, pfn_pattern FROM filename_mappings") == [("(/.*)", DOOR + "{0}")]
