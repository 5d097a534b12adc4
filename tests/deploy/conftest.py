"""Manifests as they reach a cluster, and the program that says of them what Flux would."""

from collections.abc import Callable
from pathlib import Path

import pytest
from go_programs import built
from rendered_manifests import Manifest, rendered


@pytest.fixture(scope="session")
def render() -> Callable[[str | Path], list[Manifest]]:
    """The objects of a kustomization, by its folder; see `rendered`."""
    return rendered


@pytest.fixture(scope="session")
def kstatus() -> Path:
    """The program that says of objects what Flux would."""
    return built() / "kstatus"
