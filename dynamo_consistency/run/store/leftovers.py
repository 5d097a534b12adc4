"""What killed processes leave: half-written files and scratch folders, which say in their names who made them.

A name carries the process and the machine (with its start and its container): whether a process of the same machine
still lives can be asked; what another machine has made goes when it is a week old.
"""

import contextlib
import functools
import hashlib
import os
import shutil
import socket
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

TEMPORARY = ".tmp-"
SCRATCH = "dynamo-consistency-"
CLEARLY_OLD = 7 * 86400
"""Seconds. No stage writes that long to one file."""


def temporary_name(name: str) -> str:
    """A name of its own for what will be `name` when it is whole."""
    return f"{TEMPORARY}{_maker()}-{uuid.uuid4().hex}-{name}"


def remove_left_over_files(folder: Path) -> None:
    """Remove the half-written files of processes that have ended, in `folder` and below it."""
    for directory, _, names in os.walk(folder):
        for name in names:
            if name.startswith(TEMPORARY) and _is_left_over(Path(directory, name), TEMPORARY):
                with contextlib.suppress(OSError):
                    Path(directory, name).unlink()


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for what need not outlive this block; those of processes that have ended are removed."""
    _remove_left_over_scratch()
    with tempfile.TemporaryDirectory(prefix=f"{SCRATCH}{_maker()}-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@functools.cache
def _remove_left_over_scratch() -> None:
    """Once for each process."""
    with contextlib.suppress(OSError):
        for path in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
            if path.is_dir() and not path.is_symlink() and _is_left_over(path, SCRATCH):
                shutil.rmtree(path, ignore_errors=True)


def _is_left_over(path: Path, prefix: str) -> bool:
    """Was it made by this user, and by a process that has ended? What cannot be known is taken as in use."""
    try:
        facts = path.lstat()
    except OSError:
        return False
    machine, _, rest = path.name.removeprefix(prefix).partition("-")
    process = rest.partition("-")[0]
    if facts.st_uid != os.geteuid():
        return False
    if machine == _machine() and process.isdecimal():
        return not _lives(int(process))
    return time.time() - facts.st_mtime > CLEARLY_OLD


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _maker() -> str:
    return f"{_machine()}-{os.getpid()}"


@functools.cache
def _machine() -> str:
    """This machine since its start and, in a container, only that: where a number of a process means one process."""
    known = [socket.gethostname()]
    with contextlib.suppress(OSError):
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        known.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\0".join(known).encode()).hexdigest()[:12]
