"""What the tests rely on: the server is Rucio's own, and does what Rucio does."""

import pytest


def test_a_file_that_was_declared_bad_is_fetched_from_another_site(rucio):
    here, there = rucio.rse("HERE"), rucio.rse("THERE")
    rucio.distance(there, here)
    for site in (here, there):
        rucio.file(site, "f")
    rucio.rule("f", here)
    bad = {"scope": rucio.scope, "name": "f", "rse": here.name}
    assert rucio.ask("POST", "/replicas/bad", {"reason": "gone", "force": False, "replicas": [bad]}) == {}
    assert rucio.states(here) == {"f": "D"}
    rucio.run("necromancer")
    assert rucio.states(here) == {"f": "C"}
    rucio.run("conveyor")
    assert rucio.states(here) == {"f": "A"}


def test_what_is_in_quarantine_is_removed_from_the_storage(rucio):
    site = rucio.rse()
    path = rucio.store(site, "a/dark").decode()
    kept = rucio.store(site, "a/kept").decode()
    replica = {"path": path, "scope": rucio.scope, "name": "dark"}
    rucio.ask("POST", "/replicas/quarantine", {"rse": site.name, "replicas": [replica]})
    rucio.run("dark-reaper", site.name)
    assert set(site.files()) == {kept}


@pytest.mark.parametrize(("algorithm", "path"), [("identity", "/{0}/a/b"), ("hash", None), ("cmstfc", "/a/b")])
def test_the_server_says_where_a_file_is(rucio_sqlite, algorithm, path):
    site = rucio_sqlite.rse(algorithm=algorithm)
    rucio_sqlite.file(site, "a/b", b"12345")
    where = rucio_sqlite.path(site, "a/b")
    assert where == (path or where).format(rucio_sqlite.scope)
    assert site.files() == {where.lstrip("/"): b"12345"}
