"""Manifests as `kubectl apply -k` would send them, and small Go programs that are built once, into a cache."""

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import require_programs

REPOSITORY = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
GO = "Go 1.26 or newer, from https://go.dev/dl"

Manifest = dict[str, Any]


@pytest.fixture(scope="session")
def render() -> Callable[[str | Path], list[Manifest]]:
    """The objects of a kustomization, by its folder (below the repository, or absolute)."""
    command = _kustomize()

    @functools.cache
    def rendered(folder: str | Path) -> list[Manifest]:
        done = subprocess.run([*command, str(REPOSITORY / folder)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]

    return rendered


@pytest.fixture(scope="session")
def kstatus() -> Path:
    """The program that says of objects what Flux would."""
    return _built() / "kstatus"


def _kustomize() -> list[str]:
    for name, *command in (["kustomize", "build"], ["kubectl", "kustomize"]):
        if shutil.which(name):
            return [name, *command]
    return [str(_built() / "kustomize"), "build"]


@functools.cache
def _built() -> Path:
    """The folder with the programs; one for each content of the module."""
    content = b"".join(path.read_bytes() for path in sorted(PROGRAMS.iterdir()))
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dynamo-consistency"
    folder = base / f"gitops-{hashlib.sha256(content).hexdigest()[:12]}"
    if not folder.is_dir():
        require_programs("go", install=GO)
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=base) as scratch:
            output = Path(scratch) / "programs"
            for name, package in (("kstatus", "."), ("kustomize", "sigs.k8s.io/kustomize/kustomize/v5")):
                command = ["nice", "go", "build", "-mod=readonly", "-trimpath", "-o", str(output / name), package]
                subprocess.run(command, cwd=PROGRAMS, env=os.environ | {"CGO_ENABLED": "0"}, check=True)
            try:
                output.rename(folder)
            except OSError:  # another worker was faster
                if not folder.is_dir():
                    raise
    return folder
