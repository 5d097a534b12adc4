"""A Rucio that serves several VOs: its catalogue has scopes as `s@vo`, its server and its paths have not."""

import json
import sqlite3
from contextlib import closing

import pytest
from rucio_door import Door, answering
from rucio_simulated import HERE, RucioWorld, WorldTables
from simulated import SITE, START, Entry

from dynamo_consistency.backend.rucio.backend import RucioBackend
from dynamo_consistency.backend.rucio.catalogue.lfn2pfn import Did, Translation, named
from dynamo_consistency.backend.rucio.options import Options, RestOptions, VoScopes
from dynamo_consistency.backend.rucio.requests import shared_storage
from dynamo_consistency.backend.rucio.rest.client import RestClient
from dynamo_consistency.errors import BackendError

FILE = b"/store/mc/a"
OURS, OTHERS = "cms@atl", "cms@xyz"


@pytest.fixture
def database(tmp_path):
    """A catalogue whose one site is in the VO `atl`; another VO has a site of the same name on the same storage."""
    world = RucioWorld()
    world.entries[FILE] = Entry(5, START)
    WorldTables(world, tmp_path / "rucio.db").write()
    other = "f" * 32
    with closing(sqlite3.connect(tmp_path / "rucio.db")) as connection, connection:
        connection.execute("UPDATE rses SET vo = 'atl'")
        for table in ("replicas", "dids", "locks", "rules", "dataset_locks", "scopes"):
            connection.execute(f"UPDATE {table} SET scope = '{OURS}'")
        for table, ids in (("rses", "id"), ("rse_protocols", "rse_id")):
            columns = [
                name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})") if name not in (ids, "vo")
            ]
            names = ", ".join(f'"{name}"' for name in columns)
            vo = (", vo", ", 'xyz'") if table == "rses" else ("", "")
            connection.execute(
                f"INSERT INTO {table} ({ids}, {names}{vo[0]}) SELECT '{other}', {names}{vo[1]} FROM {table} "
                f"WHERE {ids} = '{HERE}'"
            )
        connection.execute(
            "INSERT INTO replicas (rse_id, scope, name, bytes, state, lock_cnt) VALUES (?, ?, '/b', 1, 'A', 1)",
            (other, OTHERS),
        )
    return tmp_path / "rucio.db"


@pytest.fixture
def backend(database):
    def make(**settings):
        entry = {"type": "rucio", "database": f"sqlite:///{database}", "lfn2pfn": "cms", "datasetNames": "cms"}
        return RucioBackend(Options.model_validate(entry | settings))

    return make


def test_the_rse_and_the_files_are_those_of_the_vo(backend):
    atl = backend(vo="atl")
    assert {lfn for lfn, *_ in atl.inventory.list_files(SITE)} == {FILE.decode()}
    assert FILE in atl.inventory.look_up(SITE, [FILE])
    assert SITE in atl.siteinfo.site_list()
    assert backend(vo="xyz").siteinfo.site_list() == [SITE]


def test_without_a_vo_it_is_said_where_the_rse_is(backend):
    assert backend().siteinfo.site_list() == []
    with pytest.raises(BackendError, match=r"in the VO atl, xyz and not in def; set vo"):
        backend().inventory.list_files(SITE)


def test_what_another_vo_may_have_on_the_same_storage_is_not_asked_for(backend):
    from dynamo_consistency.backend.rucio.catalogue import rses

    atl = backend(vo="atl")
    with atl.catalogue.reading() as connection:
        rse = rses.find(connection, atl.catalogue, SITE)
        found = shared_storage.objections(connection, atl.catalogue, atl.options, rse, [FILE])
    assert "of the VO xyz" in found[FILE]


@pytest.mark.parametrize("algorithm", ["hash", "identity", "cms"])
def test_paths_have_the_scope_without_its_vo_and_lead_back_to_it(algorithm):
    plain, ours = (Translation(named(algorithm), None, VoScopes(vo)) for vo in ("def", "atl"))
    path = plain.path("cms", "/store/a")
    assert ours.path(OURS, "/store/a") == path
    assert Did(OURS, "/store/a") in ours.dids(path)
    assert Did("cms", "/store/a") in plain.dids(path)


def test_a_configured_scope_may_be_written_with_its_vo_or_without():
    scopes = Options.model_validate({"type": "rucio", "database": "sqlite:///x", "vo": "atl"}).scopes
    assert scopes.inside("cms") == scopes.inside(OURS) == OURS
    assert (scopes.outside(OURS), scopes.outside(OTHERS)) == ("cms", OTHERS)


def test_the_server_is_told_the_vo_and_scopes_without_it(tmp_path):
    (tmp_path / "password").write_text("secret\n")
    did = Did(OURS, "/store/a")
    with Door() as door:
        door.always["/auth/userpass"] = answering(b"", **{"X-Rucio-Auth-Token": "a-token"})
        door.always["/replicas/bad"] = answering({"X": ["cms:/store/a Already declared"]})
        door.always["/replicas/list"] = answering({"scope": "cms", "name": "/store/a", "states": {"X": "AVAILABLE"}})
        proof = {"auth": "userpass", "username": "u", "passwordFile": str(tmp_path / "password")}
        options = RestOptions.model_validate({"url": door.url, "account": "root", **proof})
        client = RestClient(options, VoScopes("atl"))
        assert client.declare_bad("1", [did], "lost") == {did: "declared"}
        assert client.available([did]) == {did: {"X"}}
        seen = list(door.seen)
    assert seen[0].headers["X-Rucio-VO"] == "atl"
    assert [json.loads(request.body).get("replicas", [{}])[0].get("scope") for request in seen[1:2]] == ["cms"]
    assert json.loads(seen[2].body)["dids"] == [{"scope": "cms", "name": "/store/a"}]


@pytest.mark.parametrize("vo", ["", "a", "atlas", "a b"])
def test_a_vo_has_three_letters(vo):
    with pytest.raises(ValueError, match="pattern"):
        Options.model_validate({"type": "rucio", "database": "sqlite:///x", "vo": vo})
