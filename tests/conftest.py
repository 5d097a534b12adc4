"""Settings of all tests, and their order."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# Machines differ in speed, and a busy one is no failure. What CI says must be the same when it is asked again; people's
# machines go on searching.
settings.register_profile("people", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "people")

# An assertion that fails in what tests share says as much as one in a test.
HERE = Path(__file__).parent
SHARED = {file.stem for file in (*HERE.glob("*.py"), *HERE.glob("*/*.py"))} - {"conftest"}
pytest.register_assert_rewrite(*sorted(SHARED))

# A shell ignores Ctrl-C for what it starts in the background, and so would the commands that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


# Begun first, since they take longest: so that no worker ends long after the other.
BEGUN_FIRST = (
    "test_machine.py",
    "test_real_kills.py",
    "test_memory_of_runs.py",
    "test_alerts.py",
    "test_xrootd_",
    "test_rucio.py",
    "test_web_service.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.path.name.startswith(BEGUN_FIRST))
