"""Transfer of files that the inventory claims: rows of `file_subscriptions`, and what Dynamo makes of them."""

from datetime import UTC, datetime, timedelta

import pytest
from dynamo_simulator import DOOR, DynamoSimulator
from registry_worlds import Registered, outcomes, rule

from dynamo_consistency.backend import storage_hosts
from dynamo_consistency.backend.dynamo.database.connection import connect
from dynamo_consistency.backend.dynamo.options import Options
from dynamo_consistency.errors import BackendError

ONE, TWO, THREE = b"/store/f/1", b"/store/f/2", b"/store/f/3"


@pytest.fixture
def site(world) -> Registered:
    return Registered(world)


def deletion(site: Registered, *names: bytes, status: str = "new") -> list[tuple[int, int, int, str]]:
    return [(site.numbers[name], site.here, 1, status) for name in names]


def test_a_claimed_file_is_subscribed_for_deletion_once_however_often_it_is_asked_for(world, site):
    assert site.ask_transfer(ONE, ONE) == [("requested", "")] * 2
    assert site.subscriptions() == deletion(site, ONE)
    assert outcomes(site.ask_transfer(ONE, TWO)) == ["waiting", "requested"]
    assert outcomes(site.ask_transfer(ONE, TWO)) == ["waiting", "waiting"]
    assert site.subscriptions() == deletion(site, ONE, TWO)


def test_what_is_requested_is_in_flight_in_the_inventory(world, site):
    site.ask_transfer(ONE)
    assert world.in_flight("T2_HERE") == {ONE: True, TWO: False, THREE: False}
    assert world.backend().inventory.look_up("T2_HERE", [ONE])[ONE].in_flight


@pytest.mark.parametrize("content", [None, b"wrong size"])
def test_dynamo_drops_the_file_and_fetches_it_again(world, site, tmp_path, content):
    simulator = DynamoSimulator(connect(Options(url=world.url)).inventory, "T2_HERE", tmp_path)
    file = simulator.path(ONE)
    if content:
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
    site.ask_transfer(ONE)
    simulator.settle()
    assert file.stat().st_size == 7
    assert site.subscriptions() == []
    assert world.in_flight("T2_HERE") == dict.fromkeys(site.names, False)
    assert outcomes(site.ask_transfer(ONE)) == ["requested"]


def test_a_transfer_that_is_open_is_cancelled_as_dynamo_does_it(world, site):
    world.subscription(site.numbers[ONE], site.here, delete=0, status="held")
    world.subscription(site.numbers[TWO], site.here, delete=0, status="done")
    world.subscription(site.numbers[ONE], site.other, delete=0, status="new")
    assert outcomes(site.ask_transfer(ONE, TWO)) == ["requested"] * 2
    assert sorted(site.subscriptions()) == sorted(
        [
            *deletion(site, ONE, TWO),
            (site.numbers[ONE], site.here, 0, "cancelled"),
            (site.numbers[TWO], site.here, 0, "done"),
            (site.numbers[ONE], site.other, 0, "new"),
        ]
    )


@pytest.mark.parametrize("status", ["new", "inbatch", "retry", "held", "done"])
def test_a_deletion_that_is_under_way_is_left_alone(world, site, status):
    world.subscription(site.numbers[ONE], site.here, delete=1, status=status)
    before = world.execute("SELECT * FROM file_subscriptions")
    ((outcome, message),) = site.ask_transfer(ONE)
    assert outcome == "waiting"
    assert ("release" in message) == (status == "held")
    assert world.execute("SELECT * FROM file_subscriptions") == before


def test_a_cancelled_deletion_is_renewed_and_keeps_when_it_was_created_and_why_it_was_held(world, site):
    world.insert(
        "file_subscriptions",
        file_id=site.numbers[ONE],
        site_id=site.here,
        delete=1,
        status="cancelled",
        created=86400,
        last_update=86400,
        hold_reason="no_source",
    )
    columns = "created, hold_reason, last_update"
    ((created, reason, updated),) = world.execute(f"SELECT {columns} FROM file_subscriptions")
    assert outcomes(site.ask_transfer(ONE)) == ["requested"]
    assert site.subscriptions() == deletion(site, ONE)
    ((created_now, reason_now, updated_now),) = world.execute(f"SELECT {columns} FROM file_subscriptions")
    assert (created_now, reason_now) == (created, reason)
    assert updated_now > updated


