"""From PFN to LFNs: all to which the rules of a site may give it, or the word that there is no end of them."""

import itertools

import pytest

from dynamo_consistency.backend.dynamo.requests.pfn import PfnRule
from dynamo_consistency.backend.dynamo.requests.pfn_inverse import (
    CannotInvertError,
    InverseChain,
    Place,
    are_roundabout,
    host_of,
    place,
)


def chain(*links: tuple[str, str]) -> InverseChain:
    return InverseChain([PfnRule(lfn.encode("latin-1"), pfn.encode("latin-1")) for lfn, pfn in links])


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        (b"root://door.example.org:1094//store/a", "door.example.org", b"/store/a"),
        (b"gsiftp://user@door/pnfs//store/a/", "door", b"/pnfs/store/a"),
        (b"srm://srm.example.org:8443/srm/managerv2?SFN=/pnfs/store/a", "srm.example.org", b"/pnfs/store/a"),
        (b"srm://srm.example.org/m?x=1&SFN=pnfs/a", "srm.example.org", b"/pnfs/a"),
        (b"https://[2001:db8::1]:443/store/a", "[2001:db8::1]", b"/store/a"),
        (b"root://door.example.org//store/a?svcClass=x&y=/z", "door.example.org", b"/store/a"),
        (b"root://door.example.org//store/a&b", "door.example.org", b"/store/a&b"),
        (b"file:///pool/a", "", b"/pool/a"),
        (b"/pool/a", "", b"/pool/a"),
    ],
)
def test_a_pfn_has_a_host_and_a_path_whatever_its_protocol(url, host, path):
    assert place(url) == Place(host, path)


@pytest.mark.parametrize(
    ("links", "path", "lfns"),
    [
        ([("(/store/.*)", "file:///S{0}")], b"/S/store/a", {b"/store/a"}),
        ([("(/.*)", "root://d//pool/{0}")], b"/pool/store/a", {b"/store/a"}),
        ([("/+store/(.*)", "srm://d:8443/m?SFN=/pnfs/{0}")], b"/pnfs/mc/a", {b"/store/mc/a"}),
        ([("/backfill/B([^/]*)/(.*)", "file:///S/{0}/{1}")], b"/S/E/P/a", {b"/backfill/BE/P/a", b"/backfill/B/E/P/a"}),
        ([("/backfill/B([^/]+)/(.*)", "file:///S/{0}/{1}")], b"/S/E/P/a", {b"/backfill/BE/P/a"}),
        ([("/store/(.*)/x/(.*)", "x://d/{0}/y/{1}")], b"/a/y/b/y/c", {b"/store/a/x/b/y/c", b"/store/a/y/b/x/c"}),
        ([("/store/(.*)", "x://d/{0}?x=1")], b"/a", {b"/store/a"}),
        ([("/(mc|data)/(.*)", "x://d/{1}?x={0}")], b"/a", {b"/mc/a", b"/data/a"}),
        ([("/(mc|data)/(.*)", "x://d/{1}")], b"/a", {b"/mc/a", b"/data/a"}),
        (
            [("/store(?:/temp)?/[0-2]/(.*)$", "x://d/{0}")],
            b"/a",
            {f"/store{t}/{n}/a".encode() for t in ("", "/temp") for n in "012"},
        ),
        ([("/([^/]*)/([^/]*)/(.*)$", "x://d/{1}/{0}/{2}")], b"/b/a/c/d", {b"/a/b/c/d"}),
        ([("/(.*)", "x://d/{0}/{0}")], b"/a/b/a/b", {b"/a/b"}),
        ([("/(.*)", "x://d/{0}/{0}")], b"/a/b/a/c", set()),
        ([("/(.*)", "x://d/{0}.part")], b"/a", set()),
        ([("/pnfs(/.*)", "x://d/{0}")], b"/store/a", {b"/pnfs/store/a"}),
        ([("/store/(.*)", "/pnfs//cms/{0}"), ("(.*)", "srm://d/m?SFN={0}")], b"/pnfs/cms/a", {b"/store/a"}),
        ([("/store/(.*)", "srm://d//pnfs/{0}"), ("(.*)", "{0}")], b"/pnfs/a", {b"/store/a"}),
        ([("/store/(.*)", "srm://d/pnfs/{0}"), ("srm://d(.*)", "root://e/{0}")], b"/pnfs/a", {b"/store/a"}),
        ([("/store/(.*)", "/pnfs/{0}"), ("/never(/.*)", "srm:/{0}")], b"/a", set()),
    ],
)
def test_every_lfn_that_a_chain_gives_the_path_comes_out(links, path, lfns):
    assert chain(*links).lfns(path) == lfns


