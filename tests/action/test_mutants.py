"""Each guard is what stops something: taken away, the forbidden thing happens; with it, it does not."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from laboratory import HOLLOW, KINDS, MISMATCH, MISSING, ORPHAN, Laboratory
from simulated import DAY

from dynamo_consistency.run.gates.gates import Gate

GATES = "dynamo_consistency.run.gates.gates"
FACTS = "dynamo_consistency.run.gates.facts"
OBJECTIONS = "dynamo_consistency.run.action.objections"


def ready(facts, **_):
    return Gate("Any", "Ready", "", "", "taken away")


def nothing(*_):
    return None


class Guard(NamedTuple):
    """Where it is, what it is replaced by, and a story in which it alone stops what must not be asked for."""

    place: str
    without: object
    story: Callable[[Laboratory], None]
    forbidden: bytes


def one_more_run(lab: Laboratory) -> None:
    lab.policy["approval"] = "Never"
    lab.run(2 * DAY)


def half_of_the_inventory_is_gone(lab):
    """In doubt nothing is done at all, not even to what has long been confirmed."""
    for path in list(lab.world.entries)[8:]:
        del lab.world.entries[path]
    one_more_run(lab)


def the_site_looks_empty_for_weeks(lab):
    lab.world.healthy(b"/store/data/X/P/AOD/v3/f")
    lab.world.answers_empty.add(b"/store/mc/E")
    lab.policy["approval"] = "Required"
    for _ in range(2):
        lab.run(2 * DAY)
    lab.approve()  # without that, files of directories that answered empty wait in any case


def more_orphans_than_allowed(lab):
    lab.policy["orphans"]["maxCount"] = 0
    one_more_run(lab)


NEW = b"/store/data/X/P/AOD/v1/new"


def an_orphan_is_seen_for_the_first_time(lab):
    lab.world.store(NEW)
    one_more_run(lab)


def a_check_that_only_reports(lab):
    for kind in KINDS:
        lab.policy[kind]["mode"] = "Report"
    one_more_run(lab)


def nobody_has_approved(lab):
    lab.act()


def there_is_no_budget(lab):
    lab.policy["maxRequestsPerRun"] = 0
    one_more_run(lab)
    lab.world.now += 1


def findings_of_long_ago(lab):
    lab.run(2 * DAY)
    earlier = lab.runs()[-2]
    lab.act(earlier, earlier.run_id)


def the_orphan_is_registered(lab):
    lab.world.register(ORPHAN, 50)
    lab.approve()


def the_missing_file_is_back(lab):
    lab.world.store(MISSING, 100)
    lab.approve()


def the_mismatch_is_mended(lab):
    lab.world.store(MISMATCH, 100)
    lab.approve()


def the_directory_is_in_use(lab):
    lab.world.store(HOLLOW + b"/f", 1)
    lab.approve()


def nothing_is_protected_any_more(lab):
    """The orphan's dataset is not what protects; that the answer is so short closes the gate."""
    lab.world.protected |= {f"/P/E-v{number}/AOD" for number in range(7, 9)}
    lab.run(DAY)
    lab.world.protected.clear()
    one_more_run(lab)


def a_slow_leak(lab):
    """Each run has one orphan, which is deleted; a run may have as many."""
    lab.policy["approval"] = "Never"
    lab.policy["orphans"] |= {"maxCountPer30Days": 1}
    lab.run(2 * DAY)
    lab.world.store(NEW)
    lab.run(2 * DAY)
    lab.run(2 * DAY)


def a_data_server_is_away(lab):
    lab.runs()[-1].write_json("listing/shard-0000.json", behind(lab, ["a:1094"]))
    one_more_run(lab)


def behind(lab, servers):
    return lab.runs()[-1].read_json("listing/shard-0000.json") | {"servers": servers}


def last_run_alone(runs, policy):
    return [runs[-1]], 0


GUARDS = {
    "the gate of the inventory": Guard(f"{GATES}.inventory", ready, half_of_the_inventory_is_gone, ORPHAN),
    "the gate of health": Guard(
        f"{GATES}.listing_health", ready, the_site_looks_empty_for_weeks, b"/store/mc/E/P/AOD/v2/f02"
    ),
    "the gate of limits": Guard(f"{GATES}.limits", ready, more_orphans_than_allowed, ORPHAN),
    "confirmation": Guard(
        "dynamo_consistency.run.gates.confirmation._enough", last_run_alone, an_orphan_is_seen_for_the_first_time, NEW
    ),
    "the mode": Guard("dynamo_consistency.run.gates.facts.Facts.enforced", KINDS, a_check_that_only_reports, ORPHAN),
    "the gate of approval": Guard(f"{GATES}.approval", ready, nobody_has_approved, ORPHAN),
    "that findings are the latest": Guard(
        "dynamo_consistency.run.records.history._is_superseded", lambda *_: False, findings_of_long_ago, ORPHAN
    ),
    "the length of the lists of datasets": Guard(
        f"{FACTS}.short_lists", lambda *_: (), nothing_is_protected_any_more, ORPHAN
    ),
    "the limits over 30 days": Guard(f"{FACTS}.asked_lately", lambda *_: {}, a_slow_leak, NEW),
    "that data servers are away": Guard(f"{FACTS}.gone", lambda *_: (), a_data_server_is_away, ORPHAN),
    "a look at an orphan": Guard(f"{OBJECTIONS}.to_deletion_of_orphan", nothing, the_orphan_is_registered, ORPHAN),
    "a look at a missing file": Guard(
        f"{OBJECTIONS}.to_transfer_of_missing", nothing, the_missing_file_is_back, MISSING
    ),
    "a look at a mismatch": Guard(f"{OBJECTIONS}.to_transfer_of_mismatch", nothing, the_mismatch_is_mended, MISMATCH),
    "a look at a directory": Guard(f"{OBJECTIONS}.to_deletion_of_directory", nothing, the_directory_is_in_use, HOLLOW),
}


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_stops_what_would_happen_without_it(copied, monkeypatch, name):
    guard = GUARDS[name]
    guarded = copied()
    guard.story(guarded)
    assert guard.forbidden not in [path for _, path in guarded.asked()]
    assert guarded.world.wrongs == []

    monkeypatch.setattr(guard.place, guard.without)
    mutant = copied()
    guard.story(mutant)
    assert guard.forbidden in [path for _, path in mutant.asked()], f"it is not {name} that stops it"
    mutant.world.wrongs.clear()


def test_the_gate_of_the_first_run_and_the_confirmation_itself_each_stop_a_first_run(lab, monkeypatch):
    lab.world.store(ORPHAN)
    monkeypatch.setattr("dynamo_consistency.run.gates.confirmation._enough", last_run_alone)
    lab.run()
    assert lab.asked() == []
    monkeypatch.undo()
    monkeypatch.setattr(f"{GATES}.confirmation", ready)
    lab.act()
    assert lab.asked() == []
    monkeypatch.setattr("dynamo_consistency.run.gates.confirmation._enough", last_run_alone)
    lab.act()
    assert lab.asked() == [("delete", ORPHAN)]


def test_the_gate_of_acting_and_the_count_of_requests_each_stop_a_run_without_a_budget(copied, monkeypatch):
    lab = copied()
    there_is_no_budget(lab)
    assert lab.asked() == []
    monkeypatch.setattr(f"{GATES}.acting", ready)
    lab.act()
    assert lab.asked() == []
