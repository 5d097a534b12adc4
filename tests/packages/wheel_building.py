"""The wheel of this clone, built as a release builds it."""

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def build(source: Path, folder: Path, kind: str = "wheel") -> Path:
    """The wheel, or with `kind` sdist the source archive, of the clone or copy at `source`."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1760000000"}
    done = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.iterdir()
    return built
