"""What starts a run, and above all what does not: schedules, tokens, edits, suspension, clocks."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from consistency_operator import names
from consistency_operator.plan import Plan, Preflight, World, plan
from consistency_operator.plan.admission import Admitted
from consistency_operator.resource.check import Resource
from consistency_operator.resource.reasons import EventReason
from consistency_operator.resource.status import CheckStatus, FinishedRun
from plan_cases import DAY, HOUR, MINUTE, NOW, job, planned, record, resource, run_in, status_of, story

DAILY: Mapping[str, Any] = {"schedule": "0 3 * * *"}
THREE = datetime(2026, 11, 22, 3, tzinfo=UTC)


def seen_since(moment: datetime, of: Resource, **more: Any) -> CheckStatus:
    """The status of a check whose schedule has been known since then, and that has been idle."""
    return planned(of, CheckStatus(), now=moment).status.model_copy(update=more)


def started(result: Plan) -> tuple[str, str] | None:
    """Id and trigger of the run that a plan starts."""
    run = result.status.run
    return (run.id, run.trigger) if run else None


def minutes(moment: datetime) -> str:
    return str(int(moment.timestamp()) // 60)


def reasons(result: Plan) -> list[str]:
    return [event.reason for event in result.events]


# ---------------------------------------------------------------------------------------------------------- schedule


def test_a_run_starts_at_its_time_and_not_a_second_before() -> None:
    of = resource(**DAILY)
    status = seen_since(THREE - HOUR, of)
    before = planned(of, status, now=THREE - timedelta(seconds=1))
    assert started(before) is None
    assert before.wake_at == before.status.next_run_time == THREE
    at = planned(of, status, now=THREE)
    assert started(at) == (minutes(THREE), "Schedule")
    assert at.status.next_run_time == THREE + DAY
    assert at.status.last_schedule_time == THREE


def test_a_new_check_does_not_run_for_times_before_it_was_seen() -> None:
    assert started(planned(resource(**DAILY), CheckStatus(), now=THREE + MINUTE)) is None


def test_a_schedule_that_is_edited_starts_nothing_for_times_that_are_past() -> None:
    status = seen_since(THREE - 9 * DAY, resource(**DAILY), last_schedule_time=THREE)
    edited = resource(schedule="0 11 * * *")
    result = planned(edited, status, now=NOW)
    assert started(result) is None
    assert result.status.next_run_time == NOW + 23 * HOUR


@pytest.mark.parametrize("zone", ["UTC", None])
def test_another_time_zone_is_another_schedule(zone: str | None) -> None:
    status = seen_since(THREE - 9 * DAY, resource(**DAILY, timeZone="America/New_York"), last_schedule_time=THREE - DAY)
    assert started(planned(resource(**DAILY, timeZone=zone), status, now=THREE + MINUTE)) is None


def test_what_else_is_edited_does_not_touch_the_schedule() -> None:
    status = seen_since(THREE - HOUR, resource(**DAILY))
    edited = replace(resource(**DAILY, comparison={"ignore": ["/RAW"]}), generation=9)
    assert started(planned(edited, status, now=THREE)) == (minutes(THREE), "Schedule")


def test_a_suspended_check_starts_nothing_and_does_not_when_it_is_resumed() -> None:
    status = seen_since(THREE - 2 * DAY, resource(**DAILY), last_schedule_time=THREE - DAY)
    suspended = planned(resource(**DAILY, suspend=True), status, now=THREE - HOUR)
    while_suspended = planned(resource(**DAILY, suspend=True), suspended.status, now=THREE + MINUTE)
    assert started(while_suspended) is None
    assert while_suspended.status.next_run_time is None
    assert while_suspended.wake_at is None
    resumed = planned(resource(**DAILY), while_suspended.status, now=THREE + HOUR)
    assert started(resumed) is None
    assert resumed.status.next_run_time == THREE + DAY


def test_a_spec_that_was_invalid_for_a_while_is_resumed_in_the_same_way() -> None:
    of = resource(**DAILY)
    status = seen_since(THREE - 2 * DAY, of, last_schedule_time=THREE - DAY)
    broken = planned(replace(of, check=None, errors="spec.site: is missing"), status, now=THREE - HOUR)
    assert started(planned(of, broken.status, now=THREE + HOUR)) is None


def test_an_operator_that_was_away_catches_up_with_the_last_time_only() -> None:
    of = resource(**DAILY)
    status = seen_since(THREE - 5 * DAY, of, last_schedule_time=THREE - 4 * DAY)
    result = planned(of, status, now=NOW)
    assert started(result) == (minutes(THREE), "CatchUp")
    assert reasons(result) == [EventReason.RUN_MISSED]
    ended = result.status.model_copy(update={"run": None})
    assert started(planned(of, ended, now=NOW + HOUR)) is None


@pytest.mark.parametrize(("late", "runs"), [(HOUR - timedelta(seconds=1), True), (HOUR, False)])
def test_a_run_is_missed_after_its_starting_deadline(late: timedelta, runs: bool) -> None:
    of = resource(**DAILY, startingDeadlineSeconds=3600)
    status = seen_since(THREE - HOUR, of)
    result = planned(of, status, now=THREE + late)
    assert (started(result) is not None) is runs
    assert (EventReason.RUN_MISSED in reasons(result)) is not runs
    assert result.status.last_schedule_time == THREE
    assert reasons(planned(of, result.status, now=THREE + late)) == []


def test_the_jitter_is_constant_for_a_check_different_among_checks_and_within_its_bound() -> None:
    of = resource(**DAILY, jitterSeconds=7200)
    starts = set()
    for number in range(50):
        one = replace(of, uid=f"uid {number}")
        status = seen_since(THREE - HOUR, one)
        due = status.next_run_time
        assert due
        assert THREE <= due <= THREE + timedelta(seconds=7200)
        assert started(planned(one, status, now=due - timedelta(seconds=1))) is None
        assert started(planned(one, status, now=due)) == (minutes(due), "Schedule")
        assert seen_since(THREE + DAY - HOUR, one).next_run_time == due + DAY
        starts.add(due)
    assert len(starts) > 40


def test_a_shorter_jitter_does_not_start_a_time_twice() -> None:
    of = replace(resource(**DAILY, jitterSeconds=7200), uid="uid 1")
    result = planned(of, seen_since(THREE - HOUR, of), now=THREE + 2 * HOUR)
    assert started(result)
    ended = result.status.model_copy(update={"run": None})
    assert started(planned(replace(resource(**DAILY), uid="uid 1"), ended, now=THREE + 3 * HOUR)) is None


def test_while_a_run_goes_on_the_next_time_waits_and_is_then_caught_up_with() -> None:
    of = resource(schedule="0 * * * *")
    busy = seen_since(NOW - 3 * HOUR, of, last_schedule_time=NOW - 2 * HOUR, run=run_in("Listing"))
    going_on = planned(of, busy, job("Listing"))
    assert started(going_on) == (run_in("Listing").id, "Manual")
    over = planned(of, going_on.status, job("Listing", "Failed"), now=NOW + 20 * MINUTE)
    assert started(over) == (minutes(NOW), "CatchUp")
    assert over.status.history[0].reason == "ListingFailed"


# ------------------------------------------------------------------------------------------------------------ clocks


@pytest.mark.parametrize("back", [MINUTE, HOUR, 20 * HOUR])
def test_a_clock_that_goes_back_runs_no_time_twice(back: timedelta) -> None:
    of = resource(**DAILY)
    status = planned(of, seen_since(THREE - HOUR, of), now=THREE).status.model_copy(update={"run": None})
    for now in (THREE - back, THREE - MINUTE, THREE, THREE + MINUTE):
        result = planned(of, status, now=now)
        assert started(result) is None
        status = result.status
    assert started(planned(of, status, now=THREE + DAY)) == (minutes(THREE + DAY), "Schedule")


def test_a_clock_that_goes_back_and_a_suspension_together_run_no_time_twice() -> None:
    of = resource(**DAILY)
    ran = planned(of, seen_since(THREE - HOUR, of), now=THREE).status.model_copy(update={"run": None})
    suspended = planned(resource(**DAILY, suspend=True), ran, now=THREE - HOUR).status
    resumed = planned(of, suspended, now=THREE - HOUR).status
    assert started(planned(of, resumed, now=THREE + MINUTE)) is None


def test_after_a_clock_that_was_years_ahead_the_next_run_is_as_if_it_never_had_been() -> None:
    """Its id is not dated in the future either: such a run confirms nothing."""
    of, years = resource(**DAILY), 700 * DAY
    far = planned(of, seen_since(THREE - HOUR, of), now=THREE + years)
    assert started(far) == (minutes(THREE + years), "Schedule")
    past = FinishedRun(
        id=minutes(THREE + years),
        trigger="Schedule",
        start_time=THREE + years,
        completion_time=THREE + years,
        result="Complete",
        reason="Reported",
    )
    ended = far.status.model_copy(update={"run": None, "history": [past]})
    back = planned(of, ended, now=THREE + HOUR)
    assert started(back) is None
    assert back.status.next_run_time == THREE + DAY
    result = planned(of, back.status, now=THREE + DAY)
    assert started(result) == (minutes(THREE + DAY), "Schedule")
    failed = planned(
        of, result.status.model_copy(update={"run": run_in("Listing", id=minutes(THREE + DAY))}), now=THREE + 9 * DAY
    )
    assert [run.id for run in failed.status.history] == [minutes(THREE + DAY), past.id]


def test_a_run_that_began_by_a_clock_that_was_years_ahead_has_the_deadlines_of_now() -> None:
    ahead = NOW + 700 * DAY
    run = run_in("Snapshot", [record("Snapshot", seen=False, asked=ahead)], start_time=ahead, deadline_time=ahead + DAY)
    healed = planned(resource(), status_of(run)).status.run
    assert healed
    assert (healed.start_time, healed.deadline_time) == (NOW, NOW + 2 * DAY)
    again = planned(resource(), status_of(healed), now=NOW + 2 * MINUTE)
    assert story(again) == "Snapshot + CreateJob Snapshot"


# ------------------------------------------------------------------------------------------------------------ tokens


def test_a_token_starts_one_run_and_the_schedule_stays() -> None:
    of = resource(**DAILY, trigger={"manual": "now"})
    status = seen_since(THREE + HOUR, resource(**DAILY))
    result = planned(of, status)
    assert started(result) == (minutes(NOW), "Manual")
    assert result.status.last_manual_trigger == "now"
    assert result.status.next_run_time == THREE + DAY
    ended = result.status.model_copy(update={"run": None})
    assert started(planned(of, ended, now=NOW + HOUR)) is None
    assert started(planned(of, ended, now=THREE + DAY)) == (minutes(THREE + DAY), "Schedule")


def test_a_token_that_is_taken_away_starts_nothing() -> None:
    assert started(planned(resource(), status_of(last_manual_trigger="before"))) is None


def test_the_annotation_starts_one_run() -> None:
    of = resource({names.ANNOTATION_REQUESTED_AT: "2026-11-22T12:00:00Z"})
    result = planned(of, status_of())
    assert started(result) == (minutes(NOW), "Requested")
    assert started(planned(of, result.status.model_copy(update={"run": None}), now=NOW + HOUR)) is None


def test_one_run_serves_all_that_ask_at_the_same_time() -> None:
    of = resource({names.ANNOTATION_REQUESTED_AT: "x"}, **DAILY, trigger={"manual": "now"})
    result = planned(of, seen_since(THREE - HOUR, resource(**DAILY)), now=THREE)
    assert started(result) == (minutes(THREE), "Schedule")
    assert started(planned(of, result.status.model_copy(update={"run": None}), now=THREE + MINUTE)) is None


def test_a_token_waits_until_a_suspended_check_is_resumed() -> None:
    token = {"trigger": {"manual": "now"}}
    suspended = planned(resource(**token, suspend=True), status_of())
    assert started(suspended) is None
    assert started(planned(resource(**token), suspended.status)) == (minutes(NOW), "Manual")


def test_two_runs_in_one_minute_have_different_ids_and_the_later_one_the_greater() -> None:
    first = planned(resource(trigger={"manual": "1"}), status_of())
    ended = first.status.model_copy(update={"run": None})
    second = planned(resource(trigger={"manual": "2"}), ended, now=NOW + timedelta(seconds=9))
    assert [started(first), started(second)] == [(minutes(NOW), "Manual"), (minutes(NOW + MINUTE), "Manual")]


@pytest.mark.parametrize("lost", ["the status", "all but the history", "nothing"])
def test_ids_grow_also_after_parts_of_the_status_were_lost(lost: str) -> None:
    run_id = str(int(minutes(NOW)) + 5)
    past = FinishedRun(
        id=run_id, trigger="Manual", start_time=NOW, completion_time=NOW, result="Complete", reason="Reported"
    )
    status = {
        "the status": CheckStatus(),
        "all but the history": CheckStatus(history=[past]),
        "nothing": CheckStatus(last_run_id=run_id),
    }
    jobs = [job("Comparison", "Complete", run_id=run_id)] if lost == "the status" else []
    result = planned(resource(trigger={"manual": "1"}), status[lost], *jobs)
    assert started(result) == (str(int(run_id) + 1), "Manual")


def test_a_schedule_has_a_starting_deadline_also_where_the_check_names_none() -> None:
    of = resource(schedule="0 3 * * 0")
    sunday = datetime(2026, 11, 22, 3, tzinfo=UTC)
    status = planned(of, seen_since(sunday - HOUR, of), now=sunday).status
    assert status.run
    assert status.run.starting_deadline_time == sunday + DAY
    assert started(planned(of, seen_since(sunday - HOUR, of), now=sunday + DAY)) is None


def test_a_run_that_is_withdrawn_stands_in_the_history_and_changes_no_condition() -> None:
    of = resource(trigger={"manual": "now"})
    queued = planned(of, status_of()).status
    withdrawn = planned(resource(trigger={"manual": "now"}, suspend=True), queued)
    [past] = withdrawn.status.history
    assert (past.id, past.result, past.reason) == (minutes(NOW), "Withdrawn", "Withdrawn")
    assert "the check is suspended" in past.message
    assert withdrawn.status.condition("Succeeded") == queued.condition("Succeeded")
    assert reasons(withdrawn) == [EventReason.RUN_MISSED]


def test_what_makes_a_run_be_withdrawn_is_told_before_that() -> None:
    queued = planned(resource(trigger={"manual": "now"}), status_of()).status
    broken = replace(resource(), check=None, errors="spec.site: is missing", generation=5)
    assert reasons(planned(broken, queued)) == [EventReason.INVALID_SPEC, EventReason.RUN_MISSED]


# ---------------------------------------------------------------------------------------------- one run at a time


def test_no_run_starts_while_a_job_of_an_earlier_one_goes_on() -> None:
    of = resource(trigger={"manual": "now"})
    status = status_of(last_run_id=minutes(NOW - HOUR))
    stray = job("Listing", run_id=minutes(NOW - HOUR))
    result = planned(of, status, stray)
    assert story(result) == "idle + DeleteJob"
    assert story(planned(of, result.status, replace(stray, deleting=True))) == "idle"
    assert started(planned(of, result.status)) == (minutes(NOW), "Manual")


def test_a_job_that_the_status_knows_nothing_of_is_left_alone_and_waited_for() -> None:
    """The status that is planned from may be old, or may have been lost."""
    of = resource(trigger={"manual": "now"})
    unknown = job("Listing", run_id=minutes(NOW - HOUR))
    assert story(planned(of, CheckStatus(), unknown)) == "idle"
    over = job("Listing", "Complete", run_id=minutes(NOW - HOUR))
    assert started(planned(of, CheckStatus(), over)) == (minutes(NOW), "Manual")


def test_a_job_of_somebody_else_is_no_reason_to_wait() -> None:
    foreign = job("Listing", "Foreign", run_id=minutes(NOW - HOUR))
    assert started(planned(resource(trigger={"manual": "now"}), status_of(), foreign)) == (minutes(NOW), "Manual")


def test_the_next_run_replaces_one_that_nobody_approves() -> None:
    of = resource(trigger={"manual": "now"})
    result = planned(of, status_of(run_in("AwaitingApproval", counts={"missing": 3})))
    assert started(result) == (minutes(NOW), "Manual")
    past = result.status.history[0]
    assert (past.result, past.reason) == ("Complete", "NotApproved")


def test_a_run_that_begins_in_the_queue_notes_the_spec_that_it_will_have() -> None:
    of = resource(trigger={"manual": "now"})
    status = planned(of, status_of()).status
    edited = replace(of, generation=7)
    run = status.run
    assert run
    admitted = plan(edited, status, (), NOW, World(Admitted(run.id), Preflight(run.id, NOW, ok=True)))
    assert story(admitted) == "Snapshot + CreateJob Snapshot"
    assert admitted.status.run
    assert admitted.status.run.generation == 7
    assert admitted.status.last_run_time == NOW
    assert reasons(admitted) == [EventReason.RUN_STARTED]


def test_a_run_is_not_approved_before_it_is_there() -> None:
    """As where a check that waits for approval is deleted, and made again within the minute with the approval in it."""
    for of in (
        resource(trigger={"manual": "now"}, approve={"run": minutes(NOW)}),
        resource({names.ANNOTATION_APPROVE: minutes(NOW)}, trigger={"manual": "now"}),
    ):
        assert started(planned(of, status_of())) == (minutes(NOW + MINUTE), "Manual")
