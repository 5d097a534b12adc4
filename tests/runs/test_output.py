"""Where stdout goes: a full disk and a closed stdout are one sentence, a reader that has gone is no matter at all."""

import contextlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

HISTORY = ["history", "T2_Test", "--store", "store"]
FINDINGS = ["findings", "T2_Test", "--kind", "missing", "--store", "store"]


def shell(sandbox, line):
    return subprocess.run(["bash", "-c", line], cwd=sandbox.folder, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_or_closed_stdout_is_one_sentence(drifted):
    drifted.run("run", "-f", "check.yaml")
    for command in (HISTORY, FINDINGS, [*FINDINGS, "--format", "json"], ["--help"]):
        full = shell(drifted, f"{drifted.command} {' '.join(command)} > /dev/full")
        assert full.returncode == 1
        assert full.stderr == "the output could not be written to its end: No space left on device\n"
    closed = shell(drifted, f"{drifted.command} {' '.join(FINDINGS)} >&-")
    assert closed.returncode == 1
    assert closed.stderr.startswith("stdout is closed, and so nothing was started")
    assert len(closed.stderr.splitlines()) == 1


def test_a_reader_that_has_gone_is_no_error(drifted):
    gone = shell(drifted, f"{drifted.command} --help | true; echo ${{PIPESTATUS[0]}}")
    assert gone.stdout in ("0\n", "141\n")
    assert gone.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_run_whose_messages_nobody_takes_is_a_run_all_the_same(drifted):
    for nowhere in ("2>&-", "2>/dev/full", "2> >(true)", "<&- 2>&-"):
        done = shell(drifted, f"{drifted.command} run -f check.yaml --store store --output json {nowhere}")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["result"] == "Complete"
    wrong = shell(drifted, f"{drifted.command} run -f nowhere.yaml 2>&-")
    assert (wrong.returncode, wrong.stdout) == (2, "")


def test_an_interruption_while_the_command_is_read_in_is_one_as_any_other():
    code = (
        "import sys, dynamo_consistency.cli as cli\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "cli.main(['--help'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "")


def test_on_a_terminal_every_stage_has_a_bar_and_nothing_is_told_twice(drifted):
    ours, theirs = pty.openpty()
    arguments = [drifted.command, "run", "-f", "check.yaml", "--store", "store"]
    able = os.environ | {"TERM": "xterm-256color", "COLUMNS": "80"}
    with subprocess.Popen(arguments, cwd=drifted.folder, stdout=subprocess.PIPE, stderr=theirs, env=able) as process:
        os.close(theirs)
        told = b""
        with contextlib.suppress(OSError):  # what reading from a terminal ends with
            while some := os.read(ours, 65536):
                told += some
        printed = process.stdout.read().decode()
    os.close(ours)
    for stage in ("inventory", "listing", "inventory again", "comparison", "reports"):
        assert f"T2_Test: {stage} " in told.decode(), stage
    assert "INFO" not in told.decode()
    assert "\x1b" not in printed
    assert printed.count("run 20") == 1


def test_a_report_can_be_printed_again(drifted):
    first = drifted.run("run", "-f", "check.yaml")
    (run,) = (drifted.store / "T2_Test").iterdir()
    assert drifted.run("report", "T2_Test") == first
    as_json = drifted.run("report", "T2_Test", "--run", run.name[:6], "--output", "json")
    assert json.loads(as_json) == json.loads((run / "summary.json").read_text())
    drifted.run("report", "T2_Test", "--run", "2020", exit_code=2)
