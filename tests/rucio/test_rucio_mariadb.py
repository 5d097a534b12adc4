"""The catalogue on MariaDB, where ids are bytes and text is latin1."""

import time
from collections.abc import Iterator
from urllib.parse import quote

import mariadb_server
import pytest
from dynamo_world import ROOT_PASSWORD, Server
from rucio_requests import RUN, Asking
from rucio_server import RucioServer
from rucio_world import Rucio

from dynamo_consistency.backend.contract import Asked
from dynamo_consistency.backend.rucio.catalogue import inventory
from dynamo_consistency.backend.rucio.requests.quarantine import REGISTERED
from dynamo_consistency.errors import BackendError

pytestmark = pytest.mark.mariadb


@pytest.fixture(scope="module")
def mariadb() -> Iterator[Server]:
    with mariadb_server.running() as server:
        yield server


@pytest.fixture(scope="module")
def server(mariadb, sqlite_server, tmp_path_factory) -> Iterator[RucioServer]:
    mariadb.execute("CREATE DATABASE rucio CHARACTER SET latin1 COLLATE latin1_general_cs")
    account = f"root:{quote(ROOT_PASSWORD, safe='')}@127.0.0.1:{mariadb.port}"
    server = RucioServer(tmp_path_factory.mktemp("rucio-mariadb"), f"mysql+pymysql://{account}/rucio?ssl_disabled=true")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def rucio(server, tmp_path) -> Rucio:
    return Rucio(server, tmp_path)


def test_everything_that_is_read_can_be_read(rucio):
    here, there = rucio.rse("HERE", algorithm="identity"), rucio.rse("THERE", algorithm="identity")
    rucio.distance(there, here)
    rucio.row(here, "a")
    rucio.row(here, "gone", state="U")
    path = rucio.file(there, "b")
    rucio.dataset("d", ["b"])
    rucio.rule("d", here)
    backend = rucio.backend(rest=rucio.rest_options())
    assert backend.check_site(here.name)
    rows = {row["name"]: row for batch in backend.inventory.stream(here.name) for row in batch.to_pylist()}
    assert {name: row["in_flight"] for name, row in rows.items()} == {"a": False, "gone": True, "b": True}
    found = backend.inventory.look_up(here.name, [path, path.replace(b"b", b"B"), f"/{rucio.scope}/日本".encode()])
    assert {name: entry.in_flight for name, entry in found.items()} == {path: True}
    assert backend.inventory.protected_datasets(here.name) == {f"{rucio.scope}:d"}
    assert backend.deletion_requests(here.name) == set()
    assert backend.DatasetFilter({f"{rucio.scope}:d"}).protected(path.decode())
    (rucio.folder / "in").write_bytes(path + b"\n")
    backend.filelist_to_blocklist(here.name, f"{rucio.folder}/in", f"{rucio.folder}/out")
    assert (rucio.folder / "out").read_text().split() == ["1", "root", f"{rucio.scope}:d#unknown"]


def test_a_space_at_the_end_makes_another_site_and_another_file(rucio):
    """The database does not see it."""
    site = rucio.rse(algorithm="identity")
    path = rucio.file(site, "f")
    found = rucio.backend().inventory
    assert found.look_up(site.name, [path + b" "]) == {}
    with pytest.raises(BackendError, match="knows no RSE"):
        found.look_up(f"{site.name} ", [path])


def test_a_connection_that_is_killed_in_the_middle_is_an_error_and_no_short_list(rucio, mariadb, monkeypatch):
    site = rucio.rse()
    rucio.sql(
        "INSERT INTO dids (scope, name, account, did_type, availability, bytes, created_at, updated_at) "
        "SELECT :scope, CONCAT(REPEAT('x', 200), seq), 'root', 'F', 'A', 1, now(), now() FROM seq_1_to_9000",
        scope=rucio.scope,
    )
    rucio.sql(
        "INSERT INTO replicas (rse_id, scope, name, bytes, state, lock_cnt, created_at, updated_at) "
        "SELECT id, :scope, CONCAT(REPEAT('x', 200), seq), 1, 'A', 0, now(), now() FROM rses, seq_1_to_9000 "
        "WHERE rse = :rse",
        scope=rucio.scope,
        rse=site.name,
    )
    monkeypatch.setattr(inventory, "BATCH_ROWS", 100)
    stream = rucio.backend().inventory.stream(site.name)
    assert next(stream).num_rows == 100
    [(victim,)] = mariadb.execute("SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT replicas%%'")
    mariadb.execute(f"KILL {victim}")
    with pytest.raises(BackendError, match=r"failed: .*the connection was lost; .* run again"):
        list(stream)


def test_everything_that_is_asked_for_arrives_once_and_can_be_followed(rucio):
    asking = Asking(rucio)
    missing, dark = asking.lost("f"), f"/{rucio.scope}/dark".encode()
    assert asking.transfer(missing) == [("requested", "")]
    assert asking.transfer(missing) == [("waiting", "")]
    assert asking.delete(dark, missing) == [("requested", ""), ("refused", REGISTERED)]
    assert asking.delete(dark) == [("waiting", "")]
    assert asking.quarantined() == [(dark.decode()[1:], rucio.scope, "dark")]
    asked = [Asked(missing, "transfer", RUN, time.time()), Asked(dark, "delete", RUN, time.time())]
    assert asking.registry().follow(asking.here.name, asked) == ["queued", "queued"]
