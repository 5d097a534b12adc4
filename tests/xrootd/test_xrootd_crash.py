"""Connections that break in the middle of an answer: the XRootD library may crash then, and a run must bear it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from xrdclient.testing import FaultProxy

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import ConfigurationError, ListingError
from dynamo_consistency.run.apart import ATTEMPTS, apart
from dynamo_consistency.run.directory import RunDirectory, Store

FILES = 2000  # an answer of so many comes in a hundred pieces
LIST_APART = """
import logging, sys
from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.apart import apart
from dynamo_consistency.run.directory import RunDirectory
from dynamo_consistency.run.listing import list_shard
from dynamo_consistency.run.progress import Progress
logging.basicConfig()
try:
    apart("the listing", lambda: list_shard(RunDirectory(sys.argv[1]), None, 0, Progress("test")))
except ConsistencyError as error:
    sys.exit(str(error))
"""


def new_run(store: Path, door: str, root: str) -> RunDirectory:
    listing = {
        "source": {"xrootd": {"servers": [door]}},
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
    return Store(str(store)).create(SiteConsistencyCheck.model_validate(check))


@pytest.mark.xrootd
def test_a_connection_that_breaks_in_the_middle_of_an_answer_never_gives_a_part_of_it(site, tmp_path) -> None:
    for number in range(FILES):
        (site.path / f"f{number}").touch()
    with FaultProxy(("127.0.0.1", site.server.port)) as proxy:
        run = new_run(tmp_path, str(proxy.url), site.lfn.decode())
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


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_work_whose_process_dies_is_done_again(tmp_path) -> None:
    def work() -> str:
        marks = len(list(tmp_path.iterdir()))
        (tmp_path / str(marks)).touch()
        if marks < 2:
            die()
        return "done"

    assert apart("the work", work) == "done"
    assert len(list(tmp_path.iterdir())) == 3


def test_work_that_always_dies_is_given_up_with_a_sentence(tmp_path) -> None:
    with pytest.raises(ListingError, match=f"the work crashed {ATTEMPTS} times"):
        apart("the work", die)


def test_an_error_of_the_work_comes_through_and_is_not_done_again(tmp_path) -> None:
    def work() -> None:
        (tmp_path / "once").touch(exist_ok=False)
        raise ConfigurationError("the door is wrong")

    with pytest.raises(ConfigurationError, match="the door is wrong"):
        apart("the work", work)


def test_an_unexpected_error_of_the_work_keeps_its_name() -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError: division by zero"):
        apart("the work", lambda: 1 / 0)


ASK_AGAIN_AND_AGAIN = """
import os, sys, threading
from dynamo_consistency.listers.contract import Listed
from dynamo_consistency.listers.xrootd import XRootDLister
lister = XRootDLister([sys.argv[1]], timeout=5)
lister.prepare()
print("prepared", flush=True)
sys.stdin.readline()
for _ in range(5):
    answered = threading.Event()
    def done(answer):
        print(len(answer.files) if isinstance(answer, Listed) else "failed", flush=True)
        answered.set()
    lister.submit(sys.argv[2].encode(), done)
    answered.wait(10)
os._exit(0)
"""


@pytest.mark.xrootd
@pytest.mark.parametrize("seed", [2, 3])
def test_an_answer_over_a_connection_that_broke_meanwhile_is_not_believed(site, seed) -> None:
    """The library calls the first part of such an answer a success, when it has asked again by itself."""
    for number in range(FILES):
        (site.path / f"f{number}").touch()
    with FaultProxy(("127.0.0.1", site.server.port)) as proxy:
        command = [sys.executable, "-c", ASK_AGAIN_AND_AGAIN, str(proxy.url), site.lfn.decode()]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asking:
            assert asking.stdout is not None
            assert asking.stdout.readline() == "prepared\n"
            proxy.flaky(0.1, seed=seed)
            answers = set(asking.communicate("go\n", timeout=100)[0].split())  # none at all after a crash
    assert answers <= {"failed", str(FILES)}
    assert proxy.connections > 1


def test_when_the_command_is_interrupted_the_work_is_ended_too(tmp_path) -> None:
    began = tmp_path / "began"
    script = f"""
import signal, time
from pathlib import Path
from dynamo_consistency.run.apart import apart
signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
def work():
    Path({str(began)!r}).write_text(str(__import__("os").getpid()))
    time.sleep(60)
apart("the work", work)
"""
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL) as command:
        while not began.exists() or not began.read_text():
            time.sleep(0.05)
        command.terminate()
        assert command.wait(10) != 0
    assert not Path(f"/proc/{began.read_text()}").exists()
