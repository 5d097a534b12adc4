"""What killed processes leave behind, and what is not touched."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from killed_writer import NAME, kill_a_writer

from dynamo_consistency.run.store import leftovers
from dynamo_consistency.run.store.run_directory import RunStore

SCRATCH = """
import sys
from dynamo_consistency.run.store.leftovers import scratch_folder
with scratch_folder() as folder:
    (folder / "spilled").write_bytes(b"x")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def run(tmp_path, check):
    return RunStore(str(tmp_path / "store")).create(check, "1")


def temporary_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.startswith(".tmp-")]


def test_half_a_file_of_a_killed_process_goes_and_that_of_a_living_one_stays(run, tmp_path):
    kill_a_writer(run, NAME)
    assert temporary_files(tmp_path)
    with run.writing("listing/shard-0001.parquet") as path:
        path.write_bytes(b"being written")
        run.remove_leftovers()
        assert temporary_files(tmp_path) == [path]
    assert run.names("listing") == ["listing/shard-0001.parquet"]


def test_half_a_file_of_another_machine_goes_when_it_is_clearly_old(run, tmp_path, monkeypatch):
    monkeypatch.setattr(leftovers, "_machine", lambda: "another")
    kill_a_writer(run, NAME)
    monkeypatch.undo()
    monkeypatch.setattr(leftovers, "_machine", lambda: "this")
    [left] = temporary_files(tmp_path)
    run.remove_leftovers()
    assert left.exists()
    old = time.time() - leftovers.CLEARLY_OLD - 60
    os.utime(left, (old, old))
    run.remove_leftovers()
    assert not left.exists()


def scratch_process(tmp_path: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", SCRATCH]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def test_scratch_folders_of_killed_processes_go_with_the_next_one(tmp_path):
    strangers = tmp_path / "dynamo-consistency-notes"
    strangers.mkdir()
    with scratch_process(tmp_path) as killed, scratch_process(tmp_path) as living:
        left, used = (Path(process.stdout.readline().strip()) for process in (killed, living))
        killed.kill()
        killed.wait()
        assert left.is_dir()
        with scratch_process(tmp_path) as following:
            own = Path(following.stdout.readline().strip())
            assert sorted(tmp_path.iterdir()) == sorted([strangers, used, own])
            following.stdin.close()
        living.stdin.close()
    assert list(tmp_path.iterdir()) == [strangers]