def test_times_are_the_local_time_of_the_server(world, site):
    site.ask_transfer(ONE)
    ((created, updated),) = world.execute("SELECT created, last_update FROM file_subscriptions")
    assert created == updated
    if world.server:
        ((now, utc),) = world.execute("SELECT NOW(), UTC_TIMESTAMP()")
        assert now - utc == timedelta(hours=5)
        assert abs(now - created) < timedelta(seconds=30)
    else:
        assert abs(datetime.fromisoformat(f"{created}+00:00") - datetime.now(UTC)) < timedelta(seconds=30)


def test_one_file_of_a_block_always_stays_at_the_site(world, site):
    assert outcomes(site.ask_transfer(*site.names)) == ["requested", "requested", "refused"]
    ((outcome, message),) = site.ask_transfer(THREE)
    assert outcome == "refused"
    assert "drop the whole block" in message
    assert site.subscriptions() == deletion(site, ONE, TWO)


def test_files_that_are_open_for_deletion_already_count_as_lost(world, site):
    world.subscription(site.numbers[ONE], site.here, delete=1, status="done")
    world.subscription(site.numbers[TWO], site.here, delete=1, status="held")
    world.subscription(site.numbers[ONE], site.other, delete=1)
    assert outcomes(site.ask_transfer(THREE)) == ["refused"]
    world.execute("UPDATE file_subscriptions SET status = 'cancelled' WHERE status = 'held'")
    assert outcomes(site.ask_transfer(THREE)) == ["requested"]


def test_deletions_at_other_sites_do_not_count(world, site):
    world.subscription(site.numbers[ONE], site.other, delete=1)
    assert outcomes(site.ask_transfer(TWO, THREE)) == ["requested"] * 2


def test_files_that_the_replica_does_not_claim_do_not_keep_its_block(world, site):
    world.execute("UPDATE block_replicas SET is_complete = 0 WHERE site_id = %s", (site.here,))
    world.claim(site.block, site.here, site.numbers[ONE])
    answers = site.ask_transfer(ONE, TWO)
    assert outcomes(answers) == ["refused", "refused"]
    assert "drop the whole block" in answers[0][1]
    assert "does not claim it" in answers[1][1]
    world.claim(site.block, site.here, site.numbers[TWO])
    assert outcomes(site.ask_transfer(ONE)) == ["requested"]


def test_blocks_do_not_keep_one_another(world, site):
    block = world.block(world.dataset("/B"), "b")
    world.file(block, b"/store/only")
    world.replica(block, site.here, site.group)
    world.replica(block, site.other, site.group)
    assert outcomes(site.ask_transfer(ONE, b"/store/only")) == ["requested", "refused"]


def test_a_block_that_is_asked_for_whole_comes_back_whole_in_the_end(world, site, tmp_path):
    simulator = DynamoSimulator(connect(Options(url=world.url)).inventory, "T2_HERE", tmp_path)
    for _ in range(2):
        site.ask_transfer(*(name for name in site.names if not simulator.path(name).exists()))
        simulator.settle()
    assert all(simulator.path(name).exists() for name in site.names)


@pytest.mark.parametrize(
    "elsewhere",
    [
        ("mss", "ready", True, True),
        ("buffer", "ready", True, True),
        ("disk", "morgue", True, True),
        ("disk", "ready", False, True),
        ("disk", "ready", True, False),
    ],
)
def test_a_last_copy_is_never_touched(world, site, elsewhere):
    storage, status, complete, owned = elsewhere
    tape = "only tape has it" if storage == "mss" else "and none on tape"
    world.execute("UPDATE sites SET storage_type = %s, status = %s WHERE id = %s", (storage, status, site.other))
    world.execute(
        "UPDATE block_replicas SET is_complete = %s, group_id = %s WHERE site_id = %s",
        (int(complete), site.group if owned else 0, site.other),
    )
    ((outcome, said),) = site.ask_transfer(ONE)
    assert outcome == "refused"
    assert said.startswith(f"no disk source elsewhere, {tape}")
    assert site.subscriptions() == []
    nowhere = [] if storage == "mss" else ["/store/f/1"]
    assert world.backend().registry.transfer("T2_HERE", ["/store/f/1"]) == (["/store/f/1"], nowhere)
    assert site.subscriptions() == []


