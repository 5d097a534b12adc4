"""Files that Rucio does not know: handed to its dark reaper, and never one that is registered."""

import hashlib

import pytest
from rucio_requests import Asking, outcomes

from dynamo_consistency.backend.rucio.quarantine import REGISTERED
from dynamo_consistency.backend.rucio.rest import RestClient
from dynamo_consistency.errors import BackendError


@pytest.fixture
def asking(rucio) -> Asking:
    return Asking(rucio)


@pytest.fixture
def asking_sqlite(rucio_sqlite) -> Asking:
    return Asking(rucio_sqlite)


def dark(asking: Asking, name: str) -> bytes:
    return f"/{asking.rucio.scope}/{name}".encode()


def test_a_file_is_handed_over_once_with_its_scope_and_name_however_often_it_is_asked_for(asking):
    scope, one, two = asking.rucio.scope, dark(asking, "a/one"), dark(asking, "two")
    assert asking.delete(one, one, one[1:]) == [("requested", "")] * 3
    assert asking.quarantined() == [(f"{scope}/a/one", scope, "a/one")]
    assert outcomes(asking.delete(one, two)) == ["waiting", "requested"]
    assert outcomes(asking.delete(one, two)) == ["waiting", "waiting"]
    assert len(asking.quarantined()) == 2


def test_what_others_have_handed_over_is_waited_for_however_they_wrote_its_path(asking):
    files = [dark(asking, "a"), dark(asking, "b")]
    given = [{"path": files[0].decode()}, {"path": files[1].decode()[1:]}]
    asking.rucio.ask("POST", "/replicas/quarantine", {"rse": asking.here.name, "replicas": given})
    assert outcomes(asking.delete(*files)) == ["waiting", "waiting"]
    assert len(asking.quarantined()) == 2


def test_a_registered_file_is_never_handed_over_in_whatever_state_it_is(asking):
    files = asking.lost_all([f"f{number}" for number in range(7)])
    where = "rse_id = (SELECT id FROM rses WHERE rse = :rse) AND name = :name"
    for name, state in zip(files, "ACUBDT", strict=False):
        asking.rucio.sql(f"UPDATE replicas SET state = '{state}' WHERE {where}", rse=asking.here.name, name=name)
    change = "UPDATE replicas SET lock_cnt = 0, tombstone = '1970-01-01 00:00:00'"
    asking.rucio.sql(f"{change} WHERE {where}", rse=asking.here.name, name="f6")
    assert set(asking.delete(*files.values())) == {("refused", REGISTERED)}
    assert asking.quarantined() == []


def test_a_file_on_its_way_to_the_site_is_never_handed_over(asking):
    asking.rucio.file(asking.there, "f")
    asking.rucio.rule("f", asking.here)
    asking.rucio.sql("DELETE FROM replicas WHERE scope = :scope AND state = 'C'", scope=asking.rucio.scope)
    assert asking.delete(dark(asking, "f")) == [("refused", REGISTERED)]


def test_a_path_that_stands_in_the_catalogue_is_never_handed_over(asking):
    asking.here = asking.rucio.rse("FREE", deterministic=False)
    known = [asking.rucio.file(asking.here, n, pfn=f"file://localhost:0{asking.here.folder}/a/{n}") for n in "xy"]
    asking.rucio.sql(
        "UPDATE replicas SET path = 'a/y' WHERE path = '/a/y' AND scope = :scope", scope=asking.rucio.scope
    )
    scope = asking.rucio.scope
    assert asking.delete(*known, scope=scope) == [("refused", REGISTERED)] * 2
    ((outcome, said),) = asking.delete(b"/a/z")
    assert (outcome, said.partition(";")[0]) == ("refused", "its path tells no scope and no name")
    assert asking.delete(b"/a/z", scope=scope) == [("requested", "")]
    assert asking.quarantined() == [("a/z", scope, "/a/z")]


