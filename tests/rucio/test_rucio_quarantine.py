"""Files that Rucio does not know: handed to its dark reaper, and never one that is registered."""

import pytest
from rucio_requests import dark, outcomes

from dynamo_consistency.backend.rucio.requests.quarantine import REGISTERED
from dynamo_consistency.backend.rucio.rest.client import RestClient
from dynamo_consistency.errors import BackendError


def test_a_file_is_handed_over_once_with_its_scope_and_name_however_often_it_is_asked_for(asking_everywhere):
    asking = asking_everywhere
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


def test_a_registered_file_is_never_handed_over_in_whatever_state_it_is(asking_everywhere):
    asking = asking_everywhere
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


def test_a_file_that_is_registered_between_look_and_request_is_refused(asking, monkeypatch):
    ask = RestClient.quarantine
    one, two = dark(asking, "one"), dark(asking, "two")

    def meanwhile(client, rse, files):
        asking.rucio.file(asking.here, "one")
        ask(client, rse, files)

    monkeypatch.setattr(RestClient, "quarantine", meanwhile)
    assert asking.delete(one, two) == [("refused", REGISTERED), ("requested", "")]
    assert [path for path, _, _ in asking.quarantined()] == [two.decode()[1:]]


def test_a_call_that_has_nothing_left_to_add_is_no_error(asking_everywhere, monkeypatch):
    asking = asking_everywhere
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


def test_what_the_database_does_not_take_is_refused_alone(asking_everywhere, monkeypatch):
    asking = asking_everywhere
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


def test_more_files_than_one_call_takes_are_all_handed_over(asking, monkeypatch):
    monkeypatch.setattr("dynamo_consistency.backend.rucio.requests.batching.CALL", 3)
    files = [dark(asking, f"f{number}") for number in range(8)]
    assert set(outcomes(asking.delete(*files))) == {"requested"}
    assert len(asking.quarantined()) == 8


def test_as_many_as_one_call_takes_are_taken(asking):
    files = [dark(asking, f"f{number}") for number in range(500)]
    assert set(outcomes(asking.delete(*files))) == {"requested"}
    assert set(outcomes(asking.delete(*files))) == {"waiting"}


def test_an_account_without_the_right_is_told_so(asking):
    with pytest.raises(BackendError, match=r"AccessDenied.*give the account checker.* the right"):
        asking.delete(dark(asking, "f"), account=asking.rucio.account("checker"))
    assert asking.delete(dark(asking, "f"), account=asking.rucio.account("adm", admin="True")) == [("requested", "")]


def test_the_public_call_counts_what_waits_and_takes_no_directories(asking, caplog):
    registered = asking.lost("known").decode()
    names = [dark(asking, "f").decode(), registered, dark(asking, "a").decode() + "/"]
    registry = asking.registry()
    assert registry.delete(asking.here.name, names) == 1
    assert registry.delete(asking.here.name, names) == 1
    assert not registry.takes_directories(asking.here.name)
    assert f"not requested: {registered}: {REGISTERED}" in caplog.text
    assert "deletes files only" in caplog.text
