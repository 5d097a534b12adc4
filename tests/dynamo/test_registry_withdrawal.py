"""Requests that are taken back: rows of ours that nobody has touched, and no others."""

import time

import pytest
from dynamo_simulator import DOOR, DynamoSimulator
from registry_worlds import Registered, rule, urls

from dynamo_consistency.backend.contract import Asked, WithdrawingRegistry
from dynamo_consistency.backend.dynamo.database.connection import connect
from dynamo_consistency.backend.dynamo.options import Options

ONE, TWO = b"/store/f/1", b"/store/f/2"
A, B = b"/store/x/a", b"/store/x/b"
HOUR = 3600


@pytest.fixture
def site(world) -> Registered:
    return Registered(world)


@pytest.fixture
def of_2018(make_world) -> Registered:
    return Registered(make_world("production"), mapped=False)


def withdraw(site: Registered, request: str, *names: bytes, ago: float = 0) -> list[str]:
    registry = site.world.backend().registry
    assert isinstance(registry, WithdrawingRegistry)
    asked = [Asked(name, request, "20261129T000000Z", time.time() - ago) for name in names]
    return registry.withdraw("T2_HERE", asked)


def url(name: bytes) -> tuple[str, bytes]:
    return "T2_HERE", DOOR.encode() + name


class TestDeletions:
    def test_a_row_that_waits_is_removed_once_and_no_other(self, world, site):
        site.ask_deletion(A, B)
        assert withdraw(site, "delete", A, A) == ["withdrawn", "withdrawn"]
        assert urls(world) == [url(B)]
        assert withdraw(site, "delete", A) == ["unknown"]
        assert urls(world) == [url(B)]

    def test_what_dynamo_has_taken_is_not_known_any_more(self, world, site, tmp_path):
        site.ask_deletion(A)
        DynamoSimulator(connect(Options(url=world.url)).inventory, "T2_HERE", tmp_path).settle()
        assert withdraw(site, "delete", A) == ["unknown"]

    def test_a_row_of_a_site_of_another_case_is_somebody_elses(self, world, site):
        world.insert("unmanaged_deletions", site="t2_here", url=DOOR + A.decode())
        assert withdraw(site, "delete", A) == ["unknown"]
        assert urls(world) == [("t2_here", url(A)[1])]

    def test_of_two_rows_with_one_pfn_none_is_taken_for_ours(self, world, site):
        site.ask_deletion(A)
        world.insert("unmanaged_deletions", site="T2_HERE", url=DOOR + A.decode())
        assert withdraw(site, "delete", A) == ["cannot"]
        assert urls(world) == [url(A)] * 2

    def test_a_file_that_is_registered_by_now_is_withdrawn_all_the_same(self, world, site):
        site.ask_deletion(A)
        number = world.file(site.block, A)
        assert number
        assert withdraw(site, "delete", A) == ["withdrawn"]

    @pytest.mark.parametrize("rules", [[("(/.*)", "root://new.example.org/{0}")], [], [("(/.*", "{0}")]])
    def test_a_row_that_the_rules_of_then_made_is_told_of(self, embedded, rules):
        site = Registered(embedded)
        site.ask_deletion(A)
        embedded.execute("DELETE FROM filename_mappings")
        for lfn, pfn in rules:
            rule(embedded, site.here, lfn, pfn)
        assert withdraw(site, "delete", A, B) == ["cannot", "unknown"]
        assert urls(embedded) == [url(A)]

    def test_many_are_withdrawn_together(self, own_world):
        site = Registered(own_world)
        names = [f"/store/x/{number}".encode() for number in range(900)]
        site.ask_deletion(*names, A)
        assert withdraw(site, "delete", *names) == ["withdrawn"] * 900
        assert urls(own_world) == [url(A)]


