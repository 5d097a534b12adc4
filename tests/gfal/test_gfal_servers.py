"""The gfal lister over a real XRootD server, and as the source of a check."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from required_programs import require_programs

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.listers.contract import Failed, Listed
from dynamo_consistency.run.listing.progress import Progress
from dynamo_consistency.run.listing.shard import list_shard
from dynamo_consistency.run.listing.source import open_lister
from dynamo_consistency.run.store.run_directory import RunStore

pytestmark = pytest.mark.usefixtures("gfal2")


@pytest.fixture
def door():
    """(URL, directory that it shows as /store) of an XRootD server; its user may not enter pytest's own directory."""
    require_programs("xrootd", "setpriv", install="apt-get install xrootd-server util-linux")
    base = Path(tempfile.mkdtemp(prefix="gfal-door-"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    (base / "site" / "store").mkdir(parents=True)
    (base / "run").mkdir()
    lines = f"all.export /store\noss.localroot {base}/site\nxrd.port {port}\n"
    (base / "cf").write_text(f"{lines}all.adminpath {base}/run\nall.pidpath {base}/run\n")
    command = ["xrootd", "-c", str(base / "cf"), "-l", str(base / "run" / "log")]
    if os.geteuid() == 0:  # it refuses to be root
        for path in [base, *base.rglob("*")]:
            shutil.chown(path, "xrootd", "xrootd")
        command = ["setpriv", "--reuid", "xrootd", "--regid", "xrootd", "--clear-groups", *command]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=base)
    try:
        deadline = time.monotonic() + 60
        while not _listens(port):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        yield f"root://127.0.0.1:{port}", base / "site" / "store"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(base)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_an_xrootd_door_is_listed(door, make_lister, ask):
    url, store = door
    (store / "d").mkdir()
    odd = ["a b", "f", "p%41", "uml\u00e4ut", "q?x", "a+b"]
    for name in odd:
        (store / name).write_bytes(b"abc")
    lister = make_lister(url)
    lister.prepare()
    answer = ask(lister, b"/store")
    assert isinstance(answer, Listed), answer
    assert {each.name for each in answer.files} == {name.encode() for name in odd}
    assert {each.size for each in answer.files} == {3}
    assert [each.name for each in answer.directories] == [b"d"]
    assert ask(lister, b"/store/d") == Listed()
    assert "No such file" in ask(lister, b"/store/none").reason


def test_a_door_that_does_not_answer_is_given_up_in_time(make_lister, ask):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        lister = make_lister(f"root://127.0.0.1:{silent.getsockname()[1]}", timeout=2)
        began = time.monotonic()
        answer = ask(lister, b"/store")
    assert isinstance(answer, Failed)
    assert answer.slow
    assert "did not answer in 2 s" in answer.reason
    assert time.monotonic() - began < 60


def check(url: str, **listing) -> SiteConsistencyCheck:
    listing = {"roots": [{"path": "/store"}], "shards": 1, "retries": 0, "source": {"gfal": {"url": url}}, **listing}
    return SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": "gfal"},
            "spec": {"site": "T2_GFAL", "listing": listing},
        }
    )


def test_a_check_with_gfal_as_its_source_lists_the_site(tmp_path):
    for number in range(6):
        (tmp_path / "site" / "store" / f"d{number}").mkdir(parents=True)
        (tmp_path / "site" / "store" / f"d{number}" / "f").write_bytes(b"abc")
    run = RunStore(str(tmp_path / "runs")).create(check(f"file://{tmp_path}/site", shards=2, splitDepth=1))
    paths = []
    for shard in range(2):
        result = list_shard(run, None, shard, Progress("test"))
        assert result["source"] == f"gfal file://{tmp_path}/site"
        with run.reading(f"listing/shard-{shard:04}.parquet") as path:
            table = pq.read_table(path, columns=["path", "kind"])
        paths += [path for path, kind in zip(*table.to_pydict().values(), strict=True) if kind == "file"]
    assert sorted(paths) == [b"/store/d%d/f" % number for number in range(6)]


def test_the_engine_may_remove_empty_directories_by_it(tmp_path):
    (tmp_path / "store" / "empty").mkdir(parents=True)
    opened = open_lister(check(f"file://{tmp_path}").spec.listing, None, "T2_GFAL")
    assert opened.remove_directory is not None
    assert opened.remove_directory(b"/store/empty") is None
    assert not (tmp_path / "store" / "empty").exists()
    opened.lister.close()
