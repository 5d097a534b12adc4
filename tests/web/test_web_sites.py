"""The first page as data: a row for each check, ordered by what needs a person."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from made_runs import Made, action

NOW = datetime.now(UTC)
ENFORCE = {"missing": {"mode": "Enforce"}}


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def row_of(view):
    (row,) = view.sites().rows
    return row


def trend(row, kind):
    return next(trend for trend in row.trends if trend.kind == kind)


def test_rows_are_ordered_by_what_needs_a_person_and_then_by_name(store, view):
    limits = {"Limits": ("Rejected", "too many missing"), "Approval": ("Pending", "approve it")}
    Made(site="T2_F", result="Invalid", reason="the snapshot failed").write(store)
    Made(site="T2_E", closed={"ListingHealth": ("Rejected", "only 3 of 9 files were listed")}).write(store)
    Made(site="T2_D", closed=limits).write(store)
    Made(site="T2_C", start=ago(days=3), schedule="0 3 * * *").write(store)
    Made(site="T2_B", counts={"orphans": 1}).write(store)
    Made(site="T2_A2").write(store)
    Made(site="T2_A1").write(store)
    found = [(row.site, row.state) for row in view.sites().rows]
    assert found == [
        ("T2_F", "Failed"),
        ("T2_E", "GateClosed"),
        ("T2_D", "AwaitingApproval"),
        ("T2_C", "Overdue"),
        ("T2_B", "Findings"),
        ("T2_A1", "Quiet"),
        ("T2_A2", "Quiet"),
    ]


def test_a_filter_by_text_and_state_leaves_the_numbers_of_all_rows(store, view):
    Made(site="T2_DE_RWTH", counts={"missing": 2}).write(store)
    Made(site="T2_DE_DESY").write(store)
    Made(site="T1_US_FNAL").write(store)
    page = view.sites("de_", "Findings")
    assert [row.site for row in page.rows] == ["T2_DE_RWTH"]
    assert (page.total, page.numbers["Findings"], page.numbers["Quiet"]) == (3, 1, 2)


def test_a_trend_has_the_last_twenty_runs_and_the_difference_to_the_complete_run_before(store, view):
    for day in range(25, 0, -1):
        Made(start=ago(days=day), counts={"missing": day, "missingBytes": 7 * day}).write(store)
    Made(start=ago(hours=1), result="Failed", reason="no room").write(store)
    missing = trend(row_of(view), "missing")
    assert missing.values == [*range(19, 0, -1), None]
    assert (missing.latest, missing.change, missing.bytes) == (1, -1, 7)


def test_a_run_that_failed_leaves_the_numbers_of_the_last_complete_one(store, view):
    Made(start=ago(days=1), counts={"orphans": 4}).write(store)
    Made(start=ago(hours=1), result="Invalid", reason="the inventory is empty").write(store)
    row = row_of(view)
    assert (row.state, row.last_run.result, trend(row, "orphans").latest) == ("Failed", "Invalid", 4)
    assert row.next_step == ("Mend what made the last run invalid, then run the check again: the inventory is empty.")
    assert row.age_seconds == pytest.approx((datetime.now(UTC) - ago(days=1)).total_seconds(), abs=60)


def test_requests_and_what_became_of_earlier_ones_are_counted(store, view):
    counts = {"missing": 5, "requestsRecovered": 3, "requestsRemoved": 1, "requestsQueued": 9}
    Made(counts=counts, actions={"missing": action("transfer", 5, requested=4, waiting=1)}).write(store)
    row = row_of(view)
    assert (row.requested, row.recovered) == (5, 4)
    assert row.next_step == "Nothing to do: 5 requests are made, and the next run tells what became of them."


def test_a_run_that_goes_on_is_told_beside_the_last_one(store, view):
    Made(start=ago(days=1)).write(store)
    Made(start=ago(hours=1), result=None).write(store)
    row = row_of(view)
    assert (row.state, row.last_run.result, row.running.result) == ("Quiet", "Complete", "Unfinished")


def test_a_run_that_has_not_ended_within_its_deadline_has_died(store, view):
    Made(start=ago(days=9)).write(store)
    dead = Made(start=ago(days=3), result=None)
    dead.write(store)
    row = row_of(view)
    assert (row.state, row.running, row.last_run.run_id) == ("Failed", None, dead.run_id)
    assert dead.run_id in row.next_step


def test_the_next_run_is_due_by_the_schedule_of_the_last_one(store, view):
    Made(start=ago(minutes=5), schedule="0 3 * * *").write(store)
    row = row_of(view)
    assert row.next_due > NOW
    assert (row.next_due.hour, row.next_due.minute, row.overdue_seconds) == (3, 0, 0)


def test_no_success_for_twice_the_interval_is_overdue_though_runs_begin(store, view):
    Made(start=ago(days=4), schedule="0 3 * * *").write(store)
    Made(start=ago(minutes=5), schedule="0 3 * * *", result="Failed", reason="no door").write(store)
    row = row_of(view)
    assert row.state == "Failed"
    assert row.overdue_seconds > 86400


def test_an_approval_that_other_gates_make_useless_is_not_asked_for(store, view):
    closed = {"Limits": ("Rejected", "too many"), "Approval": ("Pending", "no approval lets it act")}
    Made(closed=closed | {"Inventory": ("Rejected", "it has shrunk")}).write(store)
    row = row_of(view)
    assert (row.state, row.approve) == ("GateClosed", None)
    assert row.next_step == "Find out why the gate Inventory is closed: it has shrunk."


def test_the_run_whose_approval_is_wanted_is_named(store, view):
    made = Made(closed={"Approval": ("Pending", "approve it")}, counts={"missing": 3}, policy=ENFORCE)
    made.write(store)
    row = row_of(view)
    assert (row.state, row.approve) == ("AwaitingApproval", made.run_id)


@pytest.mark.parametrize(
    ("made", "step"),
    [
        (Made(counts={"missing": 3}), "the check only reports them"),
        (
            Made(counts={"missing": 3}, policy=ENFORCE, closed={"Confirmation": ("Pending", "the first")}),
            "have to stand in more runs",
        ),
        (Made(counts={"missing": 3}, policy=ENFORCE), "nothing was requested for them"),
        (Made(counts={"holes": 2}), "Look at the directories that could not be listed."),
        (Made(), "Nothing to do."),
        (Made(result="Invalid", reason=""), "it does not say why"),
    ],
)
def test_the_next_step_is_one_sentence(store, view, made, step):
    made.write(store)
    sentence = row_of(view).next_step
    assert step in sentence
    assert sentence.endswith(".")


def test_two_checks_of_one_site_have_a_row_each(store, view):
    Made(check="t2-x-mc", counts={"missing": 1}).write(store)
    Made(check="t2-x-data", namespace="grid").write(store)
    assert [(row.check, row.state) for row in view.sites().rows] == [
        ("t2-x-mc", "Findings"),
        ("grid/t2-x-data", "Quiet"),
    ]


def test_a_check_that_runs_seldom_is_not_hidden_by_one_that_runs_often(store, view):
    Made(check="weekly", start=ago(days=6)).write(store)
    for hour in range(40):
        Made(check="hourly", start=ago(hours=hour + 1)).write(store)
    assert [row.check for row in view.sites().rows] == ["hourly", "weekly"]


def test_runs_of_the_operator_are_ordered_with_runs_by_hand(store, view):
    by_operator = Made(start=ago(hours=2), counts={"missing": 2})
    folder = by_operator.write(store)
    minutes = int(by_operator.start.timestamp()) // 60
    folder.rename(folder.with_name(f"{minutes}-t2-x-3c1f0"))
    Made(start=ago(hours=9), counts={"missing": 9}).write(store)
    assert trend(row_of(view), "missing").values == [9, 2]


def test_what_is_no_run_is_passed_over(store, view):
    Made().write(store)
    (store / "lost+found").mkdir()
    (store / "inventory.sqlite").write_bytes(b"")
    (store / "T2_EMPTY").mkdir()
    (store / "T2_X" / "scratch").mkdir()
    (store / "T2_X" / "no-check").mkdir()
    (store / "T2_X" / "no-check" / "claim.json").write_text('{"name": "t2-x"}')
    page = view.sites()
    assert [row.site for row in page.rows] == ["T2_X"]
    assert page.problems == []


def test_a_run_dated_after_now_is_told_and_not_shown(store, view):
    Made(start=ago(hours=1), counts={"missing": 1}).write(store)
    future = Made(start=NOW + timedelta(days=2), counts={"missing": 99})
    future.write(store)
    page = view.sites()
    assert trend(page.rows[0], "missing").values == [1]
    assert [(problem.run_id, "dated after now" in problem.message) for problem in page.problems] == [
        (future.run_id, True)
    ]


def test_a_password_in_a_reason_is_not_shown(store, view):
    Made(result="Failed", reason="cannot reach mysql://reader:hunter2@db/dynamo").write(store)
    assert "hunter2" not in json.dumps(row_of(view).model_dump(mode="json"))
