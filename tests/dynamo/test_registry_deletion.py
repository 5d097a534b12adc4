"""Deletion of what Dynamo does not manage: rows of `unmanaged_deletions`, and what is never written there."""

import pytest
from dynamo_simulator import DOOR, DynamoSimulator
from registry_worlds import Registered, outcomes, rule, urls

from dynamo_consistency.backend.dynamo.database.connection import connect
from dynamo_consistency.backend.dynamo.options import Options
from dynamo_consistency.errors import BackendError

PREFIX = DOOR.encode()


@pytest.fixture
def site(world) -> Registered:
    return Registered(world)


def test_files_and_directories_are_requested_once_however_often_they_are_asked_for(world, site):
    assert outcomes(site.ask_deletion(b"/store/x/1", b"/store/x", b"/store/x/1")) == ["requested"] * 3
    expected = [("T2_HERE", PREFIX + b"/store/x/1"), ("T2_HERE", PREFIX + b"/store/x")]
    assert urls(world) == expected
    answers = site.ask_deletion(b"/store/x", b"/store/x/2", b"/store/x/1")
    assert outcomes(answers) == ["waiting", "requested", "waiting"]
    assert urls(world) == [*expected, ("T2_HERE", PREFIX + b"/store/x/2")]


def test_dynamo_deletes_what_was_requested_and_a_renewed_request_is_a_new_one(world, site, tmp_path):
    simulator = DynamoSimulator(connect(Options(url=world.url)).inventory, "T2_HERE", tmp_path)
    orphan = simulator.path(b"/store/x/1")
    for _ in range(2):
        orphan.parent.mkdir(parents=True, exist_ok=True)
        orphan.write_bytes(b"x")
        assert outcomes(site.ask_deletion(b"/store/x/1")) == ["requested"]
        simulator.settle()
        assert not orphan.exists()
        assert urls(world) == []


def test_names_that_differ_in_case_or_in_spaces_at_their_end_are_different_files(world, site):
    names = [b"/store/a", b"/store/A", b"/store/a ", b"/store/a  ", b"/store/b c"]
    for name in names:
        assert outcomes(site.ask_deletion(name)) == ["requested"]
    assert [url for _, url in urls(world)] == [PREFIX + name for name in names]
    assert outcomes(site.ask_deletion(*names)) == ["waiting"] * 5


def test_what_waits_for_a_site_of_another_case_does_not_wait_here(world, site):
    world.site("t2_here")
    world.insert("unmanaged_deletions", site="t2_here", url=DOOR + "/store/a")
    assert outcomes(site.ask_deletion(b"/store/a")) == ["requested"]
    assert urls(world) == [("t2_here", PREFIX + b"/store/a"), ("T2_HERE", PREFIX + b"/store/a")]


@pytest.mark.parametrize("name", [b"/store/caf\xe9", "/store/café".encode(), b"/store/\x80\x9f\xff"])
def test_bytes_beyond_ascii_are_written_as_they_are(world, site, name):
    assert outcomes(site.ask_deletion(name)) == ["requested"]
    assert urls(world) == [("T2_HERE", PREFIX + name)]
    assert outcomes(site.ask_deletion(name)) == ["waiting"]


def test_a_name_outside_latin1_is_refused(world, site):
    ((outcome, message),) = site.ask_deletion("/store/日本".encode())
    assert outcome == "refused"
    assert "outside latin1" in message
    assert urls(world) == []


def test_a_url_that_does_not_fit_is_refused_and_never_cut(world, site):
    fits = b"/store/" + b"x" * (512 - len(PREFIX) - len("/store/"))
    answers = site.ask_deletion(fits + b"x", fits)
    assert outcomes(answers) == ["refused", "requested"]
    assert "513 bytes" in answers[0][1]
    assert urls(world) == [("T2_HERE", PREFIX + fits)]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.mariadb
def test_nothing_is_cut_whatever_mode_the_server_is_in(make_world, mariadb, strict):
    site = Registered(make_world("master"))
    before = mariadb.execute("SELECT @@global.sql_mode")[0][0]
    mariadb.execute("SET GLOBAL sql_mode = %s", ("STRICT_ALL_TABLES" if strict else "",))
    try:
        assert outcomes(site.ask_deletion(b"/store/" + b"x" * 600)) == ["refused"]
    finally:
        mariadb.execute("SET GLOBAL sql_mode = %s", (before,))
    assert urls(site.world) == []


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"/",
        b"store/a",
        b"/store//a",
        b"/store/a/",
        b"/store/../a",
        b"/store/./a",
        b"/..",
        b"/store/a\nb",
        b"/store/a?b",
        b"/store/a#b",
        b"/store/a%20b",
        b"/store/a\x00",
        b"/store/a\x7f",
    ],
)
def test_a_path_that_may_mean_another_file_is_refused(embedded, path):
    site = Registered(embedded)
    answers = site.ask_deletion(path, b"/store/good")
    assert outcomes(answers) == ["refused", "requested"]
    assert answers[0][1]
    assert urls(embedded) == [("T2_HERE", PREFIX + b"/store/good")]


def test_a_file_that_the_inventory_has_at_the_site_is_refused(world, site):
    foreign = world.block(world.dataset("/B"), "b")
    world.file(foreign, b"/store/elsewhere")
    world.replica(foreign, site.other, site.group)
    answers = site.ask_deletion(b"/store/f/1", b"/store/elsewhere")
    assert outcomes(answers) == ["refused", "requested"]
    assert "the inventory has it" in answers[0][1]


def test_hostile_names_are_only_names(world, site):
    names = [b"/store/'; DROP TABLE files; --", b"/store/$(reboot)", b"/store/{0}", b'/store/"\\\\', b"/store/:x"]
    assert outcomes(site.ask_deletion(*names)) == ["requested"] * 5
    assert [url for _, url in urls(world)] == [PREFIX + name for name in names]


def test_an_unknown_site_is_an_error(world, site):
    with pytest.raises(BackendError, match="knows no site"):
        world.backend().registry.request_deletion("T2_NOWHERE", [b"/store/a"])


def test_a_site_without_rules_takes_nothing(world):
    site = Registered(world, mapped=False)
    rule(world, site.other, "(/.*)", DOOR + "{0}")
    rule(world, site.here, "(/.*)", DOOR + "{0}", protocol="direct")
    assert site.ask_deletion(b"/store/a") == [
        ("refused", "no gfal2 mapping of the site in filename_mappings gives it a PFN")
    ]
    assert urls(world) == []


def test_nothing_to_ask_for_writes_nothing(world, site):
    assert world.backend().registry.request_deletion("T2_HERE", []) == []
    assert world.backend().registry.delete("T2_HERE", []) == 0


def test_the_public_call_counts_what_stands_and_logs_what_was_refused(world, site, caplog):
    registry = world.backend().registry
    assert registry.delete("T2_HERE", ["/store/a", "/store/a", "/store/b", "relative", "/store/f/1"]) == 2
    assert registry.delete("T2_HERE", ["/store/a"]) == 1
    assert len(urls(world)) == 2
    assert "not requested: relative" in caplog.text
    assert "not requested: /store/f/1" in caplog.text


def test_more_files_than_one_look_up_takes_are_all_requested(own_world):
    site = Registered(own_world)
    names = [f"/store/x/{number}".encode() for number in range(1100)]
    assert set(outcomes(site.ask_deletion(*names))) == {"requested"}
    assert set(outcomes(site.ask_deletion(*names))) == {"waiting"}
    assert len(urls(own_world)) == 1100
