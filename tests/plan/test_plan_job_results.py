"""Results of Jobs: waited for while pods may still be seen, summed over shards, done without where that is allowed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from consistency_operator.plan import DeleteJob, ListPods
from consistency_operator.plan.job_stages import GOING_WITHIN, LOOK_AGAIN, REPORTED_WITHIN
from consistency_operator.resource.status import FinishedRun, HoleRecord
from plan_cases import (
    DAY,
    FOUND,
    HOUR,
    NOW,
    RUN,
    comparison,
    job,
    planned,
    record,
    reported,
    resource,
    run_in,
    status_of,
    story,
)

LISTING = status_of(run_in("Listing", [record("Snapshot"), record("Listing")], counts={"inventoryFiles": 50}))
COMPARING = status_of(run_in("Comparison", [record("Comparison")]))
SHARDS = [
    reported("Listing", shard=n, counts={"files": 10, "directories": 3, "holes": n, "bytes": 7}) for n in range(4)
]


@pytest.mark.parametrize("state", ["Complete", "Failed"])
def test_the_words_of_pods_that_were_not_seen_yet_are_waited_for_and_asked_for(state: str) -> None:
    over = replace(comparison(), state=state, reported=False, results=(), finished=NOW)
    early = planned(resource(), COMPARING, over, now=NOW)
    assert early.actions == (ListPods(over.name, over.uid),)
    assert early.wake_at == NOW + LOOK_AGAIN
    assert story(planned(resource(), early.status, comparison(Mode="Pending"))) == "Complete/Reported"
    late = planned(resource(), early.status, over, now=NOW + REPORTED_WITHIN)
    assert story(late) == {"Complete": "Failed/ResultLost", "Failed": "Failed/ComparisonFailed"}[state]
    assert late.status.history[0].message


def test_pods_that_never_speak_are_not_waited_for_beyond_the_deadline() -> None:
    status = status_of(run_in("Comparison", [record("Comparison")], deadline_time=NOW))
    over = replace(comparison(), reported=False, results=(), finished=NOW + DAY)
    assert story(planned(resource(), status, over)) == "Failed/ResultLost"


@pytest.mark.parametrize("away", [REPORTED_WITHIN, 9 * DAY])
def test_an_operator_that_was_away_looks_at_the_pods_before_it_believes_that_they_are_silent(away: timedelta) -> None:
    over = replace(comparison(), listed=False, reported=False, results=(), finished=NOW)
    result = planned(resource(), COMPARING, over, now=NOW + away)
    assert story(result) == "Comparison + ListPods"
    assert story(planned(resource(), result.status, comparison(Mode="Pending"), now=NOW + away)) == "Complete/Reported"


def test_the_counts_of_all_shards_are_summed_beside_those_of_the_snapshot() -> None:
    holes = (HoleRecord(path="/store/mc/a", reason="timeout"),)
    shards = [replace(shard, holes=holes * 2) for shard in SHARDS]
    result = planned(resource(), LISTING, job("Listing", "Complete", results=tuple(shards), completions=4))
    run = result.status.run
    assert run
    assert run.counts == {
        "inventoryFiles": 50,
        "listedFiles": 40,
        "listedDirectories": 12,
        "holes": 6,
        "listedBytes": 28,
    }
    assert len(run.holes) == 3


FAILED_SHARDS = {
    "as many as allowed": (4, 1, "0,2-3", "1", "Comparison + CreateJob Comparison"),
    "more than allowed": (4, 1, "0,3", "1-2", "Failed/ListingFailed"),
    "none is allowed": (4, 0, "0,2-3", "1", "Failed/ListingFailed"),
    "one was not listed at all": (4, 1, "0,2", "1", "Failed/ListingFailed"),
    "all": (2, 2, "", "0-1", "Failed/ListingFailed"),
}


@pytest.mark.parametrize("name", FAILED_SHARDS)
def test_failed_shards_are_tolerated_when(name: str) -> None:
    completions, allowed, completed, failed, expected = FAILED_SHARDS[name]
    over = job(
        "Listing",
        "Failed",
        reason="FailedIndexes",
        problem="shard 1 needed more memory",
        completions=completions,
        max_failed_indexes=allowed,
        completed_indexes=completed,
        failed_indexes=failed,
        results=tuple(SHARDS[:1]),
    )
    result = planned(resource(), LISTING, over)
    assert story(result) == expected
    assert any("shard 1 needed more memory" in event.message for event in result.events)


def test_which_shards_are_done_is_told_while_the_listing_goes_on() -> None:
    going_on = job("Listing", completed_indexes="0,2", failed_indexes="1")
    run = planned(resource(), LISTING, going_on).status.run
    assert run
    [_, listing] = run.jobs
    assert (listing.completed_indexes, listing.failed_indexes) == ("0,2", "1")


def test_a_job_that_does_not_get_going_is_looked_into_and_people_are_told_why() -> None:
    status = status_of(run_in("Listing", [record("Listing", asked=NOW)]))
    hindered = job("Listing", hindered=True, idle=True, look_at="job/t2-x")
    early = planned(resource(), status, hindered)
    assert (early.actions, early.wake_at) == ((), NOW + GOING_WITHIN)
    later = planned(resource(), early.status, hindered, now=NOW + GOING_WITHIN)
    assert later.actions == (ListPods(hindered.name, hindered.uid),)
    assert later.status.run
    assert later.status.run.message.endswith("runs yet; look further with: kubectl -n grid describe job/t2-x")
    why = replace(hindered, problem="shard 0 cannot start: its image x cannot be had")
    explained = planned(resource(), later.status, why, now=NOW + GOING_WITHIN)
    assert explained.status.condition("Running") != later.status.condition("Running")
    assert explained.wake_at == NOW + 2 * GOING_WITHIN
    going = planned(resource(), explained.status, job("Listing"), now=NOW + HOUR)
    assert going.status.run
    assert going.status.run.message == ""


# ---------------------------------------------------------------------------------------------------------- retention


def past(number: int, result: str = "Complete") -> FinishedRun:
    return FinishedRun(
        id=str(number), trigger="Manual", start_time=NOW, completion_time=NOW, result=result, reason="Reported"
    )


def test_finished_jobs_beyond_the_limits_go_with_their_runs() -> None:
    history = [past(9), past(8, "Failed"), past(7), past(6, "Failed"), past(5)]
    jobs = [job(stage, "Complete", run_id=str(n)) for n in range(5, 10) for stage in ("Snapshot", "Listing")]
    jobs.append(job("Comparison", "Failed", run_id="6"))
    of = resource(successfulRunsHistoryLimit=2, failedRunsHistoryLimit=1)
    result = planned(of, status_of(history=history, last_run_id="9"), *jobs)
    gone = {action.name for action in result.actions if isinstance(action, DeleteJob)}
    assert gone == {"t2-x-5-snapshot", "t2-x-5-listing", "t2-x-6-snapshot", "t2-x-6-listing", "t2-x-6-comparison"}


def test_jobs_of_the_run_that_goes_on_stay_whatever_the_limits() -> None:
    of = resource(successfulRunsHistoryLimit=0, failedRunsHistoryLimit=0)
    jobs = [job("Snapshot", "Complete"), job("Listing")]
    assert story(planned(of, LISTING, *jobs)) == "Listing"


def test_of_runs_that_the_history_has_forgotten_the_jobs_tell_whether_they_failed() -> None:
    of = resource(successfulRunsHistoryLimit=1, failedRunsHistoryLimit=1)
    jobs = [
        job("Snapshot", "Complete", run_id="3"),
        job("Listing", "Failed", run_id="3"),
        job("Action", "Complete", run_id="4"),
    ]
    assert story(planned(of, status_of(last_run_id="9"), *jobs)) == "idle"


def test_jobs_of_others_and_of_runs_yet_unknown_are_never_deleted() -> None:
    of = resource(successfulRunsHistoryLimit=0, failedRunsHistoryLimit=0)
    jobs = [job("Snapshot", "Foreign", run_id="3"), job("Listing", "Complete", run_id="12"), job("Action", run_id="12")]
    assert story(planned(of, status_of(last_run_id="9"), *jobs)) == "idle"


def test_the_job_of_a_run_that_is_over_is_stopped_when_it_turns_up() -> None:
    """It was asked for, and the deadline passed before the watch showed it."""
    status = status_of(run_in("Listing", [record("Listing", seen=False)], deadline_time=NOW))
    over = planned(resource(), status)
    assert story(over) == "Failed/DeadlineExceeded"
    turned_up = job("Listing")
    result = planned(resource(), over.status, turned_up, now=NOW + timedelta(seconds=9))
    assert result.actions == (DeleteJob(turned_up.name, turned_up.uid),)


def test_the_history_keeps_ten_runs_newest_first() -> None:
    history = [past(number) for number in range(int(RUN) - 1, int(RUN) - 11, -1)]
    status = status_of(run_in("Comparison", [record("Comparison")]), history=history)
    after = planned(resource(), status, comparison(FOUND, Mode="Pending")).status
    assert [run.id for run in after.history] == [str(int(RUN) - n) for n in range(10)]
