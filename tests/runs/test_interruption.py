"""A run that is killed or interrupted leaves nothing that looks whole, and can be started again."""

import json
import random
import signal
import subprocess
import time

import pyarrow.parquet as pq
import pytest

KINDS = ("missing", "orphan", "mismatch", "empty_directory")
STAGES = (
    ["snapshot"],
    ["listing", "--shard", "0"],
    ["listing", "--shard", "1"],
    ["listing", "--shard", "2"],
    ["comparison"],
)


def findings(folder):
    return {kind: pq.read_table(folder / f"findings/{kind}.parquet").to_pylist() for kind in KINDS}


def begin(drifted, folder):
    drifted.run("stage", "snapshot", "--run-dir", str(folder), "-f", "check.yaml", store=False)


@pytest.mark.slow
def test_stages_killed_at_any_point_and_started_again_give_the_same_findings(drifted):

    undisturbed, killed = (drifted.store / "T2_Test" / name for name in ("undisturbed", "killed"))
    for folder in (undisturbed, killed):
        begin(drifted, folder)
    chance = random.Random(20261123)
    deaths = 0
    for stage in STAGES:
        drifted.run("stage", *stage, "--run-dir", str(undisturbed), store=False)
        for _ in range(2):
            arguments = [drifted.command, "stage", *stage, "--run-dir", str(killed)]
            with subprocess.Popen(
                arguments, cwd=drifted.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as process:
                time.sleep(chance.uniform(0.2, 0.9))
                process.send_signal(signal.SIGKILL)
                deaths += process.wait() == -signal.SIGKILL
        drifted.run("stage", *stage, "--run-dir", str(killed), store=False)
    assert deaths > 0, "no stage was ever killed in time: the test proves nothing"
    assert findings(killed) == findings(undisturbed)


def test_ctrl_c_ends_with_130_and_one_sentence(drifted):

    slow = drifted.check.read_text().replace("    shards: 3", "    shards: 3\n    maxRequestsPerSecond: 1")
    drifted.check.write_text(slow)
    arguments = [drifted.command, "run", "-f", "check.yaml", "--store", str(drifted.store)]
    with subprocess.Popen(
        arguments, cwd=drifted.folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr:
            if " in " in line and "run " in line:
                break
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in complaint
    assert "Traceback" not in complaint
    (run,) = (drifted.store / "T2_Test").iterdir()
    assert not list(run.rglob(".tmp-*")), "half-written files are left"
    assert json.loads(drifted.run("history", "T2_Test", "--output", "json"))[0]["result"] == "Unfinished"
