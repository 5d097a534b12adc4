"""Deletion where the PFN of a file may be another file's: of another site on the same storage, or by another rule."""

import pytest
from dynamo_simulator import DOOR
from registry_worlds import Registered, outcomes, rule, urls
from sqlalchemy import event

from dynamo_consistency.backend import storage_hosts

LOST = b"/store/x/lost"


@pytest.fixture
def site(world) -> Registered:
    return Registered(world)


@pytest.fixture(autouse=True)
def no_resolver(monkeypatch):
    """No host of these tests can be resolved."""
    monkeypatch.setattr(storage_hosts, "addresses", lambda host: frozenset())


def claim(site: Registered, number: int, *names: bytes, **facts: object) -> int:
    """A block with these files that the site `number` has."""
    block = site.world.block(site.world.dataset(f"/D{next(site.world.ids)}"), "b")
    for name in names:
        site.world.file(block, name)
    site.world.replica(block, number, site.group, **facts)
    return block


def refusal(site: Registered, name: bytes) -> str:
    ((outcome, message),) = site.ask_deletion(name)
    assert outcome == "refused", outcome
    return message


def test_a_file_that_another_site_on_the_same_storage_has_is_refused_and_the_site_named(world, site):
    buffer = world.site("T2_HERE_Buffer", storage="buffer")
    rule(world, buffer, "(/.*)", DOOR + "{0}")
    claim(site, buffer, LOST)
    answers = site.ask_deletion(LOST, b"/store/x/nobodys")
    assert outcomes(answers) == ["refused", "requested"]
    assert answers[0][1] == (
        "the site T2_HERE_Buffer has the same storage, and its rules give its PFN to a file of the inventory: "
        "/store/x/lost"
    )
    assert urls(world) == [("T2_HERE", DOOR.encode() + b"/store/x/nobodys")]


@pytest.mark.parametrize(
    "form",
    [
        "root://other-door.example.org:1094/{0}",
        "srm://srm.example.org:8443/srm/v2/server?SFN={0}",
        "davs://door.example.org{0}",
        "davs://DOOR.example.org:443{0}",
        "{0}",
        "root://door.example.org/{0}?svcClass=tape",
        "root://door.example.org/{0}?svcClass={0}",
        "davs://door.example.org/./{0}",
        "davs://door.example.org/x/..{0}",
        "davs://door.example.org/%2f{0}",
    ],
)
@pytest.mark.parametrize("protocol", ["gfal2", "xrootd"])
def test_another_protocol_or_door_of_one_domain_leads_to_the_same_file(embedded, form, protocol):
    site = Registered(embedded)
    rule(embedded, site.other, "(/.*)", form, protocol=protocol)
    claim(site, site.other, LOST)
    assert "T2_OTHER has the same storage" in refusal(site, LOST)


@pytest.mark.parametrize("form", ["gsiftp://door.elsewhere.org:2811{0}", DOOR + "/pool{0}", "/pool{0}"])
def test_another_storage_or_another_path_is_another_file(embedded, form):
    site = Registered(embedded)
    rule(embedded, site.other, "(/.*)", form)
    claim(site, site.other, LOST)
    assert site.ask_deletion(LOST) == [("requested", "")]


def test_a_path_without_a_host_is_at_the_hosts_that_the_sites_other_rules_name(embedded):
    site = Registered(embedded)
    rule(embedded, site.other, "(/.*)", "{0}", protocol="direct")
    rule(embedded, site.other, "(/.*)", "root://door.elsewhere.org//pool{0}", protocol="xrootd")
    claim(site, site.other, LOST)
    assert site.ask_deletion(LOST) == [("requested", "")]


def test_an_address_in_common_is_one_storage(embedded, monkeypatch):
    site = Registered(embedded)
    same = {"door.example.org": "192.0.2.1", "alias.elsewhere.org": "192.0.2.1"}
    monkeypatch.setattr(storage_hosts, "addresses", lambda host: frozenset(filter(None, [same.get(host)])))
    rule(embedded, site.other, "(/.*)", "root://alias.elsewhere.org/{0}")
    claim(site, site.other, LOST)
    assert "T2_OTHER has the same storage" in refusal(site, LOST)


