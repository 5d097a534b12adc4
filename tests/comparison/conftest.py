"""Fixtures of the comparison's tests: the two readings of the rules under one signature."""

from collections.abc import Callable
from pathlib import Path

import pytest
from comparison_model import reference, runs
from comparison_model.cases import Case, Findings

from dynamo_consistency.errors import InvalidRunError

Reading = Callable[[Case], Findings | None]


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    """The engine, through a run directory; None where the run is invalid."""
    folder: Path = tmp_path_factory.mktemp("runs")

    def run(case: Case) -> Findings | None:
        try:
            return runs.engine(case, folder)
        except InvalidRunError:
            return None

    return run


@pytest.fixture(scope="session")
def plain_reference() -> Reading:
    """The rules in plain Python; None where the run is invalid."""

    def run(case: Case) -> Findings | None:
        try:
            return reference.compare(case)
        except reference.InvalidError:
            return None

    return run


@pytest.fixture(params=["reference", "engine"])
def reading(request: pytest.FixtureRequest, engine: Reading, plain_reference: Reading) -> Reading:
    """Each of the two in turn."""
    return engine if request.param == "engine" else plain_reference
