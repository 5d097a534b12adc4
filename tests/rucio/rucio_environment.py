"""The environment of Rucio's server: its pins forbid what the project needs, so it has a Python of its own.

Made with pip on first use, in the folder for what is made once for all clones, about 230 MB.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

VERSION = "41.5.1"
NEEDS = (f"rucio=={VERSION}", "psycopg[binary]", "pymysql")


class EnvironmentMissingError(Exception):
    """It is not there and cannot be made; says why."""


@cache
def python() -> Path:
    """The environment's Python. Raises EnvironmentMissingError."""
    key = hashlib.sha256("\n".join([*NEEDS, sys.version]).encode()).hexdigest()[:8]
    cache_folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dynamo-consistency"
    folder = cache_folder / f"rucio-server-{VERSION}-{key}"
    cache_folder.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # whoever comes second finds it made
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder)
            (folder / "ready").touch()
    return folder / "bin/python"


def _make(folder: Path) -> None:
    print(f"installing Rucio's server {VERSION}: a minute, once", file=sys.stderr, flush=True)
    steps = (
        [sys.executable, "-m", "venv", folder],
        [folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *NEEDS],
    )
    for step in steps:
        done = subprocess.run(list(map(str, step)), capture_output=True, text=True, check=False)
        if done.returncode:
            raise EnvironmentMissingError(f"needs Rucio's server: pip install {' '.join(NEEDS)}: {done.stderr[-1000:]}")
