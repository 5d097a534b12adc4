"""Programs that `go install` makes: found on the PATH, or in the cache, in the version that `.ci/prepare` names."""

import os
import re
import shutil
from pathlib import Path

from required_programs import require_programs

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dynamo-consistency"
PREPARE = Path(__file__).parents[1] / ".ci/prepare"


def go_tool(name: str) -> str:
    """The program; skips the test, with the line that installs it, where there is none."""
    folder, package, version = _pinned(name)
    program = shutil.which(name) or shutil.which(name, path=folder)
    if program is None:
        require_programs(name, install=f"GOBIN={folder} go install {package}@{version}")
    return str(program)


def _pinned(name: str) -> tuple[Path, str, str]:
    """Where it is kept, its package, and the version."""
    (pin,) = re.findall(rf"^ +({name}-(v[\d.]+)):([\w./-]+)", PREPARE.read_text(), re.MULTILINE)
    folder, version, package = pin
    return CACHE / folder, package, version