@pytest.mark.parametrize(
    ("pattern", "form"),
    [
        ("/store/[a-z]*/(.*)", "root://d/{0}"),
        ("/store/mc/.*_(.*)", "root://d/{0}"),
        ("(?i)/STORE/mc/(.*)", "root://d/{0}"),
        ("/(?i:STORE)/mc/(.*)", "root://d/{0}"),
        ("/store/mc/.*", "root://d/x"),
        ("/store/[^x]/(.*)", "root://d/{0}"),
        ("/store/./(.*)", "root://d/{0}"),
        (r"/store/\w/(.*)", "root://d/{0}"),
        ("(/.*)_([0-9])", "root://d/{0}"),
        ("(/x)", "root://d{0}"),
        ("(/[^/]*)", "root://d{0}"),
        ("(/.*?)", "root://d{0}"),
        ("/[a-z][a-z](/.*)", "root://d{0}"),
    ],
)
def test_a_rule_that_gives_one_pfn_to_names_without_end_says_so(pattern, form):
    with pytest.raises(CannotInvertError):
        chain((pattern, form)).lfns(b"/x")


def test_a_rule_without_end_matters_only_where_it_may_lead_to_the_path():
    load_test = chain(("/store/LoadTest_.*_(.*)", "srm://d/m?SFN=/pnfs/load/{0}"))
    assert load_test.lfns(b"/pnfs/store/a") == set()
    with pytest.raises(CannotInvertError):
        load_test.lfns(b"/pnfs/load/a")


def test_a_path_that_can_be_taken_apart_in_too_many_ways_is_no_answer():
    with pytest.raises(CannotInvertError):
        chain(("(/.*)(/.*)(/.*)", "x://d{0}{1}{2}")).lfns(b"/a" * 100)


@pytest.mark.parametrize(
    ("links", "host"),
    [
        ([("(/.*)", "root://d:1094/{0}")], "d"),
        ([("(/.*)", "srm://a{0}"), ("srm://a(.*)", "srm://b{0}")], "b"),
        ([("(/.*)", "srm://a{0}"), ("(.*)", "{0}")], "a"),
        ([("(/.*)", "/pnfs{0}")], ""),
    ],
)
def test_the_door_is_that_of_the_last_rule_that_names_one(links, host):
    assert host_of([PfnRule(lfn.encode(), pfn.encode()) for lfn, pfn in links]) == host


@pytest.mark.parametrize(
    ("forms", "are"),
    [
        (["srm://d:8443/m?SFN=/pnfs{0}"], False),
        (["x://d/a.b/..c{0}?x"], False),
        (["x://d{0}?x", "{0}"], True),
        (["x://d/a/../{0}"], True),
        (["x://d/a/..{0}"], True),
        (["x://d/%41{0}"], True),
    ],
)
def test_formats_that_spell_a_path_in_more_ways_than_one_are_told(forms, are):
    assert are_roundabout([form.encode() for form in forms]) is are


PARTS = ("a", "b", "c", "x", "store")
LFNS = [f"/{'/'.join(names)}".encode() for number in (1, 2, 3, 4) for names in itertools.product(PARTS, repeat=number)]
RULES = [
    [("(/.*)", "x://d{0}")],
    [("/store/(.*)", "x://d/{0}"), ("(.*)", "{0}")],
    [("/store/(.*)", "x://d//{0}")],
    [("/(a|b)/(.*)", "x://d/{1}")],
    [("/(a|b)/(.*)", "x://d/{1}/{0}")],
    [("/([^/]*)/(.*)$", "x://d/{1}/{0}")],
    [("/(.*)/x/(.*)", "x://d/{0}/{1}")],
    [("/(.*)/(.*)", "x://d/{1}/{0}/c")],
    [("/a(/.*)", "/b{0}"), ("/b(/.*)", "x://d/c{0}")],
    [("(?:/a)*/store/(.*)$", "x://d/{0}")],
    [("/+(?:store/)?(.*)", "/{0}")],
]


@pytest.mark.parametrize("links", RULES)
def test_no_lfn_of_all_that_were_tried_is_lost(links):
    """Each name of up to four parts is sent through the rules, and must come out of its PFN again."""
    rules = [PfnRule(lfn.encode(), pfn.encode()) for lfn, pfn in links]
    inverse = InverseChain(rules)
    made = {}
    for lfn in LFNS:
        text = lfn
        for rule in rules:
            text = text if text is None else rule.apply(text)
        if text is not None:
            made.setdefault(place(text).path, set()).add(lfn)
    assert made
    for path, lfns in made.items():
        try:
            found = inverse.lfns(path)
        except CannotInvertError:
            continue
        assert found >= lfns
        assert found.isdisjoint(set(LFNS) - lfns)
