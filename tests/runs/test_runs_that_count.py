"""Which runs count: those of the same check whose files can be read and whose times can be believed.

A run dated after now confirms, supersedes and removes nothing, and people are told.
"""

import time

import pytest

from dynamo_consistency.check import Policy, Retention, SiteConsistencyCheck
from dynamo_consistency.run.records import complete_runs, history, notes
from dynamo_consistency.run.records.retention import DAY, Kept, prune, removals, vouched_now
from dynamo_consistency.run.records.summary import fingerprint
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

NOW = 1_790_000_000
HOUR = 3600


@pytest.fixture
def now(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: NOW)
    monkeypatch.setattr(RunDirectory, "modified", lambda *_: NOW)


@pytest.fixture
def make(tmp_path, now):
    """Makes a complete run that began so many seconds from now; `listed`, `ended`: as many seconds after its start."""
    store = RunStore(str(tmp_path))

    def run(
        start: int, listed: int = 10, ended: int = 20, after_now: tuple[str, ...] = (), check: str = "t2-x"
    ) -> RunDirectory:
        directory = store.create(check_named(check))
        begins = NOW + start
        directory.write_json("inventory/before.json", {"takenAt": begins, "description": "a test"})
        directory.write_json("listing/shard-0000.json", {"listedAt": begins + listed})
        directory.write_json("inventory/after.json", {"takenAt": begins + ended})
        snapshots = {"before": {"takenAt": begins, "description": "a test"}, "after": {"takenAt": begins + ended}}
        listing = {"firstListedAt": begins + listed, "lastListedAt": begins + listed}
        told = {"result": "Complete", "reason": "", "counts": {"inventoryFiles": 5}, "gates": [], "actions": {}}
        told |= {"snapshots": snapshots, "listing": listing, "runsAfterNow": list(after_now)}
        told["fingerprint"] = fingerprint(directory.check())
        directory.write_json("summary.json", told)
        return directory

    return run


def check_named(name: str) -> SiteConsistencyCheck:
    return SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": name},
            "spec": {"site": "T2_X", "listing": {"roots": [{"path": "/store/mc"}]}},
        }
    )


def ids(runs):
    return [run.run_id for run in runs]


def test_a_run_dated_after_now_neither_confirms_nor_supersedes(make):
    before, ahead, last = make(-2 * DAY), make(3650 * DAY), make(-60)
    store = last.store
    assert ids(history.comparable_runs(store, last)) == [before.run_id]
    assert not history.neighbours(store, last).is_superseded
    assert history.neighbours(store, before).is_superseded
    assert history.last_before(store, last).run_id == before.run_id
    assert history.latest_complete(store, "T2_X").run_id == last.run_id
    assert history.comparable_runs(store, ahead) == []
    run_ids, [sentence] = complete_runs.notes_on_clocks(store, last)
    assert run_ids == [ahead.run_id]
    assert f"run {ahead.run_id} is dated 2036-" in sentence


def test_a_clock_that_differs_by_minutes_is_no_wrong_clock(make):
    before, last = make(-2 * DAY), make(60)
    assert ids(history.comparable_runs(last.store, last)) == [before.run_id]


@pytest.mark.parametrize(
    ("times", "believed"),
    [
        ({"listed": 10, "ended": 20}, True),
        ({"listed": -60, "ended": -30}, True),  # machines whose clocks differ a little
        ({"listed": -2 * HOUR, "ended": 20}, False),
        ({"listed": 10 * HOUR, "ended": HOUR}, False),
        ({"listed": 10, "ended": -HOUR}, False),
    ],
)
def test_a_run_whose_own_times_are_not_in_order_confirms_nothing(make, times, believed):
    odd, last = make(-2 * DAY, **times), make(-60)
    assert ids(history.comparable_runs(last.store, last)) == ([odd.run_id] if believed else [])


@pytest.mark.parametrize("times", [{"listed": -HOUR}, {"ended": -HOUR}, {"ended": 2 * DAY}])
def test_a_run_whose_own_times_are_odd_is_confirmed_by_none(make, times):
    make(-2 * DAY)
    odd = make(-60, **times)
    assert history.comparable_runs(odd.store, odd) == []


