"""Tables whose names have been converted to another code than Dynamo's latin1, on a real MariaDB."""

import pytest

from dynamo_consistency.errors import BackendError

pytestmark = pytest.mark.mariadb

NAMES = ["/store/mc/é.root", "/store/mc/日本", "/store/mc/plain"]


def converted(make_world, mariadb, collation: str, *tables: str):
    """A world with the names at a site, of which the tables, or all, are converted."""
    world = make_world("master", new=True)
    for database in (world.name, f"{world.name}register"):
        for (table,) in mariadb.execute("SHOW TABLES", database=database):
            if not tables or table in tables:
                code = collation.partition("_")[0]
                change = f"ALTER TABLE `{table}` CONVERT TO CHARACTER SET {code} COLLATE {collation}"
                mariadb.execute(change, database=database)
    block = world.block(world.dataset("/A/E-v1/AOD"), "b")
    world.replica(block, world.site("T2_HERE"), world.group("DataOps"), last_update=0)
    for name in NAMES:
        mariadb.execute("INSERT INTO files (block_id, size, name) VALUES (%s, 10, %s)", (block, name), world.name)
    return world


@pytest.mark.parametrize("collation", ["utf8mb4_general_ci", "utf8mb4_bin", "utf8mb3_general_ci"])
def test_names_are_looked_up_in_the_code_of_all_tables(make_world, mariadb, collation):
    world = converted(make_world, mariadb, collation)
    inventory = world.backend().inventory
    listed = [row["path"] for batch in inventory.stream("T2_HERE") for row in batch.to_pylist()]
    assert sorted(listed) == sorted(name.encode() for name in NAMES)
    assert set(inventory.look_up("T2_HERE", listed)) == set(listed)


def test_a_name_that_cannot_be_looked_up_for_sure_is_not_taken_for_unknown(make_world, mariadb):
    world = converted(make_world, mariadb, "utf8mb4_bin", "files")
    inventory = world.backend().inventory
    assert set(inventory.look_up("T2_HERE", [b"/store/mc/plain"])) == {b"/store/mc/plain"}
    with pytest.raises(BackendError, match=r"^the name /store/mc/é\.root cannot be looked up: .* latin1, utf8mb4$"):
        inventory.look_up("T2_HERE", [NAMES[0].encode()])
