"""What the tests of backends share: files of backends, a plain Python prompt, a site on disk and a check of it."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dynamo_consistency import paths, secrets
from dynamo_consistency.backend import configured
from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

LONG_AGO = 1_600_000_000
SITE = "T2_TEST"


@pytest.fixture(autouse=True)
def nothing_is_configured(monkeypatch):
    """Each test begins like a new process: no backend, no secrets."""
    monkeypatch.setattr(configured, "_current", [])
    monkeypatch.setattr(secrets, "_known", set())


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """Write a file in the test's folder: text, dedented, or bytes."""

    def write_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else textwrap.dedent(content).encode())
        return path

    return write_file


@pytest.fixture
def importable(write, tmp_path, monkeypatch) -> Callable[[str, str], None]:
    """Make a module of some code, for this test."""

    def make(name: str, code: str) -> None:
        write(f"{name}.py", code)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, name, raising=False)

    return make


@pytest.fixture
def prompt(tmp_path) -> Callable[..., str]:
    """Run code in a Python of its own, in the test's folder; what it printed."""

    def run(code: str, *folders: Path) -> str:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(map(str, folders))}
        command = [sys.executable, "-c", textwrap.dedent(code)]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def site(tmp_path) -> Path:
    """A site on disk: /store/mc with two files that are expected, an orphan, and an empty directory, all old."""
    mount = tmp_path / "mount"
    for name in ("a", "b c", "orphan"):
        file = mount / "store/mc/Era/Primary/TIER/x-v1" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"12345")
    (mount / "store/mc/empty").mkdir()
    for folder, _, files in os.walk(mount, topdown=False):
        for name in [*files, "."]:
            os.utime(Path(folder) / name, (LONG_AGO, LONG_AGO))
    return mount


@pytest.fixture
def check_of() -> Callable[..., SiteConsistencyCheck]:
    """A check of /store/mc at the test's site, which leaves it to the backend to say what lists it."""

    def make(**spec: Any) -> SiteConsistencyCheck:
        return SiteConsistencyCheck.model_validate(
            {
                "apiVersion": "consistency.dynamo.io/v1alpha1",
                "kind": "SiteConsistencyCheck",
                "metadata": {"name": "t2-test"},
                "spec": {"site": SITE, "listing": {"roots": [{"path": "/store/mc"}]}, **spec},
            }
        )

    return make


@pytest.fixture
def run_whole(tmp_path, check_of) -> Callable[..., tuple[RunDirectory, dict[str, Any]]]:
    """A whole check with a backend."""
    from dynamo_consistency.run.pipeline import run_check

    def run(backend: Backend, **spec: Any) -> tuple[RunDirectory, dict[str, Any]]:
        directory, summary = run_check(check_of(**spec), backend, RunStore(str(tmp_path / "store")))
        return directory, dict(summary)

    return run


@pytest.fixture
def found() -> Callable[[RunDirectory, str], list[str]]:
    """The paths of the findings of one kind."""

    def read(run: RunDirectory, kind: str) -> list[str]:
        with run.reading(f"findings/{kind}.parquet") as path:
            return sorted(paths.to_text(name) for name in pq.read_table(path)["path"].to_pylist())

    return read