class TestTransfers:
    def test_a_new_subscription_of_ours_is_cancelled_as_dynamo_does_it(self, world, site, tmp_path):
        site.ask_transfer(ONE, TWO)
        assert withdraw(site, "transfer", ONE) == ["withdrawn"]
        rows = [(site.numbers[ONE], site.here, 1, "cancelled"), (site.numbers[TWO], site.here, 1, "new")]
        assert site.subscriptions() == rows
        assert withdraw(site, "transfer", ONE) == ["unknown"]
        simulator = DynamoSimulator(connect(Options(url=world.url)).inventory, "T2_HERE", tmp_path)
        for name in (ONE, TWO):
            simulator.path(name).parent.mkdir(parents=True, exist_ok=True)
            simulator.path(name).write_bytes(b"7 bytes")
        simulator.file_operations()
        assert [simulator.path(name).exists() for name in (ONE, TWO)] == [True, False]

    @pytest.mark.parametrize(
        ("status", "answer"),
        [("inbatch", "done"), ("done", "done"), ("retry", "cannot"), ("held", "cannot"), ("cancelled", "unknown")],
    )
    def test_one_that_dynamo_has_touched_is_left_alone(self, world, site, status, answer):
        site.ask_transfer(ONE)
        world.execute("UPDATE file_subscriptions SET status = %s", (status,))
        before = world.execute("SELECT * FROM file_subscriptions")
        assert withdraw(site, "transfer", ONE) == [answer]
        assert world.execute("SELECT * FROM file_subscriptions") == before

    def test_one_of_another_time_is_somebody_elses(self, world, site):
        site.ask_transfer(ONE)
        assert withdraw(site, "transfer", ONE, ago=HOUR) == ["cannot"]
        assert site.subscriptions() == [(site.numbers[ONE], site.here, 1, "new")]

    def test_a_subscription_for_transfer_or_of_another_site_is_never_ours(self, world, site):
        world.subscription(site.numbers[ONE], site.here, delete=0)
        world.subscription(site.numbers[ONE], site.other, delete=1)
        before = site.subscriptions()
        assert withdraw(site, "transfer", ONE, b"/store/unknown") == ["unknown", "unknown"]
        assert site.subscriptions() == before


@pytest.mark.mariadb
class TestQueuesOf2018:
    def deletions(self, site: Registered) -> list[tuple]:
        return list(site.world.execute("SELECT CAST(file AS BINARY), site, status FROM {register}deletion_queue"))

    def test_new_rows_of_ours_are_removed(self, of_2018):
        of_2018.ask_deletion(A, B)
        of_2018.ask_transfer(ONE, TWO)
        assert withdraw(of_2018, "delete", A) == ["withdrawn"]
        assert withdraw(of_2018, "transfer", ONE) == ["withdrawn"]
        assert self.deletions(of_2018) == [(B, "T2_HERE", "new")]
        assert of_2018.world.execute("SELECT CAST(file AS BINARY) FROM {register}transfer_queue") == [(TWO,)]
        assert withdraw(of_2018, "delete", A) == ["unknown"]

    @pytest.mark.parametrize(
        ("change", "answer"),
        [
            ("status = 'inbatch'", "done"),
            ("status = 'done'", "done"),
            ("status = 'failed'", "done"),
            ("reqid = 7", "cannot"),
            ("created = FROM_UNIXTIME(86400)", "cannot"),
            ("site = 'T2_OTHER'", "unknown"),
        ],
    )
    def test_a_row_that_is_not_as_we_left_it_stays(self, of_2018, change, answer):
        of_2018.ask_deletion(A)
        of_2018.world.execute(f"UPDATE {{register}}deletion_queue SET {change}")
        before = of_2018.world.execute("SELECT * FROM {register}deletion_queue")
        assert withdraw(of_2018, "delete", A) == [answer]
        assert of_2018.world.execute("SELECT * FROM {register}deletion_queue") == before

    def test_a_transfer_that_one_source_has_begun_is_under_way(self, of_2018):
        world = of_2018.world
        third = world.site("T2_THIRD")
        world.replica(of_2018.block, third, of_2018.group)
        of_2018.ask_transfer(ONE)
        world.execute("UPDATE {register}transfer_queue SET status = 'staged' WHERE site_from = 'T2_THIRD'")
        assert withdraw(of_2018, "transfer", ONE) == ["done"]
        assert world.execute("SELECT COUNT(*) FROM {register}transfer_queue") == [(2,)]


def test_nothing_to_withdraw_asks_nothing(embedded):
    assert embedded.backend().registry.withdraw("T2_NOWHERE", []) == []
