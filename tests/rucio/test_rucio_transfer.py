"""Files that are missing at an RSE: declared bad, and only if they are sure to come back."""

import pytest
from rucio_requests import RUN, Asking, dark, outcomes

from dynamo_consistency.backend.rucio.requests.quarantine import REGISTERED
from dynamo_consistency.errors import BackendError, ConfigurationError


def test_a_file_that_another_disk_has_is_declared_once_however_often_it_is_asked_for(asking_everywhere):
    asking = asking_everywhere
    one, two = asking.lost("one"), asking.lost("a/two")
    assert asking.transfer(one, one) == [("requested", "")] * 2
    assert asking.declared() == [("one", "B")]
    assert outcomes(asking.transfer(one, two)) == ["waiting", "requested"]
    assert outcomes(asking.transfer(one, two)) == ["waiting", "waiting"]
    assert asking.declared() == [("a/two", "B"), ("one", "B")]
    assert asking.rucio.states(asking.here) == {"one": "D", "a/two": "D"}
    assert asking.reasons() == {f"dynamo-consistency run {RUN}: missing at the site, or of another size"}


def test_a_last_copy_is_never_declared(asking):
    path = asking.lost("last", copies=[])
    ((outcome, said),) = asking.transfer(path)
    assert outcome == "refused"
    assert "it is a last copy, and that is never declared bad" in said
    name = path.decode()
    assert asking.registry().transfer(asking.here.name, [name]) == ([name], [name])
    assert asking.declared() == []


def test_what_another_rse_has_in_the_same_directory_is_this_very_copy(asking):
    """Two RSEs on one storage: it would be given up here, and there is nothing to fetch it from."""
    twin = asking.rucio.rse(
        "TWIN", protocols=[{"scheme": "file", "prefix": f"{asking.here.folder}/"}], algorithm="identity"
    )
    last, other = asking.lost("last", copies=[twin]), asking.lost("other", copies=[twin, asking.there])
    answers = asking.transfer(last, other)
    assert outcomes(answers) == ["refused", "requested"]
    assert answers[0][1].startswith("no disk source elsewhere")
    assert asking.declared() == [("other", "B")]


def test_a_copy_that_cannot_be_relied_on_is_none(asking_everywhere):
    asking = asking_everywhere
    there = "rse_id = (SELECT id FROM rses WHERE rse = :rse) AND name = :name"
    changes = ["tombstone = '1970-01-01 00:00:00'", "bytes = 4", *(f"state = '{letter}'" for letter in "CUBDT")]
    files = asking.lost_all([f"f{number}" for number in range(len(changes))])
    for name, change in zip(files, changes, strict=True):
        asking.rucio.sql(f"UPDATE replicas SET {change} WHERE {there}", rse=asking.there.name, name=name)
    for outcome, said in asking.transfer(*files.values()):
        assert outcome == "refused"
        assert said.startswith("no disk source elsewhere, and none on tape")
    assert asking.declared() == []


@pytest.mark.parametrize(
    ("column", "value"), [("availability_read", False), ("volatile", True), ("staging_area", True), ("deleted", True)]
)
def test_a_copy_at_a_site_that_cannot_be_relied_on_is_none(rucio_sqlite, column, value):
    asking = Asking(rucio_sqlite)
    path = asking.lost("f")
    asking.rucio.sql(f"UPDATE rses SET {column} = :value WHERE rse = :rse", value=value, rse=asking.there.name)
    ((outcome, said),) = asking.transfer(path)
    assert outcome == "refused"
    assert said.startswith("no disk source elsewhere, and none on tape")
    assert asking.declared() == []


def test_a_copy_that_only_tape_has_is_recalled_where_that_is_wanted(asking):
    tape = asking.rucio.rse("TAPE", rse_type="TAPE")
    path = asking.lost("f", copies=[])
    asking.rucio.file(tape, "f", None)
    ((outcome, said),) = asking.transfer(path)
    assert (outcome, said.partition(";")[0]) == ("refused", "no disk source elsewhere, only tape has it")
    name = path.decode()
    assert asking.registry().transfer(asking.here.name, [name]) == ([name], [])
    assert asking.declared() == []
    assert asking.transfer(path, recallFromTape=True) == [("requested", "")]
    assert asking.declared() == [("f", "B")]


