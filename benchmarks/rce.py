"""The predecessor's tools, in an environment of their own outside the clone."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

VERSION = "1.7.5"
# What it was written for: with a newer SQLAlchemy, or psycopg 3, its rce_db_dump cannot read a catalogue.
NEEDS = (f"rucio-consistency=={VERSION}", "pyyaml", "sqlalchemy<2", "psycopg2-binary")


def folder() -> Path | None:
    """Where its programs are, installed on first use; None, with the reason printed, when they cannot be had."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    key = hashlib.sha256("\n".join([*NEEDS, sys.version]).encode()).hexdigest()[:8]
    environment = cache / f"dynamo-consistency/rucio-consistency-{VERSION}-{key}"
    programs = environment / "bin"
    if not (environment / "ready").exists():
        steps = (
            [sys.executable, "-m", "venv", "--clear", environment],
            [programs / "pip", "install", "--quiet", "--disable-pip-version-check", *NEEDS],
        )
        if any(subprocess.run([str(part) for part in step], check=False).returncode for step in steps):
            print(f"{NEEDS[0]} cannot be installed: pip install {' '.join(NEEDS)}", file=sys.stderr)
            return None
        (environment / "ready").touch()
    return programs
