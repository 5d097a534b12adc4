"""A clock that is set while a stage works: the times of that stage mean nothing, and the run proves nothing."""

import time

import pytest
from simulated import DAY

from dynamo_consistency.run import stage_clock
from dynamo_consistency.run.stage_clock import StageClock


@pytest.fixture
def set_by(monkeypatch):
    """Sets the clock that tells the time of day; the other one goes on."""
    true_time, ahead = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: true_time() + ahead[0])

    def set_clock(seconds: float) -> None:
        ahead[0] += seconds

    return set_clock


@pytest.mark.parametrize(
    ("seconds", "told"), [(59, ""), (-59, ""), (90, "forward by 90"), (-7200, "back by 7200"), (86400, "forward by")]
)
def test_a_jump_of_more_than_a_minute_either_way_is_told(set_by, seconds, told):
    clock = StageClock()
    set_by(seconds)
    why = clock.jump("the site was listed")
    assert why.startswith("while the site was listed the clock of this machine was set") if told else not why
    assert told in why


def test_hours_of_work_or_sleep_are_no_jump(set_by, monkeypatch):
    steady = time.clock_gettime(stage_clock._STEADY)
    clock = StageClock()
    set_by(40_000)
    monkeypatch.setattr(time, "clock_gettime", lambda _: steady + 40_000)
    assert not clock.jump("the site was listed")


def set_world(lab, seconds):
    """All clocks of the simulated world but the one that only counts."""
    lab.world.now += seconds


@pytest.mark.parametrize("days", [3, -3])
def test_a_listing_in_which_the_clock_is_set_is_an_invalid_run_that_asks_for_nothing(waiting, days):
    """A file that was written now would be three days old, and an orphan."""
    waiting.policy["approval"] = "Never"
    waiting.world.while_listing.append(lambda: set_world(waiting, days * DAY))
    summary = waiting.run()
    assert summary["result"] == "Invalid"
    assert summary["reason"].startswith("while the site was listed the clock of this machine was set")
    assert waiting.asked() == []


@pytest.mark.parametrize("snapshot", ["before", "after"])
def test_a_snapshot_in_which_the_clock_is_set_is_an_invalid_run_that_asks_for_nothing(waiting, snapshot):
    waiting.policy["approval"] = "Never"
    stream, snapshots = waiting.backend.inventory.stream, []

    def set_meanwhile(site):
        snapshots.append(site)
        if len(snapshots) == ("before", "after").index(snapshot) + 1:
            set_world(waiting, 3 * DAY)
        return stream(site)

    waiting.backend.inventory.stream = set_meanwhile
    summary = waiting.run()
    assert summary["result"] == "Invalid"
    assert summary["reason"].startswith("while the inventory was read the clock of this machine was set forward")
    assert waiting.asked() == []
