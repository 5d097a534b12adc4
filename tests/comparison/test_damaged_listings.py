"""A damaged listing of an earlier run shows nothing: what rests on it stays young, and the comparison goes on."""

from pathlib import Path

import pytest
from comparison_model import runs
from comparison_model.cases import DAY, Case, Entry, Settings, Shard, SiteFile

from dynamo_consistency.run.comparison.comparison import compare
from dynamo_consistency.run.store.run_directory import RunDirectory

NOW = 1_700_000_000
OK = Entry(b"/store/mc/ok")
AT_SITE = SiteFile(b"/store/mc/ok", 1, NOW - 100 * DAY)
OF_UNKNOWN_AGE = SiteFile(b"/store/mc/dark", 1, None)


def stood_before(folder: Path) -> RunDirectory:
    """A run in which a file of unknown age is unknown to the inventory, and an earlier one that listed it long ago."""
    now, before = (Shard(listed_at=when, files=(AT_SITE, OF_UNKNOWN_AGE)) for when in (NOW, NOW - 50 * DAY))
    return runs.write_run(
        Case((OK,), (OK,), (now,), Settings(roots=(b"/store/mc",)), taken_at=NOW - 1, earlier=(before,)), folder
    )


def test_what_stood_in_a_whole_listing_is_old(tmp_path: Path) -> None:
    assert compare(stood_before(tmp_path), runs.backend_for(Case()))["orphans"] == 1


@pytest.mark.parametrize("name", ["listing/shard-0000.parquet", "listing/shard-0000.json"])
@pytest.mark.parametrize("content", ["", "garbage", "[1]"])
def test_what_stood_in_a_damaged_listing_stays_young(tmp_path: Path, name: str, content: str) -> None:
    run = stood_before(tmp_path)
    [earlier] = [other for other in run.store.runs(run.site) if other.run_id != run.run_id]
    earlier.write_text(name, content)
    counts = compare(run, runs.backend_for(Case()))
    assert (counts["orphans"], counts["youngFiles"]) == (0, 1)
