"""Where Rucio puts a file, and which file may be at a path."""

import sys

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamo_consistency import paths
from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did, Translation, named
from dynamo_consistency.backend.rucio.options import VoScopes
from dynamo_consistency.errors import BackendError, ConfigurationError

SCOPES = ["cms", "data15_13TeV", "user.jdoe", "user.a.b", "group.phys-x", "users", "group10", "my.scope"]
NAMES = ["f", "a/b/c.root", "with space", "100%25", "日本", "/store/data/f.root", "q?x#y&z", "a.b"]


@pytest.mark.parametrize(("algorithm", "ours"), [("hash", "hash"), ("identity", "identity"), ("cmstfc", "cms")])
def test_our_paths_are_those_of_the_server(rucio_sqlite, algorithm, ours):
    site = rucio_sqlite.rse(algorithm=algorithm)
    translation = Translation(named(ours))
    for scope in SCOPES:
        for name in NAMES:
            theirs = paths.normalise(rucio_sqlite.path(site, name, scope).encode())
            assert translation.path(scope, name) == theirs, (scope, name)


@pytest.mark.parametrize("algorithm", ["hash", "identity"])
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("name", NAMES)
def test_the_did_is_among_those_that_a_path_may_stand_for(algorithm, scope, name):
    translation = Translation(named(algorithm))
    assert Did(scope, name) in translation.dids(translation.path(scope, name))


_part = st.text(st.characters(exclude_characters="/.", exclude_categories=["Cs"]), min_size=1, max_size=8)
_scope = st.builds(
    lambda first, rest: ".".join([first, *rest]) if first.startswith(("user", "group")) else first,
    st.one_of(st.sampled_from(["user", "group", "cms", "users"]), _part),
    st.lists(_part, max_size=3),
)


@given(algorithm=st.sampled_from(["hash", "identity"]), scope=_scope, name=st.lists(_part, min_size=1).map("/".join))
def test_whatever_has_a_path_is_found_by_it(algorithm, scope, name):
    translation = Translation(named(algorithm))
    path = translation.path(scope, name)
    found = translation.dids(path)
    assert Did(scope, name) in found
    assert {translation.path(*did) for did in found} == {path}


@given(path=st.binary(max_size=60), algorithm=st.sampled_from(["hash", "identity", "cms"]))
def test_no_path_stands_for_a_did_that_is_elsewhere(path, algorithm):
    translation = Translation(named(algorithm), "s")
    for did in translation.dids(path):
        assert translation.path(*did) == paths.normalise(path)


def test_the_hash_tells_which_did_it_was():
    translation = Translation(named("hash"))
    assert translation.dids(translation.path("user.a.b", "c/f")) == [Did("user.a.b", "c/f")]
    assert translation.dids(b"/user/a/00/00/f") == []


def test_below_user_and_group_the_scope_may_end_anywhere():
    expected = {("user", "a/b/f"), ("user.a", "b/f"), ("user.a.b", "f")}
    with_slash = {(scope, f"/{name}") for scope, name in expected}
    assert set(Translation(named("identity")).dids(b"/user/a/b/f")) == expected | with_slash


def test_the_scope_of_a_cms_file_is_cms_or_of_who_owns_it_or_the_one_that_is_set():
    path = b"/store/user/rucio/jdoe/f.root"
    dids = Translation(named("cms"), "other").dids(path)
    both = ("/store/user/rucio/jdoe/f.root", "store/user/rucio/jdoe/f.root")
    assert dids == [(scope, name) for scope in ("cms", "user.jdoe", "other") for name in both]
    assert Translation(named("cms")).dids(b"/store/data/f") == [("cms", "/store/data/f"), ("cms", "store/data/f")]


def test_a_name_that_is_no_utf_8_stands_for_no_did():
    assert Translation(named("identity"), "s").dids(b"/cms/\xff") == []