@pytest.mark.parametrize(("behind", "believed"), [(60, True), (20 * DAY, False)])
def test_a_run_that_is_dated_after_the_time_of_the_store_is_confirmed_by_none(make, monkeypatch, behind, believed):
    """The clock of its machine is weeks ahead: the runs that it finds would seem to be long past."""
    before, ahead = make(-20 * DAY), make(-60)
    monkeypatch.setattr(RunDirectory, "modified", lambda *_: NOW - behind)
    assert ids(history.comparable_runs(ahead.store, ahead)) == ([before.run_id] if believed else [])
    _, sentences = complete_runs.notes_on_clocks(ahead.store, ahead)
    assert ["after now by the clock of this machine or of the store" in one for one in sentences] == [True][believed:]


def test_the_time_of_a_run_whose_clock_was_behind_gives_no_span(make):
    """It was made between the others, and saw them in its future."""
    first = make(-2 * DAY)
    behind = make(-3650 * DAY, after_now=(first.run_id,))
    last = make(-60)
    assert ids(history.comparable_runs(last.store, last)) == [first.run_id]
    assert history.comparable_runs(first.store, first) == []
    assert behind.run_id not in ids(history.comparable_runs(last.store, last))


GARBLED = [
    ("claim.json", "{}"),
    ("claim.json", "\x00\x00"),
    ("summary.json", '{"result": "Complete"}'),
    ("summary.json", '["Complete"]'),
    ("summary.json", '{"result": "Complete", "reason": "", "counts": {}, "gates": [], "actions": {}}'),
    ("inventory/before.json", "{}"),
    ("inventory/before.json", '{"takenAt": "yesterday"}'),
    ("inventory/before.json", ""),
]


@pytest.mark.parametrize(("name", "garbage"), GARBLED)
def test_a_run_with_a_garbled_file_is_named_and_does_not_count(make, caplog, name, garbage):
    first, damaged, last = make(-3 * DAY), make(-2 * DAY), make(-60)
    damaged.write_text(name, garbage)
    store = RunStore(last.store.url)
    assert ids(history.comparable_runs(store, last)) == [first.run_id]
    assert history.last_before(store, last).run_id == first.run_id
    assert f"run {damaged.run_id} of T2_X counts as not complete" in caplog.text
    assert prune(store, "T2_X", last.owner, last.check().spec, NOW) == []
    assert damaged.run_id in ids(store.runs("T2_X"))


def test_runs_of_another_check_do_not_count(make):
    make(-2 * DAY, check="other")
    first = make(-2 * DAY)
    make(-DAY, check="other")
    last = make(-60)
    make(-30, check="other")
    assert ids(history.comparable_runs(last.store, last)) == [first.run_id]
    assert history.last_before(last.store, last).run_id == first.run_id
    assert not history.neighbours(last.store, last).is_superseded


def test_what_is_noted_is_gathered_and_what_is_noted_anew_replaces_it(make):
    run = make(-60)
    assert notes.gathered(run) == []
    notes.note(run, "clocks", [])
    assert not run.names("notes")
    notes.note(run, "limits", ["a leak", "twice"])
    notes.note(run, "clocks", ["ahead", "twice"])
    assert notes.gathered(run) == ["ahead", "twice", "a leak"]
    notes.note(run, "clocks", [])
    assert notes.gathered(run) == ["a leak", "twice"]
    run.write_text("notes/limits.json", "garbled")
    assert "is damaged" in notes.gathered(run)[0]


# ------------------------------------------------------------------------------------------------------------ retention

KEPT = Retention(runs=1, days=40, findings_days=40)


def runs_of(*days_ago):
    return [Kept(RunDirectory(f"/store/T2/{days}"), NOW - days * DAY, complete=True) for days in days_ago]


def removed(runs, now=NOW):
    return {removal.run.run_id for removal in removals(runs, KEPT, Policy(), vouched_now(runs, KEPT, now))}


def test_what_has_passed_its_time_goes(now):
    assert removed(runs_of(100, 75, 50, 25, 0)) == {"100", "75", "50"}


def test_the_first_run_of_a_clock_that_has_jumped_removes_nothing_more():
    runs = runs_of(25, 0, -3650)
    assert removed(runs, NOW + 3650 * DAY) == set()


def test_a_run_dated_after_now_is_not_removed_and_keeps_no_other_from_counting():
    assert removed(runs_of(100, 75, 50, 25, 0, -3650)) == removed(runs_of(100, 75, 50, 25, 0))


def test_a_site_that_is_checked_seldom_is_pruned_up_to_the_run_before():
    assert removed(runs_of(1000, 600, 300, 0)) >= {"1000"}
    assert not {"300", "0"} & removed(runs_of(1000, 600, 300, 0))
