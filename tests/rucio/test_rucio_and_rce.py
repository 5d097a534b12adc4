"""RCE's programs and ours on one RSE of a real Rucio, side by side: where they differ, and that the page says so."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import rucio_environment
from rce_cases import CASES, GROUPS, path, table
from rce_scene import Scene
from rce_verdicts import Ours, Rce, verdicts
from required_programs import require_programs
from rucio_server import RucioServer
from rucio_world import Rucio
from xrootd_daemon import Daemon, Daemons

from benchmarks import rce

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.xrootd,
    pytest.mark.slow,
    pytest.mark.timeout(300),  # RCE may have to be installed first
]

PAGE = Path(__file__).parents[2] / "docs/explanation/rce-side-by-side.md"


def lacking(what: str) -> None:
    """Skips; in CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


@pytest.fixture(scope="module")
def programs() -> Path:
    """RCE's."""
    found = rce.folder()
    if found is None:
        lacking(f"needs RCE: pip install {' '.join(rce.NEEDS)}")
    return found


@pytest.fixture(scope="module")
def door() -> Iterator[Daemon]:
    require_programs("xrootd", "xrdfs", install="apt-get install xrootd-server xrootd-client")
    daemons = Daemons()
    yield daemons.server()
    daemons.close()


@pytest.fixture(scope="module")
def scene(programs, door, postgresql_server, tmp_path_factory) -> Iterator[Scene]:
    """On PostgreSQL, and alone there: RCE's dump cannot read SQLite."""
    try:
        rucio_environment.python()
    except rucio_environment.EnvironmentMissingError as error:
        lacking(str(error))
    folder = tmp_path_factory.mktemp("side-by-side")
    server = RucioServer(folder, postgresql_server.url(postgresql_server.new_database()))
    try:
        scene = Scene(Rucio(server.start(), folder), door)
        yield scene
        scene.lock(0o755)  # else not even its owner could remove it
    finally:
        server.stop()


@pytest.fixture(scope="module")
def theirs(scene, programs, tmp_path_factory):
    return Rce(programs, scene, tmp_path_factory.mktemp("rce"))


@pytest.fixture(scope="module")
def ours(scene, tmp_path_factory):
    return Ours(scene, tmp_path_factory.mktemp("ours"))


def test_each_says_of_every_case_what_the_table_says(theirs, ours):
    said = verdicts(theirs.lists())
    assert said == {case.what: case.rce for case in CASES}
    first, second = ours.run(), ours.run()
    assert first["actions"] == {}
    assert ours.findings(first) == ours.findings(second)
    assert verdicts(ours.lists(second)) == {case.what: case.ours for case in CASES}
    reasons = {name: reason for (_, name), (_, reason) in ours.actions(second).items()}
    for case in CASES:
        assert case.because in reasons.get(path(case), ""), case.what


def test_one_directory_that_cannot_be_listed_is_the_end_of_rce_where_it_lists_it_alone(scene, theirs):
    """Deeper, it is not even noticed: see the table."""
    alone = scene.at(b"/store/mc/case00")
    theirs.dump("B")
    alone.chmod(0)
    assert theirs.scan() == (1, {"/store/mc/case00"})
    alone.chmod(0o755)


def test_all_files_of_a_root_that_is_suddenly_empty_are_missing_to_rce_and_a_closed_gate_to_us(scene, theirs, ours):
    [there] = [case for case in CASES if path(case).startswith(b"/store/data/")]
    shutil.rmtree(scene.at(b"/store/data"))
    scene.at(b"/store/data").mkdir()
    assert path(there) in theirs.lists()["missing"]
    said = ours.run(lenient="")
    [health] = [gate for gate in said["gates"] if gate["name"] == "ListingHealth"]
    assert health["state"] == "Rejected"
    assert "/store/data was listed as empty although the inventory has files there" in health["message"]
    assert said["actions"] == {}


@pytest.mark.parametrize(("heading", "cases"), GROUPS.items())
def test_the_page_has_the_table(heading, cases):
    assert f"## {heading}\n\n{table(cases)}\n" in PAGE.read_text()