def test_where_a_file_is_on_its_way_to_a_path_that_nobody_knows_nothing_is_handed_over(asking):
    asking.here = asking.rucio.rse("FREE", deterministic=False)
    asking.rucio.file(asking.there, "f")
    asking.rucio.rule("f", asking.here)
    ((outcome, said),) = asking.delete(b"/a/z", scope=asking.rucio.scope)
    assert outcome == "refused"
    assert "whose path Rucio does not know yet" in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (b"../B/f", "`.` or `..`"),
        (b"a/./f", "`.` or `..`"),
        (b"a//f", "not normalised"),
        (b"a/", "as a directory"),
        (b"a\nb", r"'\n'"),
        (b"a b", "' '"),
        (b"f;v1", "';'"),
        (b"f?v1", "'?'"),
        (b"f#v1", "'#'"),
        (b"f%41", "'%'"),
        (b"$(rm -rf x)", "'$'"),
        ("ü".encode(), "'ü'"),
        (b"\xff", "not UTF-8"),
        (b"x" * 251, "its name has 251 characters, and Rucio's table holds 250"),
        (b"y/" * 520 + b"f", "its path has 10"),
    ],
)
def test_a_name_with_which_another_file_might_be_deleted_is_refused_and_the_others_are_not(asking_sqlite, name, said):
    asking, fine = asking_sqlite, dark(asking_sqlite, "fine")
    odd, good = asking.delete(dark(asking, "") + name, fine)
    assert odd[0] == "refused"
    assert said in odd[1]
    assert good == ("requested", "")
    assert len(asking.quarantined()) == 1


@pytest.mark.parametrize("sign", ["#", "?"])
def test_the_dark_reaper_would_indeed_delete_another_file(asking_sqlite, sign):
    asking, name = asking_sqlite, f"f{sign}v1"
    asking.rucio.file(asking.here, "f")
    odd = asking.rucio.store(asking.here, f"{asking.rucio.scope}/{name}").decode()
    replica = {"path": odd, "scope": asking.rucio.scope, "name": name}
    asking.rucio.ask("POST", "/replicas/quarantine", {"rse": asking.here.name, "replicas": [replica]})
    asking.rucio.run("dark-reaper", asking.here.name)
    assert list(asking.here.files()) == [odd]
    assert asking.rucio.states(asking.here) == {"f": "A"}


def test_a_path_that_begins_with_the_prefix_is_refused(asking_sqlite):
    asking = asking_sqlite
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

    @pytest.mark.parametrize(("others", "name"), [([], "f"), (["a"], "f"), (["/a"], "/f"), (["a", "/a"], None)])
    def test_a_name_begins_with_a_slash_where_those_of_its_scope_do(self, asking, others, name):
        for other in others:
            asking.rucio.file(asking.there, other, None)
        ((outcome, said),) = asking.delete(dark(asking, "f"))
        if name is None:
            assert outcome == "refused"
            assert said.startswith("it is not clear under which name")
        else:
            assert [found for _, _, found in asking.quarantined()] == [name]

    def test_where_no_scope_is_in_the_path_all_are_looked_at(self, rucio):
        asking = Asking(rucio, algorithm="cmstfc")
        user = rucio.add_scope(f"user.{rucio.scope}")
        known = asking.lost(f"/store/{rucio.scope}/f", scope=user)
        other = f"/store/{rucio.scope}/g".encode()
        assert asking.delete(known, other) == [("refused", REGISTERED), ("requested", "")]
        assert asking.quarantined() == [(other.decode()[1:], "cms", other.decode())]


class TestStorageThatIsShared:
    """Several RSEs may stand for one storage system, or for directories of one another."""

    def beside(self, asking: Asking, name: str, prefix: str):
        return asking.rucio.rse(name, protocols=[{"scheme": "file", "prefix": prefix}], algorithm="identity")

    def test_what_lies_in_the_area_of_another_rse_is_refused(self, asking_sqlite):
        asking, scope = asking_sqlite, asking_sqlite.rucio.scope
        other = self.beside(asking, "INNER", f"{asking.here.folder}/{scope}/inner")
        said = asking.delete(dark(asking, "inner/f"), dark(asking, "inner2/f"))
        assert said == [("refused", f"it lies in the area of the RSE {other.name}"), ("requested", "")]

    def test_what_an_rse_with_the_same_prefix_knows_is_refused(self, asking):
        twin = self.beside(asking, "TWIN", f"{asking.here.folder}/")
        asking.rucio.file(twin, "f", None)
        said = asking.delete(dark(asking, "f"), dark(asking, "g"))
        assert said == [
            ("refused", f"the RSE {twin.name}, which has the same storage, knows it"),
            ("requested", ""),
        ]

    def test_what_an_rse_above_knows_is_refused(self, asking_sqlite):
        asking = asking_sqlite
        above, asking.here = asking.here, self.beside(asking, "INNER", f"{asking.here.folder}/{asking.rucio.scope}/a")
        asking.rucio.file(above, f"a/{asking.rucio.scope}/f", None)
        said = asking.delete(dark(asking, "f"), dark(asking, "g"))
        assert said == [
            ("refused", f"the RSE {above.name}, which has the same storage, knows it"),
            ("requested", ""),
        ]


