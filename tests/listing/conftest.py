"""Fixtures of the listing's tests."""

from collections.abc import Callable
from pathlib import Path

import pytest
from listing_runs import Row, check_of, rows_of

from dynamo_consistency.run.listing.progress import Progress
from dynamo_consistency.run.listing.shard import list_shard
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., RunDirectory]:
    """Makes a run directory: make_run(source, roots=…, shards=…)."""
    return lambda source=None, **listing: RunStore(str(tmp_path / "runs")).create(check_of(source, **listing))


@pytest.fixture
def list_site(make_run) -> Callable[..., tuple[dict, list[Row]]]:
    """Lists a site in one shard: (what the .json says, the rows)."""

    def list_(source=None, backend=None, **listing):
        run = make_run(source, **listing)
        result = list_shard(run, backend, 0, Progress("test"))
        return result, rows_of(run)

    return list_


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A mounted site with an empty root /store."""
    prefix = tmp_path / "site"
    (prefix / "store").mkdir(parents=True)
    return prefix
