"""What is shown is never older than a minute, and is not read anew for every look."""

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from made_runs import Made

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.store.run_directory import RunStore
from dynamo_consistency.web.index.index import OLDEST, Index


@pytest.fixture
def index(store, clock) -> Index:
    return Index(RunStore(str(store)), clock)


def missing(index: Index) -> list[int]:
    (site,) = index.fleet()
    (runs,) = site.runs.values()
    return [run.counts["missing"] for run in runs]


def ago(hours: float) -> datetime:
    return datetime.now(UTC) - timedelta(hours=hours)


def rewrite(folder: Path, number: int) -> None:
    """As the product does: under another name, and renamed. In place, in one tick of a clock, none sees it."""
    summary = json.loads((folder / "summary.json").read_text())
    summary["counts"]["missing"] = number
    (folder / "summary.new").write_text(json.dumps(summary, indent=1))
    (folder / "summary.new").replace(folder / "summary.json")


def test_within_some_seconds_nothing_is_read_again(store, index, clock):
    folder = Made(counts={"missing": 1}).write(store)
    assert missing(index) == [1]
    rewrite(folder, 2)
    clock.now += 5
    assert missing(index) == [1]


def test_after_less_than_a_minute_new_runs_and_new_summaries_are_seen(store, index, clock):
    folder = Made(start=ago(3), counts={"missing": 1}).write(store)
    assert missing(index) == [1]
    rewrite(folder, 2)
    Made(start=ago(2), counts={"missing": 3}).write(store)
    clock.now += OLDEST
    assert OLDEST < 60
    assert missing(index) == [2, 3]


def test_a_run_that_was_removed_is_gone(store, index, clock):
    folder = Made(start=ago(3), counts={"missing": 1}).write(store)
    Made(start=ago(2), counts={"missing": 3}).write(store)
    assert missing(index) == [1, 3]
    folder.rename(store / "moved away")
    clock.now += OLDEST
    assert missing(index) == [3]


def test_a_site_that_was_removed_is_gone(store, index, clock):
    Made().write(store)
    assert len(index.fleet()) == 1
    (store / "T2_X").rename(store / "moved away")
    clock.now += OLDEST
    assert index.fleet() == []
    assert index.site("T2_X") is None


@pytest.mark.parametrize("leaves_a_mount_point", [True, False])
def test_a_store_that_is_no_longer_mounted_is_told_and_comes_back(store, index, clock, leaves_a_mount_point):
    Made(counts={"missing": 1}).write(store)
    assert missing(index) == [1]
    away = store.rename(store.with_name("away"))
    if leaves_a_mount_point:
        store.mkdir()
    for _ in range(2):
        clock.now += OLDEST
        with pytest.raises(ConsistencyError, match="the store had sites and has none any more"):
            index.fleet()
    if leaves_a_mount_point:
        store.rmdir()
    away.rename(store)
    assert missing(index) == [1]


def test_what_is_older_is_shown_once_more_while_it_is_read_anew(store, index, clock):
    folder = Made(counts={"missing": 1}).write(store)
    assert missing(index) == [1]
    rewrite(folder, 2)
    clock.now += 30
    shown = [missing(index)]
    while shown[-1] == [1]:
        shown.append(missing(index))
    assert shown[0] == [1]
    assert shown[-1] == [2]


def test_who_starts_the_reading_is_shown_what_is_older_even_if_it_is_over_at_once(store, index, clock, monkeypatch):
    folder = Made(counts={"missing": 1}).write(store)
    assert missing(index) == [1]
    rewrite(folder, 2)
    clock.now += 30
    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda thread: start(thread) or thread.join())
    assert [missing(index), missing(index)] == [[1], [2]]


def test_a_clock_that_goes_back_keeps_nothing_for_long(store, index, clock):
    folder = Made(start=ago(30), counts={"missing": 1}).write(store)
    assert missing(index) == [1]
    rewrite(folder, 2)
    clock.now -= 3600
    assert missing(index) == [2]


def test_the_version_of_a_site_changes_with_its_runs_only(store, index, clock):
    folder = Made(counts={"missing": 1}).write(store)
    versions = [index.site("T2_X").version]
    clock.now += OLDEST
    versions.append(index.site("T2_X").version)
    rewrite(folder, 2)
    clock.now += OLDEST
    versions.append(index.site("T2_X").version)
    assert versions[0] == versions[1] != versions[2]


def test_only_the_last_runs_are_read_until_somebody_looks_at_the_site(store, index):
    for hour in range(30):
        Made(start=ago(hour + 1), counts={"missing": hour}).write(store)
    assert len(missing(index)) == 21
    assert [len(runs) for runs in index.site("T2_X").runs.values()] == [30]
