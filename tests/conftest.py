"""Settings of all tests, and their order."""

import atexit
import gc
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from effort import EVERYTHING, examples
from hypothesis import settings
from real_command import end_command

from dynamo_consistency.secrets import RedactingFormatter

# Machines differ in speed, and a busy one is no failure. What CI says must be the same when it is asked again; people's
# machines go on searching.
settings.register_profile("people", deadline=None, max_examples=examples(100))
settings.register_profile("ci", settings.get_profile("people"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "people")

# An assertion that fails in what tests share says as much as one in a test.
HERE = Path(__file__).parent
SHARED = {file.stem for file in (*HERE.glob("*.py"), *HERE.glob("*/*.py"))} - {"conftest", "effort", "real_command"}
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


@pytest.fixture(autouse=True)
def log_of_commands() -> Iterator[None]:
    """A command in this process sets its log up, which would show on the terminal what threads of later tests log."""
    root, level = logging.getLogger(), logging.getLogger().level
    _remove_logs_of_commands()
    yield
    _remove_logs_of_commands()
    root.setLevel(level)


def _remove_logs_of_commands() -> None:
    for handler in list(logging.getLogger().handlers):
        if isinstance(handler.formatter, RedactingFormatter):
            logging.getLogger().removeHandler(handler)


LEFT_OUT = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.path.name.startswith(BEGUN_FIRST))
    slow = [item for item in items if item.get_closest_marker("slow")]
    if EVERYTHING or "slow" in config.option.markexpr or len(slow) == len(items):
        return  # they are asked for
    config.stash[LEFT_OUT] = len(slow)
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if not item.get_closest_marker("slow")]


def pytest_sessionfinish(session: pytest.Session) -> None:
    end_command()
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left out"] = session.config.stash.get(LEFT_OUT, 0)


# A process that shares the tests with others ends at once when all is done: threads of servers and of fsspec that still
# hold something would make DuckDB complain of leaks while Python is taken apart. First in, last out.
if "PYTEST_XDIST_WORKER" in os.environ:
    atexit.register(os._exit, 0)


def pytest_unconfigure() -> None:
    """Hypothesis leaves a function there that keeps modules alive to the very end, which DuckDB calls a leak."""
    gc.callbacks.clear()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Each of the processes that share the tests has found the same ones."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left out", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What the run has cost, with all processes that it has waited for, and what it has left out."""
    terminalreporter.write_line(f"CPU: {sum(os.times()[:4]):.0f} s")
    if number := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(
            f"left out: {number} slow tests, and most random examples; `make test-all` runs them, as CI does"
        )
