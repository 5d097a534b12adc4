"""Requests in the queues of 2018, and the choice between them and the tables of v2."""

import pytest
from registry_worlds import Registered, outcomes, urls

from dynamo_consistency.errors import BackendError

pytestmark = pytest.mark.mariadb


@pytest.fixture
def site(make_world) -> Registered:
    return Registered(make_world("production"), mapped=False)


@pytest.fixture
def mixed(make_world, mariadb) -> Registered:
    """A Dynamo of v2.2 or later beside which the queues of 2018 stand."""
    world = make_world("master", new=True)
    for table in ("deletion_queue", "transfer_queue"):
        source = make_world("production")
        mariadb.execute(f"CREATE TABLE {world.name}register.{table} LIKE {source.name}register.{table}")
    return Registered(world)


def deletions(world) -> list[tuple]:
    columns = "reqid, CAST(file AS BINARY), site, status"
    return list(world.execute(f"SELECT {columns} FROM {{register}}deletion_queue ORDER BY file"))


def transfers(world) -> list[tuple]:
    columns = "reqid, CAST(file AS BINARY), site_from, site_to, status, fsize"
    return list(world.execute(f"SELECT {columns} FROM {{register}}transfer_queue ORDER BY file, site_from"))


def test_files_are_queued_for_deletion_once(site):
    assert outcomes(site.ask_deletion(b"/store/a", b"/store/A", b"/store/a")) == ["requested"] * 3
    expected = [(0, b"/store/a", "T2_HERE", "new"), (0, b"/store/A", "T2_HERE", "new")]
    assert sorted(deletions(site.world)) == sorted(expected)
    assert outcomes(site.ask_deletion(b"/store/a", b"/store/A")) == ["waiting"] * 2
    assert sorted(deletions(site.world)) == sorted(expected)


def test_a_file_that_another_site_with_the_same_door_has_is_refused(site, mariadb):
    world = site.world
    third = world.site("T2_THIRD")
    for number, door in ((site.here, "root://a.example.org/{x}"), (third, "root://b.example.org//{x}")):
        world.execute("UPDATE sites SET backend = %s WHERE id = %s", (door, number))
    block = world.block(world.dataset("/B"), "b")
    world.file(block, b"/store/a")
    world.replica(block, third, site.group)
    answers = site.ask_deletion(b"/store/a", b"/store/b")
    assert outcomes(answers) == ["refused", "requested"]
    assert "T2_THIRD has the same storage" in answers[0][1]
    assert deletions(world) == [(0, b"/store/b", "T2_HERE", "new")]


def test_a_copy_of_another_site_with_the_same_door_is_this_very_copy(site, mariadb):
    world = site.world
    for number, door in ((site.here, "root://a.example.org/{x}"), (site.other, "root://b.example.org//{x}")):
        world.execute("UPDATE sites SET backend = %s WHERE id = %s", (door, number))
    ((outcome, said),) = site.ask_transfer(b"/store/f/1")
    assert outcome == "refused"
    assert "stand on the same storage" in said
    third = world.site("T2_THIRD")
    world.replica(site.block, third, site.group)
    assert outcomes(site.ask_transfer(b"/store/f/1")) == ["requested"]
    assert [row[2] for row in transfers(world)] == ["T2_THIRD"]


@pytest.mark.parametrize("status", ["new", "inbatch"])
def test_a_deletion_that_is_open_is_left_alone(site, status):
    site.world.insert("{register}deletion_queue", reqid=7, file="/store/a", site="T2_HERE", status=status, created=9)
    before = site.world.execute("SELECT * FROM {register}deletion_queue")
    assert outcomes(site.ask_deletion(b"/store/a")) == ["waiting"]
    assert site.world.execute("SELECT * FROM {register}deletion_queue") == before


@pytest.mark.parametrize("status", ["done", "failed"])
def test_a_deletion_that_is_over_does_not_swallow_a_renewed_one(site, status):
    insert = site.world.insert
    insert("{register}deletion_queue", reqid=7, file="/store/a", site="T2_HERE", status=status, created=86400)
    insert("{register}deletion_queue", reqid=7, file="/store/a", site="T2_OTHER", status=status, created=86400)
    assert outcomes(site.ask_deletion(b"/store/a", b"/store/b")) == ["requested"] * 2
    assert sorted(deletions(site.world)) == [
        (0, b"/store/a", "T2_HERE", "new"),
        (0, b"/store/b", "T2_HERE", "new"),
        (7, b"/store/a", "T2_OTHER", status),
    ]
    fresh = "SELECT COUNT(*) FROM {register}deletion_queue WHERE created > NOW() - INTERVAL 1 MINUTE"
    assert site.world.execute(fresh) == [(2,)]


@pytest.mark.parametrize(
    "name", [b"/store/a b", b"/store/a'", b"/store/$(x)", b"/store/a;b", b"/store/a ", b"/store/\xff", b"/store/a*"]
)
def test_a_name_that_a_shell_or_sql_would_read_otherwise_is_refused(site, name):
    ((outcome, message),) = site.ask_deletion(name)
    assert outcome == "refused"
    assert "2018" in message
    assert deletions(site.world) == []


