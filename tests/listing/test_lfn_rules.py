"""Rules from LFN to path: each root is listed where its rule says, and what rules leave open is refused."""

import pytest
from listing_runs import check_of, touch
from pydantic import ValidationError

from dynamo_consistency.backend import optional_features
from dynamo_consistency.check import Source
from dynamo_consistency.errors import ConfigurationError, ListingError
from dynamo_consistency.listers.contract import Listed
from dynamo_consistency.listers.endpoint import SitePrefix
from dynamo_consistency.listers.look import FileStat, NotThere
from dynamo_consistency.listers.posix import PosixLister
from dynamo_consistency.listers.protocols import listers_of
from dynamo_consistency.path_rules import PathRule, PathRules
from dynamo_consistency.run.listing.source import source_of

BOTH = [
    {"lfn": "/+store/temp/(.*)", "path": "/scratch/$1"},
    {"lfn": "/+store/(.*)", "path": "/pnfs/site/store/$1"},
]
RULES = PathRules([PathRule(b"/store/temp", b"/scratch"), PathRule(b"/store", b"/pnfs/site/store")])


def rows(list_site, site, roots, rules=BOTH, **listing):
    _, found = list_site({"posix": {"prefix": str(site), "rules": rules}}, roots=roots, **listing)
    return [row[0] for row in found if row[1] == "file"]


@pytest.fixture
def site(tmp_path):
    touch(tmp_path / "pnfs/site/store/mc/d", b"f")
    touch(tmp_path / "pnfs/site/store/temp", b"not seen")
    touch(tmp_path / "scratch/user", b"g")
    return tmp_path


def test_each_root_is_listed_where_its_rule_says(list_site, site):
    assert rows(list_site, site, ["/store/mc", "/store/temp"]) == [b"/store/mc/d/f", b"/store/temp/user/g"]


def test_what_lies_elsewhere_is_excluded_from_the_root_around_it(list_site, site):
    assert rows(list_site, site, ["/store"], exclude=["/store/temp"]) == [b"/store/mc/d/f"]


def test_a_file_is_asked_for_where_its_rule_says(site):
    lister = PosixLister(str(site), RULES)
    assert isinstance(lister.look(b"/store/temp/user/g"), FileStat)
    assert isinstance(lister.look(b"/store/temp/not seen"), NotThere)
    assert isinstance(lister.answer(b"/store/temp/user"), Listed)


def test_the_prefix_stands_before_what_the_rules_make():
    prefix = SitePrefix("/mnt", RULES)
    assert prefix.path(b"/store/temp/a") == b"/mnt/scratch/a"
    assert prefix.lfn(b"/mnt/pnfs/site/store/a") == b"/store/a"
    with pytest.raises(ListingError, match="no rule"):
        prefix.path(b"/other")
    for path in (b"/mnt/pnfs/site/store/temp/a", b"/mnt/elsewhere", b"/scratch/a"):
        with pytest.raises(ValueError, match=r"no LFN|not below"):
            prefix.lfn(path)


@pytest.mark.parametrize(
    ("rules", "roots", "words"),
    [
        (BOTH, ["/store"], "exclude it"),
        (BOTH, ["/other"], "no rule says where"),
        ([*BOTH, {"lfn": "/store/mc/(.*)", "path": "/x/$1"}], ["/store/mc"], "never reached"),
        ([{"lfn": "/a/(.*)", "path": "/x/$1"}, {"lfn": "/b/(.*)", "path": "/x/$1"}], ["/a"], "nobody could say"),
        ([{"lfn": "/store/[ab]/(.*)", "path": "/x/$1"}], ["/store"], "cannot be read backwards"),
        ([], ["/store"], "at least 1"),
    ],
)
@pytest.mark.parametrize("kind", ["posix", "xrootd", "webdav"])
def test_rules_that_do_not_say_where_a_root_is_are_refused(kind, rules, roots, words):
    where = {"prefix": "/mnt"} if kind == "posix" else {"servers": ["door"]}
    with pytest.raises(ValidationError, match=words):
        check_of({kind: where | {"rules": rules}}, roots=roots)


def test_a_scratch_area_must_be_at_one_place_as_well():
    check = check_of({"xrootd": {"servers": ["door"], "rules": BOTH}}, roots=["/store/mc"])
    data = check.model_dump(mode="json", by_alias=True, exclude_none=True)
    for area, words in (("/store/temp", None), ("/elsewhere", "no rule says where")):
        data["spec"]["unmerged"] = {"path": area, "protectedFrom": {"url": "/list"}, "logs": {}}
        if words is None:
            type(check).model_validate(data, by_alias=True, by_name=False)
        else:
            with pytest.raises(ValidationError, match=words):
                type(check).model_validate(data, by_alias=True, by_name=False)


def test_rules_that_the_backend_says_are_held_against_the_roots(monkeypatch):
    source = Source.model_validate({"posix": {"prefix": "/mnt", "rules": BOTH}})
    monkeypatch.setattr(optional_features, "listing_source", lambda backend, site: source)
    with pytest.raises(ConfigurationError, match="do not suit the check"):
        source_of(check_of(None, roots=["/store"]).spec.listing, object(), "T2_X")


def test_listers_of_a_backend_get_the_rules():
    source = Source.model_validate({"webdav": {"servers": ["davs://door"], "rules": BOTH}})
    constructor, (arguments,) = listers_of("T2_X", source)
    assert constructor(*arguments) is not None
    assert len(arguments) == 3
