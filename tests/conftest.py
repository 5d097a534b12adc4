"""What all tests share: programs that must be installed are asked for by name."""

import os
import shutil

import pytest
from hypothesis import settings

# machines differ in speed, and a busy one is no failure
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def require_programs(*programs: str, install: str) -> None:
    """Skip with the line that installs what is lacking; in CI that is a failure, not a skip."""
    lacking = [program for program in programs if shutil.which(program) is None]
    if not lacking:
        return
    message = f"needs {', '.join(lacking)}: {install}"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