@pytest.mark.parametrize(
    ("form", "is_refused"),
    [
        (f"{DOOR}{{0}}", True),
        ("davs://other-door.example.org:443{0}", True),
        (f"{DOOR}/pool{{0}}", False),
        ("davs://door.elsewhere.org{0}", False),
    ],
    ids=["same place", "another door of the storage", "another place there", "another storage"],
)
def test_what_another_site_has_in_the_same_place_is_this_very_copy(world, site, monkeypatch, form, is_refused):
    """Dynamo would unlink it here, and then look for it there."""
    monkeypatch.setattr(storage_hosts, "addresses", lambda host: frozenset())
    rule(world, site.other, "(/.*)", form)
    ((outcome, said),) = site.ask_transfer(ONE)
    assert outcome == ("refused" if is_refused else "requested")
    assert said.startswith("no disk source elsewhere: the sites that have it stand on the same storage") == is_refused
    assert len(site.subscriptions()) == (0 if is_refused else 1)


def test_a_copy_on_another_storage_is_a_source_beside_one_on_the_same(world, site, monkeypatch):
    monkeypatch.setattr(storage_hosts, "addresses", lambda host: frozenset())
    third = world.site("T2_THIRD")
    rule(world, third, "(/.*)", f"{DOOR}{{0}}")
    world.replica(site.block, third, site.group)
    assert outcomes(site.ask_transfer(ONE)) == ["requested"]


def test_a_copy_that_is_about_to_be_deleted_elsewhere_is_no_source(world, site):
    world.subscription(site.numbers[ONE], site.other, delete=1)
    assert outcomes(site.ask_transfer(ONE, TWO)) == ["refused", "requested"]


def test_two_sites_never_give_up_their_copies_for_one_another(world, site):
    assert outcomes(site.ask_transfer(ONE)) == ["requested"]
    there = world.backend().registry.request_transfer("T2_OTHER", [ONE, TWO])
    assert [outcome.outcome for outcome in there] == ["refused", "requested"]


def test_files_that_nobody_owns_or_knows_are_refused(world, site):
    world.execute("UPDATE block_replicas SET group_id = 0 WHERE site_id = %s", (site.here,))
    foreign = world.block(world.dataset("/B"), "b")
    world.file(foreign, b"/store/elsewhere")
    world.replica(foreign, site.other, site.group)
    answers = site.ask_transfer(ONE, b"/store/elsewhere", b"/store/f/1 ", b"/store/" + b"x" * 600, "/日本".encode())
    assert outcomes(answers) == ["refused"] * 5
    assert "no owner" in answers[0][1]
    assert {message for _, message in answers[1:]} == {"Dynamo has no such file in a block at the site"}
    assert site.subscriptions() == []


def test_the_public_call_requests_what_it_can_and_returns_the_others(world, site):
    tape = world.site("T1_TAPE", storage="mss")
    for name, place in ((b"/store/tape", tape), (b"/store/last", site.here)):
        block = world.block(world.dataset(name.decode()), "b")
        world.file(block, name)
        world.file(block, name + b"2")
        for at in {site.here, place}:
            world.replica(block, at, site.group)
    asked = ["/store/f/1", "/store/last", "/store/tape"]
    for _ in range(2):
        answer = world.backend().registry.transfer("T2_HERE", asked)
        assert answer == (["/store/last", "/store/tape"], ["/store/last"])
        assert site.subscriptions() == deletion(site, ONE)


def test_an_unknown_site_is_an_error(world, site):
    with pytest.raises(BackendError, match="knows no site"):
        world.backend().registry.request_transfer("T2_NOWHERE", [ONE])


def test_more_files_than_one_look_up_takes_are_all_requested(own_world):
    site = Registered(own_world)
    names = [f"/store/x/{number}".encode() for number in range(600)]
    for name in names:
        site.numbers[name] = own_world.file(site.block, name)
    assert set(outcomes(site.ask_transfer(*names))) == {"requested"}
    assert set(outcomes(site.ask_transfer(*names))) == {"waiting"}
    assert len(site.subscriptions()) == 600
