"""What counts as asked for in the last 30 days: each path once, without what is found now."""

import time
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.run.gates.asked_lately import asked_lately
from dynamo_consistency.run.store.run_directory import RunStore

DAY = 86400
NOW = time.time()


@pytest.fixture
def run_with(tmp_path):
    store, numbers = RunStore(str(tmp_path)), iter(range(100))
    check = SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": "site"},
            "spec": {"site": "T2_X", "listing": {"roots": [{"path": "/store/mc"}, {"path": "/store/data"}]}},
        }
    )

    def make(days_ago=0, *, actions=(), journal=(), orphans=()):
        run = store.create(check, f"{next(numbers):03}")
        run.write_json("inventory/before.json", {"takenAt": NOW - days_ago * DAY})
        with run.writing("findings/orphan.parquet") as path:
            pq.write_table(pa.table({"path": pa.array(orphans, pa.binary())}), path)
        if actions:
            paths, outcomes = zip(*actions, strict=True)
            table = {"kind": ["orphans"] * len(paths), "path": pa.array(paths, pa.binary()), "outcome": outcomes}
            with run.writing("actions.parquet") as path:
                pq.write_table(pa.table(table), path)
        if journal:
            files = [path.decode() for path in journal]
            run.write_json("actions/00001-asked.json", {"kind": "orphans", "askedAt": NOW, "files": files})
        return run

    return make


def asked(run, *earlier):
    return asked_lately(run, earlier, NOW).get("orphans", Counter())


def test_each_path_counts_once_in_its_root_and_what_is_found_now_does_not_count_again(run_with):
    first = run_with(20, actions=[(b"/store/mc/a", "requested"), (b"/store/data/b", "unanswered")])
    second = run_with(
        10, actions=[(b"/store/mc/a", "waiting"), (b"/store/mc/c", "requested"), (b"/gone/d", "requested")]
    )
    now = run_with(orphans=[b"/store/mc/c"])
    assert asked(now, first, second) == {"/store/mc": 1, "/store/data": 1, None: 1}


@pytest.mark.parametrize("outcome", ["refused", "skipped", "left over"])
def test_what_was_not_asked_for_does_not_count(run_with, outcome):
    assert asked(run_with(), run_with(1, actions=[(b"/store/mc/a", outcome)])).total() == 0


@pytest.mark.parametrize(("days_ago", "counts"), [(29, 1), (31, 0), (-1, 0)])
def test_only_the_last_30_days_count_and_no_run_that_is_dated_after_now(run_with, days_ago, counts):
    assert asked(run_with(), run_with(days_ago, actions=[(b"/store/mc/a", "requested")])).total() == counts


def test_a_clock_that_is_ahead_when_a_run_is_acted_on_forgets_nothing(run_with):
    first, now = run_with(20, actions=[(b"/store/mc/a", "requested")]), run_with()
    assert asked_lately(now, [first], NOW + 31 * DAY)["orphans"] == {"/store/mc": 1}


def test_an_action_that_died_counts_by_its_journal(run_with):
    assert asked(run_with(), run_with(1, journal=[b"/store/mc/a"])).total() == 1


def test_a_damaged_file_of_actions_is_made_up_for_by_the_journal(run_with):
    damaged = run_with(1, journal=[b"/store/mc/a"])
    damaged.write_text("actions.parquet", "no parquet")
    assert asked(run_with(), damaged).total() == 1