def test_a_file_that_is_registered_between_look_and_request_is_refused(asking, monkeypatch):
    ask = RestClient.quarantine
    one, two = dark(asking, "one"), dark(asking, "two")

    def meanwhile(client, rse, files):
        asking.rucio.file(asking.here, "one")
        ask(client, rse, files)

    monkeypatch.setattr(RestClient, "quarantine", meanwhile)
    assert asking.delete(one, two) == [("refused", REGISTERED), ("requested", "")]
    assert [path for path, _, _ in asking.quarantined()] == [two.decode()[1:]]


def test_a_call_that_has_nothing_left_to_add_is_no_error(asking, monkeypatch):
    """Rucio answers it with status 500 and a DatabaseException."""
    ask = RestClient.quarantine
    one = dark(asking, "one")

    def twice(client, rse, files):
        monkeypatch.setattr(RestClient, "quarantine", ask)
        ask(client, rse, files)
        ask(client, rse, files)

    monkeypatch.setattr(RestClient, "quarantine", twice)
    assert outcomes(asking.delete(one)) == ["waiting"]
    assert len(asking.quarantined()) == 1


def test_what_the_database_does_not_take_is_refused_alone(asking, monkeypatch):
    """Here because a path comes in twice, which is what it takes for Rucio to fail on every database."""
    ask = RestClient.quarantine
    files = [dark(asking, f"f{number}") for number in range(7)]
    spoilt = files[4].decode()[1:]

    def spoiling(client, rse, some):
        if spoilt in some:
            content = {
                "rse_id": rse,
                "replicas": [{"path": path, "scope": "s", "name": "n"} for path in [*some, spoilt]],
            }
            client._ask("POST", "/replicas/quarantine", content=content)
        ask(client, rse, some)

    monkeypatch.setattr(RestClient, "quarantine", spoiling)
    said = asking.delete(*files)
    assert outcomes(said) == ["requested"] * 4 + ["refused"] + ["requested"] * 2
    assert said[4][1].startswith("Rucio's database does not take it")
    assert "DatabaseException" in said[4][1]
    assert len(asking.quarantined()) == 6


def test_more_files_than_one_call_takes_are_all_handed_over(asking_sqlite, monkeypatch):
    monkeypatch.setattr("dynamo_consistency.backend.rucio.sending.CALL", 3)
    files = [dark(asking_sqlite, f"f{number}") for number in range(8)]
    assert set(outcomes(asking_sqlite.delete(*files))) == {"requested"}
    assert len(asking_sqlite.quarantined()) == 8


def test_as_many_as_one_call_takes_are_taken(asking_sqlite):
    files = [dark(asking_sqlite, f"f{number}") for number in range(500)]
    assert set(outcomes(asking_sqlite.delete(*files))) == {"requested"}
    assert set(outcomes(asking_sqlite.delete(*files))) == {"waiting"}


def test_an_account_without_the_right_is_told_so(asking):
    with pytest.raises(BackendError, match=r"AccessDenied.*give the account checker.* the right"):
        asking.delete(dark(asking, "f"), account=asking.rucio.account("checker"))
    assert asking.delete(dark(asking, "f"), account=asking.rucio.account("adm", admin="True")) == [("requested", "")]


def test_an_rse_whose_paths_are_made_by_rules_is_refused_and_what_it_may_have_of_others_too(asking_sqlite):
    asking = asking_sqlite
    rules = {"scheme": "file", "prefix": f"{asking.here.folder}/", "extended_attributes": {"tfc": []}}
    plain, asking.here = asking.here, asking.rucio.rse("TFC", algorithm="cmstfc", protocols=[rules])
    ((outcome, said),) = asking.delete(b"/store/x/f", lfn2pfn="cms")
    assert outcome == "refused"
    assert "TFC" in said
    name, asking.here = asking.here.name, plain
    ((outcome, said),) = asking.delete(dark(asking, "f"))
    assert outcome == "refused"
    assert f"the RSE {name}, which has the same storage, may know it" in said


def test_the_public_call_counts_what_waits_and_takes_no_directories(asking_sqlite, caplog):
    asking = asking_sqlite
    registered = asking.lost("known").decode()
    names = [dark(asking, "f").decode(), registered, dark(asking, "a").decode() + "/"]
    registry = asking.registry()
    assert registry.delete(asking.here.name, names) == 1
    assert registry.delete(asking.here.name, names) == 1
    assert not registry.takes_directories(asking.here.name)
    assert f"not requested: {registered}: {REGISTERED}" in caplog.text
    assert "deletes files only" in caplog.text