def test_the_other_site_may_know_the_file_by_another_name(embedded):
    site = Registered(embedded)
    rule(embedded, site.other, "/archive/([^/]*)/tape(/.*)", DOOR + "/store/{0}{1}")
    claim(site, site.other, b"/archive/x/tape/lost")
    assert "/archive/x/tape/lost" in refusal(site, LOST)
    assert site.ask_deletion(b"/store/x/nobodys") == [("requested", "")]


@pytest.mark.parametrize("facts", [{"complete": False}, {"complete": True}])
def test_any_replica_of_its_block_is_a_claim(world, site, facts):
    rule(world, site.other, "(/.*)", DOOR + "{0}")
    claim(site, site.other, LOST, **facts)
    assert "T2_OTHER" in refusal(site, LOST)


def test_a_subscription_is_a_claim_until_it_is_cancelled(world, site):
    rule(world, site.other, "(/.*)", DOOR + "{0}")
    third = world.site("T2_THIRD")
    block = claim(site, third, LOST, LOST + b"2")
    ((number,), (cancelled,)) = world.execute("SELECT id FROM files WHERE block_id = %s ORDER BY id", (block,))
    world.subscription(number, site.other, delete=0)
    world.subscription(cancelled, site.other, delete=0, status="cancelled")
    assert outcomes(site.ask_deletion(LOST, LOST + b"2")) == ["refused", "requested"]


def test_another_rule_of_the_site_that_gives_the_pfn_to_a_file_it_has_is_an_objection(world):
    site = Registered(world, mapped=False)
    rule(world, site.here, "/store/mc/(.*)", DOOR + "/pool/{0}", chain=0)
    rule(world, site.here, "/store/backfill/B([^/]*)/(.*)", DOOR + "/pool/{0}/{1}", chain=1)
    claim(site, site.here, b"/store/mc/E/f")
    answers = site.ask_deletion(b"/store/backfill/BE/f", b"/store/backfill/BE/g")
    assert outcomes(answers) == ["refused", "requested"]
    assert answers[0][1].startswith("the site's own rules give its PFN to a file of the inventory: /store/mc/E/f")


@pytest.mark.parametrize(
    ("pattern", "form"),
    [("/store/[a-z]*/(.*)", DOOR + "/{0}"), ("/store/x/.*", DOOR + "/one/for/all"), ("(/.*)_[0-9]*", DOOR + "{0}")],
)
def test_a_rule_that_gives_one_pfn_to_names_without_end_is_an_objection_at_the_site(embedded, pattern, form):
    site = Registered(embedded, mapped=False)
    rule(embedded, site.here, pattern, form)
    said = refusal(site, b"/store/x/lost_1")
    assert said.startswith("the site's own rules may give its PFN to other files: ")
    assert repr(pattern) in said


@pytest.mark.parametrize("pattern", ["/store/.*/(.*)", "(/store"])
def test_such_a_rule_of_another_site_is_one_only_on_the_same_storage(embedded, pattern):
    site = Registered(embedded)
    rule(embedded, site.other, pattern, "root://door.elsewhere.org//store/x/{0}")
    assert site.ask_deletion(LOST) == [("requested", "")]
    rule(embedded, site.other, pattern, "root://xrootd.example.org//store/x/{0}", chain=1)
    said = refusal(site, LOST + b"2")
    assert said.startswith("the site T2_OTHER has the same storage, and its rules may give its PFN to other files: ")


def test_many_files_are_asked_about_in_few_queries(embedded):
    site = Registered(embedded)
    for number in range(20):
        other = embedded.site(f"T2_{number}")
        rule(embedded, other, "(/.*)", DOOR + "{0}")
        claim(site, other, f"/store/x/{number}".encode())
    names = [f"/store/x/{number}".encode() for number in range(300)]
    registry = embedded.backend().registry
    asked = []
    event.listen(registry.opened.databases.inventory, "before_cursor_execute", lambda *call: asked.append(call[2]))
    answers = registry.request_deletion("T2_HERE", names)
    assert [answer.outcome for answer in answers] == ["refused"] * 20 + ["requested"] * 280
    assert len(asked) < 40