def test_a_name_that_does_not_fit_is_refused(site):
    assert outcomes(site.ask_deletion(b"/store/" + b"x" * 600, b"/" + b"y" * 511)) == ["refused", "requested"]


def test_a_file_that_the_inventory_has_is_not_deleted(site):
    assert outcomes(site.ask_deletion(b"/store/f/1")) == ["refused"]
    assert deletions(site.world) == []


def test_a_transfer_is_queued_from_each_disk_that_has_the_file(site):
    third = site.world.site("T2_THIRD")
    site.world.replica(site.block, third, site.group)
    site.world.replica(site.block, site.world.site("T1_TAPE", storage="mss"), site.group)
    site.world.replica(site.block, site.world.site("T2_DEAD", status="morgue"), site.group)
    expected = [(0, b"/store/f/1", source, "T2_HERE", "new", 7) for source in ("T2_OTHER", "T2_THIRD")]
    assert outcomes(site.ask_transfer(b"/store/f/1", b"/store/f/1")) == ["requested"] * 2
    assert transfers(site.world) == expected
    assert outcomes(site.ask_transfer(b"/store/f/1")) == ["waiting"]
    assert transfers(site.world) == expected


@pytest.mark.parametrize("status", ["new", "inbatch", "instage", "staged", "phedex"])
def test_a_transfer_that_is_open_is_left_alone(site, status):
    row = {"file": "/store/f/1", "site_to": "T2_HERE", "status": status, "created": 9, "reqid": 7}
    site.world.insert("{register}transfer_queue", site_from="T2_OTHER", **row)
    before = site.world.execute("SELECT * FROM {register}transfer_queue")
    assert outcomes(site.ask_transfer(b"/store/f/1")) == ["waiting"]
    assert site.world.execute("SELECT * FROM {register}transfer_queue") == before


@pytest.mark.parametrize("status", ["done", "failed"])
def test_a_transfer_that_is_over_is_renewed(site, status):
    row = {"file": "/store/f/1", "status": status, "created": 86400, "reqid": 7, "fsize": 7}
    site.world.insert("{register}transfer_queue", site_from="T2_OTHER", site_to="T2_HERE", **row)
    site.world.insert("{register}transfer_queue", site_from="T2_OTHER", site_to="T2_ELSE", **row)
    assert outcomes(site.ask_transfer(b"/store/f/1")) == ["requested"]
    assert transfers(site.world) == [
        (0, b"/store/f/1", "T2_OTHER", "T2_HERE", "new", 7),
        (7, b"/store/f/1", "T2_OTHER", "T2_ELSE", status, 7),
    ]


def test_what_cannot_be_fetched_is_refused(site):
    site.world.execute("UPDATE sites SET storage_type = 'mss' WHERE id = %s", (site.other,))
    answers = site.ask_transfer(b"/store/f/1", b"/store/unknown", b"/store/a b")
    assert outcomes(answers) == ["refused"] * 3
    assert "only tape has it" in answers[0][1]
    assert site.world.backend().registry.transfer("T2_HERE", ["/store/f/1"]) == (["/store/f/1"], [])
    site.world.execute("UPDATE sites SET storage_type = 'disk' WHERE id = %s", (site.other,))
    site.world.execute("UPDATE block_replicas SET group_id = 0 WHERE site_id = %s", (site.here,))
    assert "no owner" in site.ask_transfer(b"/store/f/1")[0][1]
    assert transfers(site.world) == []


def test_where_both_kinds_of_tables_stand_a_person_must_say_which_dynamo_reads(mixed):
    for ask in (mixed.ask_deletion, mixed.ask_transfer):
        with pytest.raises(BackendError, match="`requests: v2`"):
            ask(b"/store/f/1")
    assert outcomes(mixed.ask_deletion(b"/store/a", requests="v2")) == ["requested"]
    assert outcomes(mixed.ask_transfer(b"/store/f/1", requests="v2")) == ["requested"]
    assert (len(urls(mixed.world)), len(mixed.subscriptions())) == (1, 1)
    assert deletions(mixed.world) == transfers(mixed.world) == []
    assert outcomes(mixed.ask_deletion(b"/store/a", requests="v1")) == ["requested"]
    assert outcomes(mixed.ask_transfer(b"/store/f/2", requests="v1")) == ["requested"]
    assert (len(urls(mixed.world)), len(mixed.subscriptions())) == (1, 1)
    assert (len(deletions(mixed.world)), len(transfers(mixed.world))) == (1, 1)


def test_a_choice_that_the_databases_do_not_offer_is_an_error(site, make_world):
    with pytest.raises(BackendError, match="no tables for `requests: v2`"):
        site.ask_deletion(b"/store/a", requests="v2")
    with pytest.raises(BackendError, match="no tables for `requests: v1`"):
        Registered(make_world("master")).ask_transfer(b"/store/a", requests="v1")


def test_a_dynamo_without_a_table_for_unmanaged_files_says_so_and_still_transfers(make_world):
    world = make_world("master", new=True)
    world.execute("DROP TABLE unmanaged_deletions")
    site = Registered(world)
    with pytest.raises(BackendError, match="has no unmanaged_deletions"):
        site.ask_deletion(b"/store/a")
    assert outcomes(site.ask_transfer(b"/store/f/1")) == ["requested"]
