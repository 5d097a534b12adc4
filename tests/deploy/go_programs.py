"""Small Go programs, built once into a cache: kustomize, and kstatus, which says of objects what Flux would."""

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from required_programs import require_programs

PROGRAMS = Path(__file__).parent / "programs"
GO = "Go 1.26 or newer, from https://go.dev/dl"


def kustomize() -> list[str]:
    for name, *command in (["kustomize", "build"], ["kubectl", "kustomize"]):
        if shutil.which(name):
            return [name, *command]
    return [str(built() / "kustomize"), "build"]


@functools.cache
def built() -> Path:
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
