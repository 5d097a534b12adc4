"""helm, and our chart as it renders it."""

import os
import subprocess
from pathlib import Path

from go_tools import go_tool

CHART = Path(__file__).parents[1] / "deploy/chart"
KUBERNETES = "1.36.0"
"""For what is rendered without a cluster: a helm that `go install` has made takes an older one for granted."""


def helm(*arguments: str, exit_code: int | None = 0, env: dict[str, str] | None = None) -> str:
    """What it prints, and what it complains of where it does; skips the test where there is none."""
    done = subprocess.run(
        [go_tool("helm"), *arguments], env=os.environ | (env or {}), capture_output=True, text=True, check=False
    )
    assert exit_code is None or done.returncode == exit_code, f"{done.stdout}\n{done.stderr}"
    return done.stdout if done.returncode == 0 else done.stdout + done.stderr


def template(*arguments: str, exit_code: int = 0) -> str:
    """The chart as `helm template` renders it for the namespace `consistency`."""
    place = ("--namespace", "consistency", "--kube-version", KUBERNETES)
    return helm("template", "consistency", str(CHART), *place, *arguments, exit_code=exit_code)
