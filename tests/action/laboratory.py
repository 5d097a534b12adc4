"""A simulated world with the real engine before it: checks are run, approved, acted on, and killed."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow.parquet as pq
from simulated import DAY, SITE, Crash, SimulatedBackend, World

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.checkfile import dump_check, read_check
from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.pipeline import act_on, run_check
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

KINDS = ("missing", "orphans", "mismatches", "emptyDirectories")
WEEK = 7 * DAY

MISSING = b"/store/mc/E/P/AOD/v0/f00"
MISMATCH = b"/store/mc/E/P/AOD/v1/f01"
ORPHAN = b"/store/data/X/P/AOD/v1/o"
HOLLOW = b"/store/data/Y/P/e"
HOLLOWS = [HOLLOW, b"/store/data/Y/P", b"/store/data/Y"]
"""Children first."""

FOUND = [MISMATCH, MISSING, ORPHAN, *HOLLOWS]
"""In the order in which they are asked for."""


def enforcing(**changes: Any) -> dict[str, Any]:
    """A policy that acts on what two runs have found, without limits in the way."""
    rule = {"mode": "Enforce", "maxCount": 1000, "maxFraction": None, "confirmRuns": 2, "confirmSpanSeconds": 3600}
    return {kind: dict(rule) for kind in KINDS} | {"health": {"minListedFraction": "0.5"}} | changes


class Laboratory:
    """`spec` is what the next run is made of; `policy` stands for `spec["policy"]`."""

    def __init__(self, world: World, folder: Path, *, looking: bool = True, itemising: bool = True) -> None:
        self.connect(world, looking=looking, itemising=itemising)
        self.store = RunStore(str(folder / "store"))
        self.policy: dict[str, Any] = enforcing()
        self.comparison: dict[str, Any] = {"ignoreAgeSeconds": DAY}
        self.listing: dict[str, Any] = {"roots": [{"path": "/store/mc"}, {"path": "/store/data"}], "retries": 0}

    def connect(self, world: World, *, looking: bool = True, itemising: bool = True) -> None:
        self.world = world
        self.backend = SimulatedBackend(world, looking=looking, itemising=itemising)

    def check(self) -> SiteConsistencyCheck:
        return SiteConsistencyCheck.model_validate(
            {
                "apiVersion": "consistency.dynamo.io/v1alpha1",
                "kind": "SiteConsistencyCheck",
                "metadata": {"name": "t2-test"},
                "spec": {
                    "site": SITE,
                    "listing": self.listing,
                    "comparison": self.comparison,
                    "policy": self.policy,
                },
            }
        )

    def run(self, after: float = WEEK) -> dict[str, Any]:
        """One run, when that much time has passed. Its summary, also when the action ended early."""
        self.world.pass_time(after)
        try:
            return run_check(self.check(), self.backend, self.store)[1]
        except ConsistencyError as error:
            return {"result": "Stopped", "reason": str(error), "gates": [], "actions": {}, "counts": {}}

    def act(self, run: RunDirectory | None = None, approved: str | None = None) -> dict[str, Any]:
        """The action stage of a run, or of the last, once more; with the check as it is now."""
        return act_on(run or self.runs()[-1], self.backend, approved, self.check())

    def approve(self) -> dict[str, Any]:
        """The action stage of the last run, approved."""
        run = self.runs()[-1]
        return self.act(run, run.run_id)

    def runs(self) -> list[RunDirectory]:
        return self.store.runs(SITE)

    def actions(self, run: RunDirectory | None = None) -> list[dict[str, Any]]:
        """The rows of `actions.parquet` of a run, or of the last."""
        with (run or self.runs()[-1]).reading("actions.parquet") as path:
            return pq.read_table(path).to_pylist()

    def outcomes(self, run: RunDirectory | None = None) -> dict[bytes, str]:
        return {row["path"]: row["outcome"] for row in self.actions(run)}

    def reasons(self, run: RunDirectory | None = None) -> dict[bytes, str]:
        return {row["path"]: row["reason"] for row in self.actions(run)}

    def asked(self) -> list[tuple[str, bytes]]:
        return [(asked.what, asked.path) for asked in self.world.asked]


@contextlib.contextmanager
def dying_at_write(number: int) -> Iterator[Callable[[], int]]:
    """The process dies just before its n-th file is written, counted from 0. Yields how many it was about to write."""
    writes = 0
    writing, create = RunDirectory.writing, RunDirectory.create

    def count() -> None:
        nonlocal writes
        writes += 1
        if writes > number:
            raise Crash

    @contextlib.contextmanager
    def fatal(self: RunDirectory, name: str) -> Iterator[Path]:
        count()
        with writing(self, name) as path:
            yield path

    def fatal_creation(self: RunDirectory, name: str, data: Any) -> bool:
        count()
        return create(self, name, data)

    with (
        mock.patch.object(RunDirectory, "writing", fatal),
        mock.patch.object(RunDirectory, "create", fatal_creation),
    ):
        yield lambda: writes


@contextlib.contextmanager
def quick() -> Iterator[None]:
    """Without what takes most of the time of a small run and decides nothing: YAML of checks that were seen before,
    drawing pages, and looking for unused memory."""
    with (
        mock.patch("dynamo_consistency.run.store.run_directory.read_check", _read_check),
        mock.patch("dynamo_consistency.run.store.run_directory.dump_check", _dump_check),
        mock.patch("dynamo_consistency.run.pipeline.write_reports", return_value={}),
        mock.patch("gc.collect"),
    ):
        yield


_TEXTS: dict[str, str] = {}
_CHECKS: dict[str, SiteConsistencyCheck] = {}


def _dump_check(check: SiteConsistencyCheck) -> str:
    key = check.model_dump_json()
    if key not in _TEXTS:
        _TEXTS[key] = dump_check(check)
    return _TEXTS[key]


def _read_check(path: Path) -> SiteConsistencyCheck:
    text = path.read_text()
    if text not in _CHECKS:
        _CHECKS[text] = read_check(path)
    return _CHECKS[text]


def die() -> None:
    raise Crash
