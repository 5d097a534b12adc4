"""The predecessor's tools, in an environment of their own outside the clone."""

import os
import subprocess
import sys
from pathlib import Path

VERSION = "1.7.5"
NEEDS = ("pyyaml", "sqlalchemy")


def folder() -> Path | None:
    """Where its programs are, installed on first use; None, with the reason printed, when they cannot be had."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    environment = cache / f"dynamo-consistency/rucio-consistency-{VERSION}"
    programs = environment / "bin"
    if not (programs / "rce_cmp5").exists():
        steps = (
            [sys.executable, "-m", "venv", environment],
            [programs / "pip", "install", "--quiet", f"rucio-consistency=={VERSION}", *NEEDS],
        )
        if any(subprocess.run([str(part) for part in step], check=False).returncode for step in steps):
            print(f"rucio-consistency {VERSION} cannot be installed: measured without it")
            return None
    return programs