NOT_AS_IT_SHOULD_BE = {
    "UPDATE replicas SET state = 'C' WHERE {here}": "being copied",
    "UPDATE replicas SET state = 'B' WHERE {here}": "being deleted",
    "UPDATE replicas SET state = 'U' WHERE {here}": "unavailable",
    "UPDATE replicas SET state = 'T' WHERE {here}": "not to be able to read it",
    "UPDATE replicas SET tombstone = '1970-01-01 00:00:00' WHERE {here}": "tombstone",
    "UPDATE replicas SET tombstone = '2999-01-01 00:00:00' WHERE {here}": "tombstone",
    "UPDATE replicas SET lock_cnt = 0 WHERE {here}": "no rule holds it",
    "DELETE FROM locks WHERE {here}": "no rule holds it",
    "UPDATE rules SET expires_at = '1970-01-01 00:00:00' WHERE {did}": "no rule holds it",
    "UPDATE dids SET availability = 'L' WHERE {did}": "lost or deleted",
}


def test_a_replica_that_is_not_as_it_should_be_is_refused_and_left_as_it_is(asking_everywhere):
    asking = asking_everywhere
    did = "scope = :scope AND name = :name"
    here = f"rse_id = (SELECT id FROM rses WHERE rse = '{asking.here.name}') AND {did}"
    files = asking.lost_all([f"f{number}" for number in range(len(NOT_AS_IT_SHOULD_BE))])
    for name, change in zip(files, NOT_AS_IT_SHOULD_BE, strict=True):
        asking.rucio.sql(change.format(here=here, did=did), scope=asking.rucio.scope, name=name)
    before = asking.rucio.states(asking.here)
    for (outcome, said), expected in zip(asking.transfer(*files.values()), NOT_AS_IT_SHOULD_BE.values(), strict=True):
        assert outcome == "refused"
        assert expected in said
    assert asking.declared() == []
    assert asking.rucio.states(asking.here) == before


def test_a_replica_that_was_declared_by_others_is_waited_for(asking):
    path = asking.lost("f")
    bad = {"scope": asking.rucio.scope, "name": "f", "rse": asking.here.name}
    asking.rucio.ask("POST", "/replicas/bad", {"reason": "a user said so", "force": False, "replicas": [bad]})
    assert asking.transfer(path) == [("waiting", "")]
    asking.rucio.run("necromancer")
    assert asking.rucio.states(asking.here) == {"f": "C"}
    assert asking.transfer(path) == [("waiting", "")]
    assert asking.reasons() == {"a user said so"}
    asking.rucio.sql("DELETE FROM bad_replicas WHERE scope = :scope", scope=asking.rucio.scope)
    asking.rucio.sql("UPDATE replicas SET state = 'D' WHERE scope = :scope AND state = 'C'", scope=asking.rucio.scope)
    assert asking.transfer(path) == [("waiting", "")], "the replica itself says so as well"


def test_a_file_on_its_way_to_the_site_is_refused(asking):
    path = asking.lost("f")
    asking.rucio.file(asking.there, "g")
    asking.rucio.rule("g", asking.here)
    elsewhere = asking.rucio.path(asking.here, "g").encode()
    sql = "UPDATE requests SET name = 'f' WHERE scope = :scope"
    assert "being copied" in asking.transfer(elsewhere)[0][1]
    asking.rucio.sql(sql, scope=asking.rucio.scope)
    ((outcome, said),) = asking.transfer(path)
    assert (outcome, said) == ("refused", "a transfer of it to the site is under way")
    assert asking.declared() == []


def test_what_rucio_does_not_have_at_the_site_is_refused(asking_everywhere):
    asking = asking_everywhere
    asking.rucio.file(asking.there, "elsewhere")
    scope = asking.rucio.scope
    files = [f"/{scope}/{name}".encode() for name in ("elsewhere", "nosuch", "x" * 300, "ü", "o'; --")]
    answers = asking.transfer(*files, f"/{scope}/\xff".encode("latin-1"))
    assert {said for _, said in answers} == {"Rucio has no replica of it there"}
    assert set(outcomes(answers)) == {"refused"}


def test_two_files_that_have_one_path_are_not_told_apart_and_so_refused(asking):
    user = asking.rucio.add_scope(f"user.{asking.rucio.scope}")
    deeper = asking.rucio.add_scope(f"{user}.b")
    paths = {asking.lost("b/f", scope=user), asking.lost("f", scope=deeper)}
    ((outcome, said),) = asking.transfer(*paths)
    assert outcome == "refused"
    assert said.startswith("it is not clear which file this is")
    assert asking.declared() == []


def test_of_several_files_that_may_have_a_path_the_one_that_is_there_is_declared(asking):
    user = asking.rucio.add_scope(f"user.{asking.rucio.scope}")
    asking.rucio.add_scope(f"{user}.b")
    path = asking.lost("b/f", scope=user)
    assert asking.transfer(path) == [("requested", "")]
    assert asking.declared() == [("b/f", "B")]


