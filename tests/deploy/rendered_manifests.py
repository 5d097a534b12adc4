"""Manifests as `kubectl apply -k` would send them."""

import functools
import subprocess
from pathlib import Path
from typing import Any

import yaml
from go_programs import kustomize

REPOSITORY = Path(__file__).parents[2]

Manifest = dict[str, Any]


@functools.cache
def rendered(folder: str | Path) -> list[Manifest]:
    """The objects of a kustomization, by its folder (below the repository, or absolute)."""
    done = subprocess.run([*kustomize(), str(REPOSITORY / folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]