PLUGIN = """
class Shelves:
    def path(self, scope, name):
        if name == "broken":
            raise KeyError("no shelf")
        return f"shelves/{name[0]}/{scope}/{name}"

    def dids(self, path):
        shelves, letter, scope, name = path.split("/", 3)
        yield scope, name
        yield "wrong", name

ready = Shelves()
none = object()
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    (tmp_path / "shelving.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "shelving", raising=False)


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize("attribute", ["Shelves", "ready"])
def test_a_plug_in_makes_paths_of_its_own(rucio_sqlite, attribute):
    site = rucio_sqlite.rse()
    rucio_sqlite.row(site, "xyz")
    inventory = rucio_sqlite.backend(lfn2pfn=f"shelving:{attribute}").inventory
    path = f"/shelves/x/{rucio_sqlite.scope}/xyz".encode()
    [batch] = inventory.stream(site.name)
    assert batch["path"].to_pylist() == [path]
    assert inventory.look_up(site.name, [path]).keys() == {path}


@pytest.mark.usefixtures("plugin")
def test_a_plug_in_that_fails_ends_the_run_with_a_sentence(rucio_sqlite):
    site = rucio_sqlite.rse()
    rucio_sqlite.row(site, "broken")
    inventory = rucio_sqlite.backend(lfn2pfn="shelving:ready").inventory
    with pytest.raises(BackendError, match=r"lfn2pfn has no path for .*:broken: 'no shelf'"):
        list(inventory.stream(site.name))
    with pytest.raises(BackendError, match="lfn2pfn fails on /short: not enough values"):
        inventory.look_up(site.name, [b"/short"])


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nowhere:thing", "nowhere:thing cannot be imported: No module named 'nowhere'"),
        ("shelving:nothing", "shelving:nothing cannot be imported"),
        ("shelving:none", r"shelving:none lacks path\(scope, name\) or dids\(path\)"),
    ],
)
def test_a_plug_in_that_is_none_is_a_complaint(name, complaint):
    with pytest.raises(ConfigurationError, match=complaint):
        named(name)


def test_an_algorithm_that_is_not_known_is_not_guessed(rucio_sqlite):
    site = rucio_sqlite.rse()
    rucio_sqlite.file(site, "f")
    rucio_sqlite.ask("POST", f"/rses/{site.name}/attr/lfn2pfn_algorithm", {"value": "xenon1t"})
    backend = rucio_sqlite.backend()
    for ask in (lambda: list(backend.inventory.stream(site.name)), lambda: backend.check_site(site.name)):
        with pytest.raises(
            ConfigurationError, match="made by the algorithm 'xenon1t', which is not known here; set lf"
        ):
            ask()


TFC = {"tfc": [{"proto": "direct", "path": "/+(.*)", "out": "/pnfs/$1"}], "tfc_proto": "direct"}


def test_a_tfc_is_refused_unless_the_entry_says_what_is_meant(rucio):
    protocol = {"scheme": "root", "hostname": "door.example.org", "prefix": "/", "extended_attributes": TFC}
    site = rucio.rse(algorithm="cmstfc", protocols=[protocol])
    auto = rucio.backend()
    with pytest.raises(ConfigurationError, match=r"are made by a TFC, .* set lfn2pfn"):
        list(auto.inventory.stream(site.name))
    with pytest.raises(BackendError, match="protocols follow a TFC; name what lists it under `sites`"):
        auto.listing_source(site.name)
    source = {"xrootd": {"servers": ["root://door:1094"], "prefix": "/pnfs"}}
    backend = rucio.backend(lfn2pfn="cms", sites={site.name: source})
    assert list(backend.inventory.stream(site.name)) == []
    assert backend.listing_source(site.name).xrootd.prefix == "/pnfs"


@pytest.mark.parametrize("algorithm", ["hash", "identity", "cms"])
@pytest.mark.parametrize("number", [0, 1, 2000, 4001])
def test_many_files_have_the_paths_that_each_of_them_has(algorithm, number):
    translation = Translation(named(algorithm))
    dids = [(SCOPES[each % len(SCOPES)], f"{each}{NAMES[each % 7]}{'//' * (each % 5)}x") for each in range(number)]
    scopes, names = (pa.array([did[place] for did in dids], pa.string()) for place in (0, 1))
    assert translation.paths(scopes, names).to_pylist() == [translation.path(*did) for did in dids]


@given(
    algorithm=st.sampled_from(["hash", "identity", "cms"]),
    scopes=st.lists(st.sampled_from([*SCOPES, "cms@vo1", "user.a@vo1", "/s", ""]), min_size=1, max_size=5),
    names=st.lists(st.text("/a.é ", max_size=5), min_size=1, max_size=5),
    in_front=st.sampled_from(["", "/", "//"]),
    vo=st.sampled_from(["def", "vo1"]),
)
def test_columns_of_files_have_the_paths_that_each_of_them_has(algorithm, scopes, names, in_front, vo):
    translation = Translation(named(algorithm), scopes=VoScopes(vo))
    dids = list(zip(scopes, (in_front + name for name in names), strict=False))
    columns = (pa.array(column, pa.string()) for column in zip(*dids, strict=True))
    assert translation.paths(*columns).to_pylist() == [translation.path(*did) for did in dids]
