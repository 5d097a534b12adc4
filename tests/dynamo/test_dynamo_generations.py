"""The schema that a database has is found out and told; what is not known is refused."""

import pytest

from dynamo_consistency.errors import BackendError

pytestmark = pytest.mark.mariadb


@pytest.mark.parametrize(
    ("generation", "sentence"),
    [
        ("master", "Dynamo v2.2 or later (master), with file subscriptions, unmanaged deletions, deletion requests, "),
        ("innodb", "Dynamo v2.2 or later (branch innodb), with file subscriptions, "),
        ("production", "Dynamo of 2018 with v1 queues (branch production), with deletion requests, active deletions, "),
        ("ours", "Dynamo v2.2 or later (master), with file subscriptions, "),
    ],
)
def test_each_generation_is_described_in_a_sentence(make_world, generation, sentence):
    world = make_world(generation)
    assert sentence in world.backend().describe()
    assert world.backend().describe().startswith(f"{world.name} on 127.0.0.1:")


@pytest.mark.parametrize(
    ("generation", "view"), [("master", "MyISAM tables"), ("innodb", "one consistent view"), ("ours", "one consistent")]
)
def test_the_description_says_whether_a_snapshot_is_consistent(make_world, generation, view):
    assert view in make_world(generation).backend().describe()


def test_one_myisam_table_is_enough_to_lose_the_consistent_view(make_world):
    world = make_world("innodb", new=True)
    world.execute("ALTER TABLE block_replica_files ENGINE = MyISAM")
    assert "MyISAM tables" in world.backend().describe()


def test_v1_queues_beside_a_newer_schema_are_noticed(make_world, mariadb):
    world = make_world("master", new=True)
    for queue in ("deletion_queue", "transfer_queue"):
        world.execute(f"CREATE TABLE {{register}}{queue} (file VARCHAR(512) NOT NULL, site VARCHAR(32) NOT NULL)")
    assert "(master)" in world.backend().describe()
    assert "v1 queues" in world.backend().describe()


@pytest.mark.parametrize(
    ("generation", "change", "lacking"),
    [
        ("master", "DROP TABLE files", "it lacks files;"),
        ("master", "ALTER TABLE block_replicas DROP COLUMN last_update", "it lacks block_replicas.last_update;"),
        ("master", "DROP TABLE file_subscriptions", "it lacks file_subscriptions;"),
        ("master", "DROP TABLE block_replica_files", "has no block_replica_files .* has no deletion_queue"),
        ("master", "ALTER TABLE filename_mappings DROP COLUMN protocol", "it lacks filename_mappings.protocol "),
        ("innodb", "DROP TABLE transfer_protocols", "filename_mappings.protocol_id with transfer_protocols"),
        ("production", "DROP TABLE {register}transfer_queue", "has no block_replica_files"),
        ("master", "DROP TABLE {register}deletion_request_items", "it lacks deletion_request_items;"),
        ("master", "ALTER TABLE {register}active_deletions DROP COLUMN status", "it lacks active_deletions.status;"),
    ],
)
def test_a_schema_that_is_not_known_is_an_error_that_says_what_is_lacking(make_world, generation, change, lacking):
    world = make_world(generation, new=True)
    world.execute(change)
    with pytest.raises(BackendError, match=lacking):
        world.backend().describe()


def test_an_absent_kind_of_request_is_nothing_pending_and_described(make_world):
    world = make_world("master", new=True)
    world.site("T2_HERE")
    world.execute("DROP TABLE {register}active_deletions")
    assert "active deletions" not in world.backend().describe()
    assert world.backend().deletion_requests("T2_HERE") == set()


def test_a_register_without_any_table_of_requests_is_an_error_not_nothing_pending(make_world):
    world = make_world("master", new=True)
    with pytest.raises(BackendError, match="set registerUrl"):
        world.backend(register_url=world.url).describe()


def test_looking_changes_nothing(make_world, mariadb):
    world = make_world("master", new=True)
    before = mariadb.execute("SHOW TABLES", database=world.name)
    world.backend().describe()
    assert mariadb.execute("SHOW TABLES", database=world.name) == before
