"""Connections that break in the middle of an answer: the XRootD library may crash then, and a run must bear it."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from xrdclient.testing import FaultProxy

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

FILES = 2000  # an answer of so many comes in a hundred pieces
LIST_APART = """
import logging, sys
from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.listing.processes import in_processes
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.run.listing.shard import list_shard
from dynamo_consistency.run.listing.progress import Progress
logging.basicConfig()
try:
    in_processes("the listing", [lambda tell: list_shard(RunDirectory(sys.argv[1]), None, 0, Progress("test"))])
except ConsistencyError as error:
    sys.exit(str(error))
"""


def new_run(store: Path, door: str, root: str, client: str) -> RunDirectory:
    listing = {
        "source": {"xrootd": {"servers": [door], "client": client}},
        "roots": [{"path": root}],
        "shards": 1,
        "directoryTimeoutSeconds": 5,
        "retries": 1,
    }
    check = {
        "apiVersion": "consistency.dynamo.io/v1alpha1",
        "kind": "SiteConsistencyCheck",
        "metadata": {"name": "test"},
        "spec": {"site": "T2_Test", "listing": listing},
    }
    return RunStore(str(store)).create(SiteConsistencyCheck.model_validate(check))


@pytest.mark.xrootd
def test_a_connection_that_breaks_in_the_middle_of_an_answer_never_gives_a_part_of_it(site, tmp_path, client) -> None:
    for number in range(FILES):
        (site.path / f"f{number}").touch()
    with FaultProxy(("127.0.0.1", site.server.port)) as proxy:
        run = new_run(tmp_path, str(proxy.url), site.lfn.decode(), client)
        proxy.flaky(0.1, seed=1)
        command = [sys.executable, "-c", LIST_APART, run.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        connections = proxy.connections
    assert connections > 1
    if done.returncode != 0:
        assert "crashed" in done.stderr or "no XRootD door" in done.stderr
        assert not run.exists("listing/shard-0000.json")
        return
    rows = pq.read_table(Path(run.url) / "listing/shard-0000.parquet").to_pylist()
    kinds = [row["kind"] for row in rows]
    assert kinds.count("file") in (0, FILES)
    assert kinds.count("hole") == (kinds.count("file") == 0)
    assert json.loads((Path(run.url) / "listing/shard-0000.json").read_text())["counts"]["files"] == kinds.count("file")


ASK_AGAIN_AND_AGAIN = """
import os, sys, threading
from dynamo_consistency.listers.contract import Listed
from dynamo_consistency.listers.xrootd import XRootDLister
lister = XRootDLister([sys.argv[1]], client=sys.argv[3], timeout=5)
lister.prepare()
print("prepared", flush=True)
sys.stdin.readline()
for _ in range(5):
    answered = threading.Event()
    def done(answer):
        print(len(answer.files) if isinstance(answer, Listed) else "failed", flush=True)
        answered.set()
    lister.submit(sys.argv[2].encode(), done)
    answered.wait(60)
os._exit(0)
"""


@pytest.mark.xrootd
@pytest.mark.parametrize("seed", [2, 3])
def test_an_answer_over_a_connection_that_broke_meanwhile_is_not_believed(site, seed, client) -> None:
    """The library calls the first part of such an answer a success, when it has asked again by itself."""
    for number in range(FILES):
        (site.path / f"f{number}").touch()
    with FaultProxy(("127.0.0.1", site.server.port)) as proxy:
        command = [sys.executable, "-c", ASK_AGAIN_AND_AGAIN, str(proxy.url), site.lfn.decode(), client]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asking:
            assert asking.stdout is not None
            assert asking.stdout.readline() == "prepared\n"
            proxy.flaky(0.1, seed=seed)
            answers = set(asking.communicate("go\n", timeout=100)[0].split())  # none at all after a crash
    assert answers <= {"failed", str(FILES)}
    assert proxy.connections > 1
