"""What the catalogue says of an RSE: every state of a replica, and what it means for the comparison."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from rucio_reading import known, rows

from dynamo_consistency.backend.rucio.catalogue import inventory
from dynamo_consistency.errors import BackendError

NOW = datetime.now(UTC).replace(tzinfo=None)
PASSED, TO_COME = NOW - timedelta(hours=1), NOW + timedelta(days=1)
OBSOLETE = datetime(1970, 1, 1)


def change(rucio, name: str, **values) -> None:
    columns = ", ".join(f"{column} = :{column}" for column in values)
    rucio.sql(
        f"UPDATE replicas SET {columns} WHERE scope = :scope AND name = :did", scope=rucio.scope, did=name, **values
    )


def test_a_file_has_its_path_size_time_and_did(rucio):
    site = rucio.rse()
    path = rucio.file(site, "f", b"12345")
    [row] = rows(rucio, site).values()
    time_ = row.pop("time")
    assert abs(time_ - time.time()) < 60
    assert row == {
        "path": path,
        "size": 5,
        "in_flight": False,
        "dataset": None,
        "block": None,
        "group": None,
        "scope": rucio.scope,
        "name": "f",
        "checksum": "02f80100",
        "state": "A",
    }
    assert known(rucio, site, path) == (5, False, None, time_)


STATES = [
    # state, tombstone, locks → in flight
    ("A", None, 0, False),
    ("A", None, 2, False),
    ("A", PASSED, 1, False),
    ("A", TO_COME, 0, False),
    ("A", PASSED, 0, True),
    ("A", OBSOLETE, 0, True),
    ("C", None, 1, True),
    ("C", None, 0, True),
    ("U", OBSOLETE, 0, True),
    ("U", None, 1, True),
    ("B", PASSED, 0, True),
    ("D", None, 1, True),
    ("T", None, 1, True),
]


def test_only_what_must_be_there_is_expected(rucio):
    site = rucio.rse(algorithm="identity")
    for number, (state, tombstone, locks, _) in enumerate(STATES):
        rucio.row(site, f"f{number}", state=state, tombstone=tombstone, lock_cnt=locks)
    expected = {f"f{number}": in_flight for number, (*_, in_flight) in enumerate(STATES)}
    found = rows(rucio, site)
    assert {name: row["in_flight"] for name, row in found.items()} == expected
    assert {name: row["state"] for name, row in found.items()} == {
        f"f{number}": state for number, (state, *_) in enumerate(STATES)
    }
    by_path = rucio.backend().inventory.look_up(site.name, [row["path"] for row in found.values()])
    assert {name: by_path[row["path"]].in_flight for name, row in found.items()} == expected


def test_a_file_with_a_request_is_in_flight(rucio):
    here, there = rucio.rse("HERE"), rucio.rse("THERE")
    rucio.distance(there, here)
    path = rucio.file(there, "f")
    rucio.rule("f", here)
    change(rucio, "f", state="A")  # as a stage-in has it: there, and yet on its way
    assert rows(rucio, here)["f"]["in_flight"]
    assert known(rucio, here, path).in_flight
    assert not rows(rucio, there)["f"]["in_flight"]


def test_a_request_without_a_replica_is_a_file_in_flight(rucio):
    here, there = rucio.rse("HERE"), rucio.rse("THERE")
    rucio.distance(there, here)
    path = rucio.file(there, "f", b"12345")
    rucio.rule("f", here)
    rucio.sql("DELETE FROM replicas WHERE rse_id = (SELECT id FROM rses WHERE rse = :rse)", rse=here.name)
    row = rows(rucio, here)["f"]
    assert (row["path"], row["size"], row["in_flight"], row["scope"]) == (path, 5, True, rucio.scope)
    assert known(rucio, here, path).in_flight


def test_a_file_with_an_open_declaration_is_in_flight(rucio):
    site = rucio.rse()
    path = rucio.file(site, "f")
    bad = {"scope": rucio.scope, "name": "f", "rse": site.name}
    rucio.ask("POST", "/replicas/bad", {"reason": "x", "force": False, "replicas": [bad]})
    assert rows(rucio, site)["f"]["in_flight"]
    change(rucio, "f", state="A")  # the declaration alone
    assert rows(rucio, site)["f"]["in_flight"]
    assert known(rucio, site, path).in_flight
    rucio.sql("UPDATE bad_replicas SET state = 'R' WHERE name = 'f' AND scope = :scope", scope=rucio.scope)
    assert not rows(rucio, site)["f"]["in_flight"]


def test_a_file_whose_path_is_in_quarantine_is_in_flight(rucio):
    site = rucio.rse()
    path = rucio.file(site, "f").decode()
    dark = rucio.store(site, "dark")
    replicas = [{"path": path.lstrip("/")}, {"path": "dark", "scope": rucio.scope, "name": "dark"}]
    rucio.ask("POST", "/replicas/quarantine", {"rse": site.name, "replicas": replicas})
    assert rows(rucio, site)["f"]["in_flight"]
    assert known(rucio, site, path.encode()).in_flight
    assert known(rucio, site, b"/" + dark) is None  # it is an orphan still, whose deletion waits


def test_a_path_that_is_stored_goes_before_one_that_is_computed(rucio):
    site = rucio.rse()
    computed = rucio.file(site, "f")
    change(rucio, "f", path="/somewhere//else/f")
    assert rows(rucio, site)["f"]["path"] == b"/somewhere/else/f"
    change(rucio, "f", path="/somewhere/else/f")
    assert known(rucio, site, b"/somewhere/else/f").size == 3
    assert known(rucio, site, computed) is None


def test_where_paths_are_not_computed_they_are_those_of_the_catalogue(rucio):
    site = rucio.rse(deterministic=False)
    path = rucio.file(site, "f", pfn=f"file://localhost:0{site.folder}/any/where")
    assert path == b"/any/where"
    assert rows(rucio, site)["f"]["path"] == path
    assert known(rucio, site, path).size == 3
    assert known(rucio, site, b"/any") is None


def test_a_file_whose_path_nobody_knows_yet_has_none(rucio):
    here, there = rucio.rse("HERE", deterministic=False), rucio.rse("THERE")
    rucio.distance(there, here)
    rucio.file(there, "f")
    rucio.rule("f", here)
    row = rows(rucio, here)["f"]
    assert (row["path"], row["in_flight"], row["state"]) == (None, True, "C")
    assert list(rucio.backend().inventory.list_files(here.name)) == []


def test_datasets_are_told_by_cms_names_where_the_entry_says_so(rucio):
    site = rucio.rse(algorithm="cmstfc")
    name = f"/store/data/Era{rucio.number}/Primary/AOD/x-v1/000/f.root"
    rucio.file(site, name)
    assert rows(rucio, site)[name]["dataset"] is None
    row = rows(rucio, site, datasetNames="cms")[name]
    assert (row["path"], row["dataset"]) == (name.encode(), f"/Primary/Era{rucio.number}-x-v1/AOD")


def test_an_rse_without_a_file_is_an_empty_stream(rucio):
    site = rucio.rse()
    assert rows(rucio, site) == {}


def test_an_rse_that_is_not_known_or_deleted_is_an_error(rucio):
    site = rucio.rse()
    rucio.file(site, "f")
    with pytest.raises(BackendError, match="knows no RSE 'NOWHERE'"):
        list(rucio.backend().inventory.stream("NOWHERE"))
    with pytest.raises(BackendError, match="knows no RSE"):
        list(rucio.backend().inventory.stream(site.name.lower()))
    rucio.sql("UPDATE rses SET deleted = :yes WHERE rse = :rse", yes=True, rse=site.name)
    with pytest.raises(BackendError, match="knows no RSE"):
        rucio.backend().inventory.look_up(site.name, [b"/f"])


def test_a_stream_that_ends_short_of_the_count_of_the_server_is_an_error(rucio, monkeypatch):
    site = rucio.rse()
    rucio.file(site, "f")
    monkeypatch.setattr(inventory, "columns", lambda *_: iter([]))
    with pytest.raises(BackendError, match=r"gave 0 of 1 replicas of .*; run again"):
        list(rucio.backend().inventory.stream(site.name))
