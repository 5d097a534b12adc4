"""Which files are never handed to the dark reaper, whatever else is true of them, and by which name the others are."""

import hashlib

import pytest
from rucio_requests import Asking, dark

from dynamo_consistency.backend.rucio.requests.quarantine import REGISTERED

ODD = {
    b"../B/f": "`.` or `..`",
    b"a/./f": "`.` or `..`",
    b"a//f": "not normalised",
    b"a/": "as a directory",
    b"a\nb": r"'\n'",
    b"a b": "' '",
    b"f;v1": "';'",
    b"f?v1": "'?'",
    b"f#v1": "'#'",
    b"f%41": "'%'",
    b"$(rm -rf x)": "'$'",
    "ü".encode(): "'ü'",
    b"\xff": "not UTF-8",
    b"x" * 251: "its name is too long: it has 251 characters, and Rucio's table holds 250",
    b"y/" * 520 + b"f": "its path is too long: it has 10",
}


def test_a_name_with_which_another_file_might_be_deleted_is_refused_and_the_others_are_not(asking_everywhere):
    asking = asking_everywhere
    said = asking.delete(*(dark(asking, "") + name for name in ODD), dark(asking, "x" * 250))
    for (outcome, message), expected in zip(said, ODD.values(), strict=False):
        assert outcome == "refused"
        assert expected in message
    assert said[-1] == ("requested", "")
    assert len(asking.quarantined()) == 1


@pytest.mark.parametrize("sign", ["#", "?"])
def test_the_dark_reaper_would_indeed_delete_another_file(asking, sign):
    name = f"f{sign}v1"
    asking.rucio.file(asking.here, "f")
    odd = asking.rucio.store(asking.here, f"{asking.rucio.scope}/{name}").decode()
    replica = {"path": odd, "scope": asking.rucio.scope, "name": name}
    asking.rucio.ask("POST", "/replicas/quarantine", {"rse": asking.here.name, "replicas": [replica]})
    asking.rucio.run("dark-reaper", asking.here.name)
    assert list(asking.here.files()) == [odd]
    assert asking.rucio.states(asking.here) == {"f": "A"}


def test_a_path_that_begins_with_the_prefix_is_refused(asking):
    ((outcome, said),) = asking.delete(f"{asking.here.folder}/a/f".encode(), scope=asking.rucio.scope)
    assert outcome == "refused"
    assert "begins with the RSE's prefix" in said


def test_where_paths_are_hashed_the_name_is_proved_by_the_path(rucio_sqlite):
    asking = Asking(rucio_sqlite, algorithm="hash")
    scope = asking.rucio.scope
    digest = hashlib.md5(f"{scope}:f".encode(), usedforsecurity=False).hexdigest()
    right = f"{scope}/{digest[:2]}/{digest[2:4]}/f"
    wrong = f"{scope}/zz/{digest[2:4]}/f"
    first, second = asking.delete(b"/" + right.encode(), b"/" + wrong.encode())
    assert first == ("requested", "")
    assert (second[0], second[1].partition(";")[0]) == ("refused", "its path tells no scope and no name")
    assert asking.delete(b"/" + wrong.encode(), scope=scope) == [("requested", "")]
    assert asking.quarantined() == sorted([(right, scope, "f"), (wrong, scope, f"/{wrong}")])


class TestNamesThatAreNotClear:
    """Below user and group, a path may belong to files of several scopes."""

    def test_the_one_whose_scope_exists_is_meant(self, asking):
        user = asking.rucio.add_scope(f"user.{asking.rucio.scope}")
        path = f"/user/{asking.rucio.scope}/b/f".encode()
        assert asking.delete(path) == [("requested", "")]
        assert asking.quarantined() == [(path.decode()[1:], user, "b/f")]

    def test_any_that_is_registered_saves_the_file(self, asking):
        user = asking.rucio.add_scope(f"user.{asking.rucio.scope}")
        asking.rucio.add_scope(f"{user}.b")
        path = asking.lost("b/f", scope=user)
        assert asking.delete(path) == [("refused", REGISTERED)]

    def test_where_two_scopes_exist_the_file_is_refused(self, asking):
        user = asking.rucio.add_scope(f"user.{asking.rucio.scope}")
        asking.rucio.add_scope(f"{user}.b")
        ((outcome, said),) = asking.delete(f"/user/{asking.rucio.scope}/b/f".encode())
        assert outcome == "refused"
        assert said == f"it is not clear under which name Rucio would know it: {user}:b/f or {user}.b:f"

    def test_unless_rucio_knows_one_of_them_somewhere(self, asking):
        user = asking.rucio.add_scope(f"user.{asking.rucio.scope}")
        deeper = asking.rucio.add_scope(f"{user}.b")
        asking.rucio.file(asking.there, "f", scope=deeper)
        path = f"/user/{asking.rucio.scope}/b/f".encode()
        assert asking.delete(path) == [("requested", "")]
        assert asking.quarantined() == [(path.decode()[1:], deeper, "f")]

    def test_a_name_begins_with_a_slash_where_those_of_its_scope_do(self, asking_everywhere):
        asking, rucio = asking_everywhere, asking_everywhere.rucio
        others = {"none": [], "plain": ["a"], "slashed": ["/a"], "mixed": ["a", "/a"]}
        files = {}
        for style, names in others.items():
            scope = rucio.add_scope(f"{rucio.scope}{style}")
            files[style] = f"/{scope}/f".encode()
            for name in names:
                rucio.file(asking.there, name, None, scope=scope)
        said = dict(zip(files, asking.delete(*files.values()), strict=True))
        assert said["mixed"][1].startswith("it is not clear under which name")
        chosen = {scope.removeprefix(rucio.scope): name for _, scope, name in asking.quarantined()}
        assert chosen == {"none": "f", "plain": "f", "slashed": "/f"}

    def test_where_no_scope_is_in_the_path_all_are_looked_at(self, rucio):
        asking = Asking(rucio, algorithm="cmstfc")
        user = rucio.add_scope(f"user.{rucio.scope}")
        known = asking.lost(f"/store/{rucio.scope}/f", scope=user)
        other = f"/store/{rucio.scope}/g".encode()
        assert asking.delete(known, other) == [("refused", REGISTERED), ("requested", "")]
        assert asking.quarantined() == [(other.decode()[1:], "cms", other.decode())]