def test_where_the_scope_is_not_in_the_path_it_is_found_in_the_catalogue(rucio_sqlite):
    rucio = rucio_sqlite
    asking = Asking(rucio, algorithm="cmstfc")
    user = rucio.add_scope(f"user.{rucio.scope}")
    path = asking.lost(f"/store/{rucio.scope}/f", scope=user)
    assert path == f"/store/{rucio.scope}/f".encode()
    assert asking.transfer(path) == [("requested", "")]
    assert len(asking.declared()) == 1


def test_where_paths_are_not_computed_the_one_in_the_catalogue_counts(asking):
    rucio = asking.rucio
    asking.here = rucio.rse("FREE", deterministic=False)
    path = asking.lost("f", pfn=f"file://localhost:0{asking.here.folder}/some/where/else")
    assert path == b"/some/where/else"
    assert asking.transfer(path) == [("requested", "")]
    assert asking.transfer(path) == [("waiting", "")]


def test_a_file_that_the_catalogue_has_at_another_path_is_not_the_one_asked_for(asking):
    computed = asking.lost("f")
    change = "UPDATE replicas SET path = '/some/where/else' WHERE rse_id = (SELECT id FROM rses WHERE rse = :rse)"
    asking.rucio.sql(change, rse=asking.here.name)
    assert asking.transfer(computed) == [("refused", "Rucio has no replica of it there")]
    assert asking.delete(computed) == [("refused", REGISTERED)], "nor is it a name that may be deleted"
    assert asking.transfer(b"/some/where/else") == [("requested", "")]


def test_the_public_call_declares_what_it_can_and_returns_the_others(asking):
    tape = asking.rucio.rse("TAPE", rse_type="TAPE")
    fine, last, taped = asking.lost("fine"), asking.lost("last", copies=[]), asking.lost("taped", copies=[tape])
    names = [path.decode() for path in (fine, last, taped)]
    for _ in range(2):
        assert asking.registry().transfer(asking.here.name, names) == (names[1:], [names[1]])
        assert asking.declared() == [("fine", "B")]


def test_more_files_than_one_call_takes_are_all_declared(rucio_sqlite, monkeypatch):
    monkeypatch.setattr("dynamo_consistency.backend.rucio.requests.batching.CALL", 2)
    asking = Asking(rucio_sqlite)
    files = list(asking.lost_all([f"f{number}" for number in range(5)]).values())
    assert set(outcomes(asking.transfer(*files))) == {"requested"}
    assert set(outcomes(asking.transfer(*files))) == {"waiting"}
    assert [name for name, _ in asking.declared()] == [f"f{number}" for number in range(5)]


def test_an_account_without_the_right_is_told_so_and_nothing_is_declared(asking):
    path = asking.lost("f")
    with pytest.raises(BackendError, match=r"AccessDenied.*give the account checker.* the right"):
        asking.transfer(path, account=asking.rucio.account("checker"))
    assert asking.declared() == []


def test_an_rse_that_is_renamed_or_deleted_is_an_error(asking):
    path = asking.lost("f")
    registry, name = asking.registry(), asking.here.name
    asking.rucio.sql("UPDATE rses SET rse = :new WHERE rse = :old", old=name, new=f"{name}-NEW")
    with pytest.raises(BackendError, match="knows no RSE"):
        registry.request_transfer(name, [path])
    asking.rucio.sql("UPDATE rses SET deleted = :yes WHERE rse = :rse", yes=True, rse=f"{name}-NEW")
    with pytest.raises(BackendError, match="knows no RSE"):
        registry.request_transfer(f"{name}-NEW", [path])


def test_where_rucio_may_not_write_or_delete_nothing_is_asked(asking):
    path = asking.lost("f")
    change = "UPDATE rses SET availability_write = :no, availability_delete = :no WHERE rse = :rse"
    asking.rucio.sql(change, rse=asking.here.name, no=False)
    assert "may not write" in asking.transfer(path)[0][1]
    assert "may not delete" in asking.delete(dark(asking, "g"))[0][1]
    assert asking.declared() == asking.quarantined() == []


def test_without_a_server_nothing_is_asked(asking):
    path = asking.lost("f")
    backend = asking.registry()
    with pytest.raises(ConfigurationError, match="add `rest` to the backend"):
        type(backend)(backend.catalogue, backend.options, None).request_transfer(asking.here.name, [path])
