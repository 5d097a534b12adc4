"""helm, as it is on the PATH or as `.ci/run` has put it into the cache."""

import os
import shutil
import subprocess
from pathlib import Path

from required_programs import require_programs

VERSION = "v3.22.0"
CACHED = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "dynamo-consistency", f"helm-{VERSION}")
CHART = Path(__file__).parents[1] / "deploy/chart"
KUBERNETES = "1.36.0"
"""For what is rendered without a cluster: a helm that `go install` has made takes an older one for granted."""


def helm(*arguments: str, exit_code: int | None = 0, env: dict[str, str] | None = None) -> str:
    """What it prints, and what it complains of where it does; skips the test where there is none."""
    program = shutil.which("helm") or shutil.which("helm", path=CACHED)
    if program is None:
        require_programs("helm", install=f"GOBIN={CACHED} go install helm.sh/helm/v3/cmd/helm@{VERSION}")
    done = subprocess.run(
        [str(program), *arguments], env=os.environ | (env or {}), capture_output=True, text=True, check=False
    )
    assert exit_code is None or done.returncode == exit_code, f"{done.stdout}\n{done.stderr}"
    return done.stdout if done.returncode == 0 else done.stdout + done.stderr


def template(*arguments: str, exit_code: int = 0) -> str:
    """The chart as `helm template` renders it for the namespace `consistency`."""
    place = ("--namespace", "consistency", "--kube-version", KUBERNETES)
    return helm("template", "consistency", str(CHART), *place, *arguments, exit_code=exit_code)
