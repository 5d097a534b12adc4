"""A run directory as the stages before the report leave it, and a backend that answers from memory."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from finished_run import FinishedRun

from dynamo_consistency.backend.dataset_filter import DatasetFilter
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.run.store.run_directory import RunStore


@pytest.fixture
def check() -> SiteConsistencyCheck:
    return SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": "site"},
            "spec": {"site": "T2_X", "listing": {"roots": [{"path": "/store/mc"}, {"path": "/store/data"}]}},
        }
    )


@pytest.fixture
def finished(tmp_path, check) -> FinishedRun:
    return FinishedRun(RunStore(str(tmp_path / "store")).create(check, "1"))


@pytest.fixture
def summary() -> Callable[..., dict[str, Any]]:
    def make(**changes: Any) -> dict[str, Any]:
        return {
            "site": "T2_X",
            "runId": "1",
            "backend": "default",
            "startTime": "2026-11-22T03:00:00Z",
            "endTime": "2026-11-22T06:20:00Z",
            "result": "Complete",
            "reason": "",
            "counts": {"listedFiles": 10, "listedBytes": 3000, "inventoryFiles": 9, "holes": 0, "missing": 0},
            "gates": [],
            "actions": {},
            "holes": [],
            "roots": {"/store/mc": {"listedFiles": 10, "missing": 0}},
            "artifacts": {},
            **changes,
        }

    return make


@pytest.fixture
def backend() -> SimpleNamespace:
    """A backend that knows of no file but writes how many it was asked for."""

    def filelist_to_blocklist(site: str, infile: str, outfile: str) -> None:
        with open(infile, "rb") as asked, open(outfile, "w") as answer:  # noqa: PTH123 (as a module backend would)
            answer.write(f"{site}: {len(asked.readlines())} files\n")

    return SimpleNamespace(
        DatasetFilter=DatasetFilter,
        filelist_to_blocklist=filelist_to_blocklist,
        inventory=SimpleNamespace(),
        registry=SimpleNamespace(),
        siteinfo=SimpleNamespace(),
    )
