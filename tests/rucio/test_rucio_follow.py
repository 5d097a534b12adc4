"""From a finding to the file back, or gone: with Rucio's own daemons, and what the catalogue tells of it later."""

import time

from rucio_requests import RUN, Asking, dark, outcomes

from dynamo_consistency.backend.contract import Asked, WithdrawingRegistry


def became(asking: Asking, *files: bytes, request: str, run: str = RUN, at: float | None = None) -> list[str]:
    asked = [Asked(path, request, run, time.time() if at is None else at) for path in files]
    return asking.registry(rest=None).follow(asking.here.name, asked)


def test_a_missing_file_comes_back(asking_everywhere):
    asking = asking_everywhere
    path = asking.lost("f")
    assert became(asking, path, request="transfer") == ["unknown"]
    assert outcomes(asking.transfer(path)) == ["requested"]
    assert became(asking, path, request="transfer") == ["queued"]
    asking.rucio.run("necromancer")
    assert asking.rucio.states(asking.here) == {"f": "C"}
    assert became(asking, path, request="transfer") == ["queued"]
    asking.rucio.run("conveyor")
    assert asking.rucio.states(asking.here) == {"f": "A"}
    assert asking.declared() == [("f", "R")]
    assert became(asking, path, request="transfer") == ["recovered"]
    assert asking.transfer(path) == [("requested", "")], "it may get lost again"


def test_a_dark_file_is_removed_and_nothing_else(asking_everywhere):
    asking = asking_everywhere
    scope = asking.rucio.scope
    kept = asking.rucio.file(asking.here, "kept")
    dark, fresh = asking.rucio.store(asking.here, f"{scope}/a/dark"), asking.rucio.store(asking.here, f"{scope}/fresh")
    gone = b"/" + dark
    assert outcomes(asking.delete(gone, kept, b"/" + fresh)) == ["requested", "refused", "requested"]
    assert became(asking, gone, kept, request="delete") == ["queued", "unknown"]
    asking.rucio.file(asking.here, "fresh")
    asking.rucio.run("dark-reaper", asking.here.name)
    assert set(asking.here.files()) == {kept.decode()[1:], fresh.decode()}
    assert asking.quarantined() == []
    assert became(asking, gone, b"/" + fresh, request="delete") == ["removed", "kept"]
    asking.rucio.sql("UPDATE replicas SET created_at = '2999-01-01 00:00:00' WHERE scope = :scope", scope=scope)
    assert became(asking, b"/" + fresh, request="delete") == ["removed"], "it was registered later"


def test_a_file_whose_other_copies_vanish_meanwhile_is_lost(asking):
    """Rucio gives it up everywhere: that is why it is looked up just before it is declared."""
    path = asking.lost("f")
    assert outcomes(asking.transfer(path)) == ["requested"]
    where = "rse_id = (SELECT id FROM rses WHERE rse = :rse)"
    asking.rucio.sql(f"UPDATE replicas SET state = 'U' WHERE {where}", rse=asking.there.name)
    asking.rucio.run("necromancer")
    assert became(asking, path, request="transfer") == ["lost"]
    ((outcome, said),) = asking.transfer(path)
    assert outcome == "refused"
    assert "unavailable" in said


def test_a_file_that_nobody_wants_any_more_is_dropped(asking):
    path = asking.lost("f")
    assert outcomes(asking.transfer(path)) == ["requested"]
    asking.rucio.sql("DELETE FROM locks WHERE scope = :scope", scope=asking.rucio.scope)
    asking.rucio.sql("UPDATE replicas SET lock_cnt = 0 WHERE scope = :scope", scope=asking.rucio.scope)
    asking.rucio.run("necromancer")
    asking.rucio.run("reaper", asking.here.name)
    assert asking.rucio.states(asking.here) == {}
    assert became(asking, path, request="transfer") == ["removed"]


