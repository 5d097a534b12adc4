"""gfal2 itself, where the machine has it, and helpers that behave as it seldom does."""

import itertools
import queue
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from required_programs import require_programs

from dynamo_consistency.listers.contract import Answer
from dynamo_consistency.listers.gfal import GfalLister, process

INSTALL = "apt-get install python3-gfal2 gfal2-plugin-file gfal2-plugin-xrootd"


@pytest.fixture(scope="session")
def gfal2() -> None:
    """Skips, or fails in CI, where there is no gfal2."""
    probe = [process.PYTHON, "-I", "-c", "import gfal2"]
    present = Path(process.PYTHON).exists() and subprocess.run(probe, capture_output=True, check=False).returncode == 0
    if not present:
        require_programs("gfal2", install=INSTALL)  # no program is called so: this says what to install


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch) -> None:
    for name in ("X509_USER_PROXY", "X509_USER_CERT", "BEARER_TOKEN", "BEARER_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def make_lister() -> Iterator[Callable[..., GfalLister]]:
    """Makes listers, and closes them."""
    made: list[GfalLister] = []

    def make(url: str, timeout: int = 20, concurrency: int = 1) -> GfalLister:
        made.append(GfalLister(url, timeout=timeout, concurrency=concurrency))
        return made[-1]

    yield make
    for lister in made:
        lister.close()


@pytest.fixture
def ask() -> Callable[[GfalLister, bytes], Answer]:
    """What a lister answers, as the walk gets it."""

    def ask(lister: GfalLister, directory: bytes) -> Answer:
        answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        lister.submit(directory, answers.put)
        return answers.get(timeout=60)

    return ask


_numbers = itertools.count()


@pytest.fixture
def helper(tmp_path, monkeypatch) -> Callable[[str], None]:
    """Puts a script in the place of ours; `say` writes a line of JSON, and `requests` are those that come."""

    def helper(body: str) -> None:
        script = tmp_path / f"helper-{next(_numbers)}.py"
        head = "import json, os, signal, sys, time\n"
        head += "say = lambda **a: (sys.stdout.write(json.dumps(a) + '\\n'), sys.stdout.flush())\n"
        head += "requests = (json.loads(line) for line in sys.stdin)\n"
        script.write_text(head + body)
        monkeypatch.setattr(process, "_SCRIPT", script)

    return helper


@pytest.fixture
def children() -> Callable[[], set[int]]:
    """The processes that this one has started and that live."""

    def children() -> set[int]:
        files = Path("/proc/self/task").glob("*/children")
        pids = {int(pid) for file in files for pid in _words(file)}
        return {pid for pid in pids if _state(pid) not in ("", "Z")}

    return children


def _state(pid: int) -> str:
    text = _read(Path(f"/proc/{pid}/stat"))
    return text.rpartition(")")[2].split()[0] if text else ""


def _words(file: Path) -> list[str]:
    return _read(file).split()


def _read(file: Path) -> str:
    """The file's text; nothing when its thread or process has ended since it was found."""
    try:
        return file.read_text()
    except OSError:
        return ""
