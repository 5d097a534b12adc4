"""Programs that a test needs are asked for by name; where they are not installed, it is skipped with the reason."""

import os
import shutil

import pytest


def require_programs(*programs: str, install: str) -> None:
    """Skip with the line that installs what is lacking; in CI that is a failure, not a skip."""
    lacking = [program for program in programs if shutil.which(program) is None]
    if not lacking:
        return
    message = f"needs {', '.join(lacking)}: {install}"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
