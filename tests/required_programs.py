"""Programs that a test needs are asked for by name; where they are not installed, it is skipped with the reason."""

import os
import shutil
from pathlib import Path

import pytest


def require_programs(*programs: str, install: str) -> None:
    """Skip with the line that installs what is lacking; in CI that is a failure, not a skip."""
    _without([program for program in programs if shutil.which(program) is None], install)


def require_library(name: str, install: str) -> None:
    """As `require_programs`, for a plug-in among the system's libraries: the beginning of its file's name."""
    found = [file for place in ("lib", ".") for file in Path("/usr", place).glob(f"*/{name}*.so")]
    _without([] if found else [name], install)


def _without(lacking: list[str], install: str) -> None:
    if not lacking:
        return
    message = f"needs {', '.join(lacking)}: {install}"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
