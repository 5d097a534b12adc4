"""An account with the documented grants is enough, and nothing of the inventory is ever written."""

import re
from pathlib import Path

import pytest
from mariadb_server import READER

from dynamo_consistency.errors import BackendError

pytestmark = pytest.mark.mariadb


def everything(backend, tmp_path) -> list:
    """What a check asks of a backend, wholly."""
    (tmp_path / "list").write_bytes("/store/a\n/store/日本\n".encode())
    backend.filelist_to_blocklist("T2_HERE", str(tmp_path / "list"), str(tmp_path / "blocks"))
    return [
        backend.describe(),
        backend.check_site("T2_HERE"),
        backend.siteinfo.site_list(),
        backend.siteinfo.ready_sites(),
        [batch.to_pylist() for batch in backend.inventory.stream("T2_HERE")],
        backend.inventory.list_files("T2_HERE"),
        backend.inventory.protected_datasets("T2_HERE"),
        backend.deletion_requests("T2_HERE"),
        backend.registry.sources("T2_HERE", ["/store/a"]),
        backend.export_files("T2_HERE", tmp_path / "export.tsv"),
        (tmp_path / "blocks").read_text(),
    ]


def checksums(mariadb, world) -> list:
    return [
        mariadb.execute(f"CHECKSUM TABLE `{table}`", database=database)
        for database in (world.name, f"{world.name}register")
        for (table,) in mariadb.execute("SHOW TABLES", database=database)
    ]


def settled(world) -> None:
    block = world.block(world.dataset("/A/E-v1/AOD"), "b")
    world.file(block, b"/store/a")
    world.replica(block, world.site("T2_HERE"), world.group("DataOps"))
    world.replica(block, world.site("T1_OTHER"), world.group("Other"))


@pytest.mark.parametrize("generation", ["master", "innodb", "production", "ours"])
def test_an_account_that_can_only_select_does_everything_and_changes_nothing(make_world, mariadb, generation, tmp_path):
    world = make_world(generation)
    settled(world)
    before = checksums(mariadb, world)
    by_root = everything(world.backend(), tmp_path)
    assert everything(world.backend(url=mariadb.url(world.name, *READER)), tmp_path) == by_root
    assert checksums(mariadb, world) == before


def test_the_grants_in_the_documentation_are_those_that_the_tests_use(mariadb, make_world):
    world = make_world("master")
    documented = re.findall(r"^GRANT (\w+) ON (\w+)\.\* TO", Path("docs/dynamo.md").read_text(), re.MULTILINE)
    assert documented == [("SELECT", "dynamo"), ("SELECT", "dynamoregister")]
    granted = " ".join(row[0] for row in mariadb.execute("SHOW GRANTS FOR reader@'127.0.0.1'"))
    for _, database in documented:
        assert f"GRANT SELECT ON `{database.replace('dynamo', world.name)}`.*" in granted


def test_requests_that_may_not_be_read_are_an_error_and_never_nothing_pending(make_world, mariadb):
    world = make_world("master", new=True)
    settled(world)
    mariadb.execute("CREATE USER blind@'127.0.0.1' IDENTIFIED BY 'blind-s3cret'")
    try:
        mariadb.execute(f"GRANT SELECT ON {world.name}.* TO blind@'127.0.0.1'")
        backend = world.backend(url=mariadb.url(world.name, "blind", "blind-s3cret"))
        with pytest.raises(BackendError, match=r"1044.*docs/dynamo\.md"):
            backend.deletion_requests("T2_HERE")
        mariadb.execute(f"GRANT SELECT ON {world.name}register.active_deletions TO blind@'127.0.0.1'")
        with pytest.raises(BackendError, match=r"1142.*docs/dynamo\.md"):
            backend.deletion_requests("T2_HERE")
    finally:
        mariadb.execute("DROP USER blind@'127.0.0.1'")


@pytest.mark.parametrize("generation", ["master", "production"])
def test_a_list_is_never_imported_into_a_real_inventory(make_world, mariadb, generation, tmp_path):
    from dynamo_consistency.errors import ConfigurationError

    world = make_world(generation)
    settled(world)
    before = checksums(mariadb, world)
    (tmp_path / "list.tsv").write_text("/store/a\t1\n")
    with pytest.raises(ConfigurationError, match="was not made by `dynamo-consistency inventory init`"):
        world.backend().import_files("T2_HERE", tmp_path / "list.tsv")
    with pytest.raises(ConfigurationError, match="only fills an empty database"):
        world.backend().init()
    assert checksums(mariadb, world) == before
