"""Cron lines in time zones, through both changes of the clock of a year."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_cases import check

from dynamo_consistency.schedule import CronSchedule, schedule_of

ZONES = ["UTC", "Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
LINES = [
    "0 */6 * * *",
    "30 */2 * * *",
    "30 2 * * *",
    "0 3 * * 0",
    "0 * * * *",
    "*/30 * * * *",
    "15 2,14 * * *",
    "0 0 1 * *",
    "*/7 2 * * *",
    "@daily",
]
CHANGES = [
    datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 8), (3, 29), (4, 4), (10, 3), (10, 25), (11, 1))
]


def in_zurich(*times: str) -> list[datetime]:
    """Times as people in Zurich write them, with the hour before UTC that tells the two of autumn apart."""
    return [datetime.fromisoformat(time).astimezone(UTC) for time in times]


def first(schedule: CronSchedule, start: datetime, number: int) -> list[datetime]:
    times = [start]
    for _ in range(number):
        following = schedule.next_after(times[-1])
        assert following
        times.append(following)
    return times[1:]


IN_ZURICH = {
    "a time that is skipped in spring runs at the change": (
        "30 2 * * *",
        "2026-03-28T03:00+01:00",
        ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"],
    ),
    "a time that comes twice in autumn runs the first time": (
        "30 2 * * *",
        "2026-10-24T03:00+02:00",
        ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"],
    ),
    "every hour is every hour in autumn": (
        "0 * * * *",
        "2026-10-25T01:00+02:00",
        ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00", "2026-10-25T03:00+01:00"],
    ),
    "three o'clock on Sundays is three o'clock all year": (
        "0 3 * * 0",
        "2026-10-20T00:00+02:00",
        ["2026-10-25T03:00+01:00", "2026-11-01T03:00+01:00"],
    ),
}


@pytest.mark.parametrize("name", IN_ZURICH)
def test_in_zurich(name: str) -> None:
    line, start, expected = IN_ZURICH[name]
    schedule = CronSchedule(line, "Europe/Zurich")
    assert first(schedule, *in_zurich(start), len(expected)) == in_zurich(*expected)


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Australia/Lord_Howe", (2024, 4, 7)), ("Australia/Lord_Howe", (2024, 10, 6)), ("Europe/Zurich", (2024, 3, 31))],
)
def test_six_hourly_runs_are_six_hourly_on_the_day_of_a_change_also_by_half_an_hour(
    zone: str, day: tuple[int, int, int]
) -> None:
    place, schedule = ZoneInfo(zone), CronSchedule("0 */6 * * *", zone)
    night, morning, half_past = (datetime(*day, *at, tzinfo=place).astimezone(UTC) for at in ((0, 30), (6,), (6, 30)))
    times = [time.astimezone(place).strftime("%H:%M") for time in first(schedule, night, 4)]
    assert times == ["06:00", "12:00", "18:00", "00:00"]
    assert schedule.last_due(night, half_past) == morning


IN_LORD_HOWE = {
    "a time that is skipped runs at the change": ("15 2 * * *", "2024-10-06T00:00", ["2024-10-06T02:30+11:00"]),
    "of what is skipped only once": ("0,15 2 * * *", "2024-10-06T00:00", ["2024-10-06T02:30+11:00"]),
    "a time that comes twice runs the first time": (
        "45 1 * * *",
        "2024-04-07T00:00",
        ["2024-04-07T01:45+11:00", "2024-04-08T01:45+10:30"],
    ),
    "every quarter of an hour is every quarter when half an hour comes twice": (
        "*/15 * * * *",
        "2024-04-07T01:20",
        [
            *("2024-04-07T01:30+11:00", "2024-04-07T01:45+11:00", "2024-04-07T01:30+10:30"),
            *("2024-04-07T01:45+10:30", "2024-04-07T02:00+10:30"),
        ],
    ),
}


@pytest.mark.parametrize("name", IN_LORD_HOWE)
def test_in_lord_howe_where_the_clock_changes_by_half_an_hour(name: str) -> None:
    line, start, expected = IN_LORD_HOWE[name]
    begin = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo("Australia/Lord_Howe")).astimezone(UTC)
    times = first(CronSchedule(line, "Australia/Lord_Howe"), begin, len(expected))
    assert times == [datetime.fromisoformat(time).astimezone(UTC) for time in expected]


def test_a_daily_run_is_there_once_on_every_day_of_a_year() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    times = first(CronSchedule("30 2 * * *", "Europe/Zurich"), start, 364)
    assert [time.astimezone(ZoneInfo("Europe/Zurich")).timetuple().tm_yday for time in times] == list(range(1, 365))


@given(
    zone=st.sampled_from(ZONES),
    line=st.sampled_from(LINES),
    around=st.sampled_from(CHANGES),
    seconds=st.integers(-86_400, 2 * 86_400),
    jitter=st.sampled_from([0, 1, 3600]),
)
def test_what_was_due_last_is_the_last_of_what_came_next(
    zone: str, line: str, around: datetime, seconds: int, jitter: int
) -> None:
    """Looking back must find the same times as looking forward, or a time would be run twice, or never."""
    schedule = CronSchedule(line, zone, timedelta(seconds=jitter))
    now, since = around + timedelta(seconds=seconds), around - timedelta(days=3)
    due = None
    following = schedule.next_after(since)
    while following and schedule.due_time(following) <= now:
        due, following = following, schedule.next_after(following)
    assert schedule.last_due(since, now) == due
    if due:
        assert schedule.last_due(due, now) is None


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("minutes", range(-90, 150, 13))
def test_the_next_time_is_later_also_in_the_hour_that_comes_twice(line: str, minutes: int) -> None:
    moment = datetime(2026, 10, 25, 1, 2, 21, tzinfo=UTC) + timedelta(minutes=minutes)
    following = CronSchedule(line, "Europe/Zurich").next_after(moment)
    assert following
    assert following > moment


def test_looking_beyond_the_calendar_ends() -> None:
    assert CronSchedule("0 0 * * *", "Asia/Tokyo").next_after(datetime.max.replace(tzinfo=UTC)) is None


def test_the_longest_interval_is_what_an_alert_can_rely_on() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert CronSchedule("0 3 * * 0", "UTC").longest_interval(now) == timedelta(days=7)
    assert CronSchedule("0 3 * * 1,2", "UTC").longest_interval(now) == timedelta(days=6)
    assert CronSchedule("0 3 1 * *", "UTC").longest_interval(now) == timedelta(days=31)


def test_a_check_without_a_schedule_has_none() -> None:
    assert schedule_of(check(), "uid") is None


def test_a_schedule_without_a_zone_is_in_utc() -> None:
    schedule = schedule_of(check(schedule="@daily"), "uid")
    assert schedule
    assert schedule.text == "CRON_TZ=UTC @daily"