def test_what_another_had_declared_before_us_is_followed_as_well(asking):
    path = asking.lost("f")
    bad = {"scope": asking.rucio.scope, "name": "f", "rse": asking.here.name}
    asking.rucio.ask("POST", "/replicas/bad", {"reason": "a user said so", "force": False, "replicas": [bad]})
    assert asking.transfer(path) == [("waiting", "")]
    assert became(asking, path, request="transfer") == ["queued"]
    for daemon in ("necromancer", "conveyor"):
        asking.rucio.run(daemon)
    assert became(asking, path, request="transfer") == ["recovered"]
    assert became(asking, path, request="transfer", at=time.time() + 86400) == ["unknown"], "not since then"


def test_each_run_is_told_of_its_own_declaration(asking):
    path = asking.lost("f")
    asking.transfer(path)
    for daemon in ("necromancer", "conveyor"):
        asking.rucio.run(daemon)
    later = asking.registry().for_run("later")
    assert [outcome.outcome for outcome in later.request_transfer(asking.here.name, [path])] == ["requested"]
    assert became(asking, path, request="transfer") == ["recovered"]
    assert became(asking, path, request="transfer", run="later") == ["queued"]


def test_a_deletion_of_long_ago_says_nothing_of_a_new_one(asking):
    path = f"/{asking.rucio.scope}/f".encode()
    asking.delete(path)
    asking.rucio.run("dark-reaper", asking.here.name)
    assert became(asking, path, request="delete") == ["removed"]
    assert became(asking, path, request="delete", at=time.time() + 86400) == ["unknown"]
    other, now = f"/{asking.rucio.scope}/g".encode(), time.time()
    asked = [Asked(path, "delete", RUN, now + 86400), Asked(other, "delete", RUN, now)]
    assert asking.registry().follow(asking.here.name, asked) == ["unknown", "unknown"]
    assert asking.registry().follow(asking.here.name, []) == []


def test_what_cannot_be_written_in_the_catalogue_is_unknown_there(asking):
    odd = f"/{asking.rucio.scope}/".encode() + b"\xff"
    for request in ("transfer", "delete"):
        assert became(asking, odd, request=request) == ["unknown"]


def withdrawn(asking: Asking, *files: bytes, request: str) -> list[str]:
    registry = asking.registry(rest=None)
    assert isinstance(registry, WithdrawingRegistry)
    return registry.withdraw(asking.here.name, [Asked(path, request, RUN, time.time()) for path in files])


def test_what_waits_in_quarantine_is_only_as_good_as_withdrawn_when_rucio_will_spare_it(asking_everywhere):
    asking = asking_everywhere
    stays, fresh = (asking.rucio.store(asking.here, f"{asking.rucio.scope}/{name}") for name in ("stays", "fresh"))
    files = [b"/" + stays, b"/" + fresh, b"/" + stays + b"2"]
    asking.delete(*files[:2])
    asking.rucio.file(asking.here, "fresh")
    assert withdrawn(asking, *files, request="delete") == ["cannot", "withdrawn", "unknown"]
    asking.rucio.run("dark-reaper", asking.here.name)
    assert set(asking.here.files()) == {fresh.decode()}
    assert withdrawn(asking, *files, request="delete") == ["done", "done", "unknown"]


def test_a_path_that_somebody_gave_without_scope_and_name_is_not_spared(asking):
    path = dark(asking, "f")
    given = [{"path": path.decode()[1:]}]
    asking.rucio.ask("POST", "/replicas/quarantine", {"rse": asking.here.name, "replicas": given})
    asking.rucio.file(asking.here, "f")
    assert withdrawn(asking, path, request="delete") == ["cannot"]


def test_a_declaration_cannot_be_taken_back(asking):
    path = asking.lost("f")
    assert withdrawn(asking, path, request="transfer") == ["unknown"]
    asking.transfer(path)
    assert withdrawn(asking, path, request="transfer") == ["cannot"]
    asking.rucio.run("necromancer")
    asking.rucio.run("conveyor")
    assert withdrawn(asking, path, request="transfer") == ["done"]
