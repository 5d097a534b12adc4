"""Rules from LFN to path: which are read, which refused, and that both directions agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamo_consistency.path_rules import PathRule, PathRules, path_rule

TREES = st.lists(st.sampled_from(["a", "b", "store"]), max_size=3).map(lambda parts: ("/" + "/".join(parts)).encode())
SETS = st.lists(st.builds(PathRule, TREES, TREES), min_size=1, max_size=4)


def rules(*pairs: tuple[str, str]) -> PathRules:
    return PathRules([PathRule(lfn.encode(), path.encode()) for lfn, path in pairs])


@pytest.mark.parametrize(
    ("pattern", "form", "lfn", "path"),
    [
        ("/+store/temp/(.*)", "/scratch/$1", b"/store/temp", b"/scratch"),
        ("^/+store/(.*)$", "/pnfs/example.org//store/$1", b"/store", b"/pnfs/example.org/store"),
        ("/(.*)", "/pnfs/$1", b"/", b"/pnfs"),
        ("(.*)", "/pnfs$1", b"/", b"/pnfs"),
        ("/+(store/.*)", "/cms/$1", b"/store", b"/cms/store"),
        (r"/store/v1\.2(/.+)", "/x$1", b"/store/v1.2", b"/x"),
        ("/store/(.*)", "/x/{0}", b"/store", b"/x"),
        ("/store/(.*)", r"/x/\1", b"/store", b"/x"),
    ],
)
def test_patterns_are_read_as_people_write_them(pattern, form, lfn, path):
    assert path_rule(pattern, form) == PathRule(lfn, path)


@pytest.mark.parametrize(
    ("pattern", "form", "words"),
    [
        ("/store/.*", "/x/$1", "cannot be read backwards"),
        ("/store/(mc|data)/(.*)", "/x/$1/$2", "cannot be read backwards"),
        ("/store/[a-z]/(.*)", "/x/$1", "cannot be read backwards"),
        ("/store.x/(.*)", "/x/$1", "cannot be read backwards"),
        ("/store/(.*)_(.*)", "/x/$1", "cannot be read backwards"),
        ("/store/(.*)", "/x/$1.root", "must end with"),
        ("/store/(.*)", "/x", "must end with"),
        ("/store/(.*)", "root://door//x/$1", "must begin with /"),
        ("/store(.*)", "/x$1", "before"),
        ("/store/(.*)", "/x/y$1", "before"),
        ("/store/(.*)", "/x/../$1", "as a component"),
    ],
)
def test_what_is_no_tree_to_a_tree_is_refused(pattern, form, words):
    with pytest.raises(ValueError, match=words):
        path_rule(pattern, form)


def test_the_first_rule_that_matches_decides():
    both = rules(("/store/temp", "/scratch"), ("/store", "/pnfs"))
    assert (both.path(b"/store/temp/f"), both.path(b"/store/temporary/f")) == (b"/scratch/f", b"/pnfs/temporary/f")
    assert (both.lfn(b"/scratch/f"), both.lfn(b"/pnfs/mc/f")) == (b"/store/temp/f", b"/store/mc/f")
    assert both.path(b"/other/f") is None


def test_a_path_that_no_rule_leads_to_has_no_lfn():
    assert rules(("/store/temp", "/scratch"), ("/store", "/pnfs")).lfn(b"/pnfs/temp/f") is None


@pytest.mark.parametrize(
    "pairs",
    [
        [("/store/a", "/x/b"), ("/store", "/x")],
        [("/store/a", "/x"), ("/store/b", "/x")],
        [("/store/mc", "/x"), ("/store/data", "/x/data")],
        [("/store/temp", "/pnfs/mc/scratch"), ("/store", "/pnfs")],
        [("/", "/"), ("/store", "/x")],
    ],
)
def test_rules_that_give_one_path_to_two_lfns_or_are_never_reached_are_refused(pairs):
    with pytest.raises(ValueError, match=r"nobody could say|never reached"):
        rules(*pairs)


@given(SETS, TREES, TREES)
def test_rules_that_are_taken_lead_there_and_back_and_no_two_lfns_to_one_path(some, one, other):
    try:
        taken = PathRules(some)
    except ValueError:
        return
    for lfn in (one, other):
        path = taken.path(lfn)
        assert path is None or taken.lfn(path) == lfn
    assert one == other or taken.path(one) != taken.path(other) or taken.path(one) is None


@given(SETS)
def test_what_is_written_is_read_back(some):
    try:
        taken = PathRules(some)
    except ValueError:
        return
    written = taken.as_patterns()
    assert PathRules(path_rule(rule["lfn"], rule["path"]) for rule in written).as_patterns() == written
    assert [path_rule(rule["lfn"], rule["path"]) for rule in written] == some


def test_a_tree_must_be_at_one_place_with_all_that_is_below():
    both = rules(("/store/temp", "/scratch"), ("/store", "/pnfs"))
    assert both.problem(b"/store/mc") is None
    assert "exclude it" in (both.problem(b"/store") or "")
    assert both.problem(b"/store", [b"/store/temp"]) is None
    assert both.problem(b"/other") == "no rule says where /other is"
    assert rules(("/store/temp", "/pnfs/temp"), ("/store", "/pnfs")).problem(b"/store") is None