class TestStorageThatIsShared:
    """Several RSEs may stand for one storage system, or for directories of one another."""

    def beside(self, asking: Asking, name: str, prefix: str, **door: object):
        protocol = {"scheme": "file", "prefix": prefix, **door}
        return asking.rucio.rse(name, protocols=[protocol], algorithm="identity")

    def test_what_lies_in_the_area_of_another_rse_is_refused(self, asking):
        scope = asking.rucio.scope
        other = self.beside(asking, "INNER", f"{asking.here.folder}/{scope}/inner")
        said = asking.delete(dark(asking, "inner/f"), dark(asking, "inner2/f"))
        assert said == [("refused", f"it lies in the area of the RSE {other.name}"), ("requested", "")]

    def test_what_an_rse_with_the_same_prefix_knows_is_refused(self, asking):
        twin = self.beside(asking, "TWIN", f"{asking.here.folder}/")
        asking.rucio.distance(asking.there, twin)
        asking.rucio.file(twin, "f", None)
        asking.rucio.file(asking.there, "coming")
        asking.rucio.rule("coming", twin)
        asking.rucio.sql("DELETE FROM replicas WHERE scope = :scope AND state = 'C'", scope=asking.rucio.scope)
        said = asking.delete(dark(asking, "f"), dark(asking, "coming"), dark(asking, "g"))
        knows = ("refused", f"the RSE {twin.name}, which has the same storage, knows it")
        assert said == [knows, knows, ("requested", "")]

    @pytest.mark.parametrize("door", [{"hostname": "127.0.0.1"}, {"hostname": "127.0.0.1", "port": 8443}])
    def test_a_door_of_another_name_leads_to_the_same_storage(self, asking, door):
        twin = self.beside(asking, "TWIN", f"{asking.here.folder}/", **door)
        asking.rucio.file(twin, "f", None)
        said = asking.delete(dark(asking, "f"), dark(asking, "g"))
        assert said == [("refused", f"the RSE {twin.name}, which has the same storage, knows it"), ("requested", "")]

    def test_a_door_in_the_same_domain_leads_to_the_same_storage_and_one_elsewhere_does_not(self, asking):
        door = {"scheme": "file", "prefix": f"{asking.here.folder}/", "hostname": "dcache.site.invalid"}
        asking.here = asking.rucio.rse("HERE", protocols=[door], algorithm="identity")
        twin = self.beside(asking, "TWIN", door["prefix"], hostname="xrootd.site.invalid")
        far = self.beside(asking, "FAR", door["prefix"], hostname="xrootd.elsewhere.invalid")
        asking.rucio.file(twin, "f", None)
        asking.rucio.file(far, "g", None)
        said = asking.delete(dark(asking, "f"), dark(asking, "g"))
        assert said == [("refused", f"the RSE {twin.name}, which has the same storage, knows it"), ("requested", "")]

    def test_what_an_rse_above_knows_is_refused(self, asking):
        above, asking.here = asking.here, self.beside(asking, "INNER", f"{asking.here.folder}/{asking.rucio.scope}/a")
        asking.rucio.file(above, f"a/{asking.rucio.scope}/f", None)
        said = asking.delete(dark(asking, "f"), dark(asking, "g"))
        assert said == [
            ("refused", f"the RSE {above.name}, which has the same storage, knows it"),
            ("requested", ""),
        ]


def test_an_rse_whose_paths_are_made_by_rules_is_refused_and_what_it_may_have_of_others_too(asking):
    rules = {"scheme": "file", "prefix": f"{asking.here.folder}/", "extended_attributes": {"tfc": []}}
    plain, asking.here = asking.here, asking.rucio.rse("TFC", algorithm="cmstfc", protocols=[rules])
    ((outcome, said),) = asking.delete(b"/store/x/f", lfn2pfn="cms")
    assert outcome == "refused"
    assert "TFC" in said
    name, asking.here = asking.here.name, plain
    ((outcome, said),) = asking.delete(dark(asking, "f"))
    assert outcome == "refused"
    assert f"the RSE {name}, which has the same storage, may know it" in said
