"""A process that is killed while it writes into a run directory."""

import subprocess
import sys

from dynamo_consistency.run.store.run_directory import RunDirectory

NAME = "listing/shard-0000.parquet"


WRITER = """
import sys
from dynamo_consistency.run.store.run_directory import RunDirectory
with RunDirectory(sys.argv[1]).writing(sys.argv[2]) as path, path.open("wb") as file:
    file.write(b"half a file" * 10000)
    file.flush()
    print("half", flush=True)
    sys.stdin.read()
"""


def kill_a_writer(run: RunDirectory, name: str) -> None:
    """Start a process that writes `name`, and kill it when half of it is on disk."""
    command = [sys.executable, "-c", WRITER, run.url, name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "half\n"
        writer.kill()
    assert writer.returncode == -9
