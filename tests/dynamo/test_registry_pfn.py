"""From LFN to PFN by the rules of a site: chains of regular expressions, and what is refused rather than guessed."""

import pytest
from registry_worlds import Registered, rule, urls

from dynamo_consistency.backend.dynamo.requests.pfn import PfnRules
from dynamo_consistency.backend.dynamo.requests.unsafe_paths import RefusedError


def rules(*rows: tuple[int, int, str, str]) -> PfnRules:
    return PfnRules((chain, index, lfn.encode("latin-1"), pfn.encode("latin-1")) for chain, index, lfn, pfn in rows)


def refusal(lfn: bytes, *rows: tuple[int, int, str, str]) -> str:
    with pytest.raises(RefusedError) as caught:
        rules(*rows).pfn(lfn)
    return str(caught.value)


def test_groups_stand_where_the_format_numbers_them():
    assert rules((0, 0, "/store/(.*)/(.*)", "root://d//{0}/x{{}}/{1}")).pfn(b"/store/mc/f") == b"root://d//mc/x{}/f"


def test_rules_match_at_the_start_only():
    both = (0, 0, "store(/.*)", "wrong:/{0}"), (1, 0, "/store(/.*)", "right:/{0}")
    assert rules(*both).pfn(b"/store/f") == b"right://f"


def test_chains_are_tried_in_their_order_whatever_the_order_of_the_rows():
    rows = (10, 0, "(/.*)", "ten:{0}"), (2, 0, "(/.*)", "two:{0}"), (1, 0, "/data(/.*)", "one:{0}")
    assert rules(*rows).pfn(b"/store/f") == b"two:/store/f"
    assert rules(*rows).pfn(b"/data/f") == b"one:/f"


def test_links_feed_one_another_in_the_order_of_their_index():
    rows = (0, 11, "/pnfs(/.*)", "srm:/{0}"), (0, 3, "/store(/.*)", "/pnfs{0}")
    assert rules(*rows).pfn(b"/store/f") == b"srm://f"


def test_a_chain_in_which_one_link_fails_is_skipped():
    rows = (0, 0, "/store(/.*)", "/pnfs{0}"), (0, 1, "/never(/.*)", "srm:/{0}"), (1, 0, "(/.*)", "root:/{0}")
    assert rules(*rows).pfn(b"/store/f") == b"root://store/f"


@pytest.mark.parametrize("name", [b"/store/caf\xe9/\xff\x81", "/store/日本".encode(), b"/store/{0}{{"])
def test_names_are_bytes_and_pass_unchanged(name):
    assert rules((0, 0, "(/.*)", "x:{0}")).pfn(name) == b"x:" + name


def test_rules_may_have_bytes_beyond_ascii():
    assert rules((0, 0, "/caf\xe9(/.*)", "\xff:{0}")).pfn(b"/caf\xe9/f") == b"\xff:/f"


def test_no_rule_and_no_match_are_refused():
    assert "no gfal2 mapping" in refusal(b"/store/f")
    assert "no gfal2 mapping" in refusal(b"/store/f", (0, 0, "/data(.*)", "{0}"))


def test_a_group_that_took_no_part_is_never_the_word_none():
    optional = (0, 0, "/(tape/)?store(/.*)", "root:/{0}{1}")
    assert rules(optional).pfn(b"/tape/store/f") == b"root:/tape//f"
    assert "leaves {0} empty" in refusal(b"/store/f", optional)
    assert rules((0, 0, "/(tape/)?store(/.*)", "root:/{1}")).pfn(b"/store/f") == b"root://f"


@pytest.mark.parametrize(
    ("pattern", "form"),
    [
        ("(/.*", "{0}"),
        ("*", "{0}"),
        ("(/.*)", "{0"),
        ("(/.*)", "0}"),
        ("(/.*)", "{}"),
        ("(/.*)", "{name}"),
        ("(/.*)", "{0.__class__}"),
        ("(/.*)", "{0[0]}"),
        ("(/.*)", "{0!r}"),
        ("(/.*)", "{0:>99999999999}"),
        ("(/.*)", "{1}"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_and_shown(pattern, form):
    said = refusal(b"/store/f", (0, 0, pattern, form))
    assert repr(pattern) in said
    assert "correct it in filename_mappings" in said


def test_a_rule_that_drops_the_end_of_a_name_is_refused():
    assert "drops the end" in refusal(b"/store/f.root", (0, 0, "(/store/f)", "root:/{0}"))
    assert "drops the end" in refusal(b"/store/a\nb", (0, 0, "(/.*)", "root:/{0}"))


@pytest.mark.parametrize(
    ("pattern", "form", "made"),
    [
        ("/+store/mc/(.*)", "root://d/{0}", b"root://d/Load_7"),
        ("/store/(mc|data)/(.*)_([0-9])", "root://d/{1}/{2}/{0}.dat", b"root://d/Load/7/mc.dat"),
    ],
)
def test_a_rule_may_rename_files(pattern, form, made):
    assert rules((0, 0, pattern, form)).pfn(b"/store/mc/Load_7") == made


def test_an_index_that_stands_twice_in_a_chain_is_refused():
    assert "twice" in refusal(b"/f", (4, 1, "(/.*)", "a:{0}"), (4, 1, "(/.*)", "b:{0}"))


def test_rules_are_those_of_the_site_and_of_gfal2_in_whichever_form_they_stand(world):
    site = Registered(world, mapped=False)
    rule(world, site.other, "(/.*)", "other:/{0}")
    rule(world, site.here, "(/.*)", "xrootd:/{0}", protocol="xrootd")
    rule(world, site.here, "/pnfs(/.*)", "gsiftp://d{0}", chain=1, index=1)
    rule(world, site.here, "/store(/.*)", "/pnfs{0}", chain=1, index=0)
    rule(world, site.here, "/st.*(/.*)", "never:/{0}", chain=2)
    assert site.ask_deletion(b"/store/a") == [("requested", "")]
    assert urls(world) == [("T2_HERE", b"gsiftp://d/a")]


def test_a_broken_rule_refuses_every_file_of_the_site_with_a_sentence(world):
    site = Registered(world)
    rule(world, site.here, "(/store", "{0}", chain=9)
    answers = site.ask_deletion(b"/store/a", b"/store/b")
    assert [outcome for outcome, _ in answers] == ["refused", "refused"]
    assert "cannot be read" in answers[0][1]
    assert urls(world) == []


def test_files_to_which_the_rules_give_one_pfn_are_refused_together(world):
    site = Registered(world, mapped=False)
    rule(world, site.here, "/store/(a|b)(/.*)", "gsiftp://d{1}")
    answers = site.ask_deletion(b"/store/a/f", b"/store/b/f", b"/store/b/g")
    assert [outcome for outcome, _ in answers] == ["refused", "refused", "requested"]
    assert "the same PFN" in answers[0][1]
    assert urls(world) == [("T2_HERE", b"gsiftp://d/g")]
