"""After the comparison: what gates, findings and approvals let happen, and what is reported of it."""

from dataclasses import replace
from typing import Any

import pytest
from consistency_operator import names
from consistency_operator.cluster.job_state import JobState
from consistency_operator.plan import CreateJob, Plan
from consistency_operator.resource.check import Resource
from consistency_operator.resource.reasons import EventReason
from consistency_operator.resource.status import Approval, Requests
from plan_cases import (
    CLEAN,
    DAY,
    FOUND,
    HOUR,
    NOW,
    RUN,
    comparison,
    gates,
    invalid,
    job,
    planned,
    record,
    reported,
    resource,
    run_in,
    status_of,
    story,
)

APPROVED = resource({names.ANNOTATION_APPROVE: RUN})
COMPARING = status_of(run_in("Comparison", [record("Comparison")], artifacts={}))
WAITING = status_of(run_in("AwaitingApproval", counts=FOUND, gates=list(gates(Approval="Pending")), deadline_time=NOW))
ACTING = status_of(run_in("Action", [record("Action")], counts=FOUND, gates=list(gates())))


def reasons(result: Plan) -> list[str]:
    return [event.reason for event in result.events]


VERDICTS: dict[str, tuple[JobState, Resource, str]] = {
    "all gates are open": (comparison(), resource(), "Action + CreateJob Action"),
    "nothing found": (comparison(CLEAN), resource(), "Complete/NothingToDo"),
    "nothing found, only reports": (comparison(CLEAN, Mode="Pending"), resource(), "Complete/NothingToDo"),
    "only reports": (comparison(Mode="Pending"), resource(), "Complete/Reported"),
    "not confirmed yet": (comparison(Confirmation="Pending"), resource(), "Complete/Reported"),
    "an unhealthy listing": (comparison(ListingHealth="Rejected"), resource(), "Complete/GateClosed"),
    "an unhealthy listing that shows nothing": (
        comparison(CLEAN, ListingHealth="Rejected"),
        resource(),
        "Complete/GateClosed",
    ),
    "approval is required": (comparison(Approval="Pending"), resource(), "AwaitingApproval"),
    "limits exceeded, approval would do": (
        comparison(Approval="Pending", Limits="Rejected"),
        resource(),
        "AwaitingApproval",
    ),
    "limits exceeded, nobody is asked": (comparison(Limits="Rejected"), resource(), "Complete/GateClosed"),
    "approval would not be enough": (
        comparison(Approval="Pending", Confirmation="Pending"),
        resource(),
        "Complete/Reported",
    ),
    "approval would not help an unhealthy listing": (
        comparison(Approval="Pending", ListingHealth="Rejected"),
        resource(),
        "Complete/GateClosed",
    ),
    "the approval came too late": (comparison(Approval="Rejected"), resource(), "Complete/GateClosed"),
    "approved in advance": (comparison(Approval="Pending"), APPROVED, "Action + CreateJob Action"),
    "approved in advance, but unhealthy": (
        comparison(Approval="Pending", ListingHealth="Rejected"),
        APPROVED,
        "Complete/GateClosed",
    ),
    "the pod was gone": (job("Comparison", "Complete"), resource(), "Failed/ResultLost"),
    "the gates did not fit into the message": (
        job("Comparison", "Complete", results=(reported("Comparison", counts=FOUND),)),
        resource(),
        "Failed/ResultLost",
    ),
    "the counts did not fit into the message": (
        job("Comparison", "Complete", results=(reported("Comparison", gates=gates()),)),
        resource(),
        "Failed/ResultLost",
    ),
    "an invalid run": (
        job("Comparison", "Failed", results=(replace(reported("Comparison"), result="Invalid", message="empty"),)),
        resource(),
        "Invalid/InvalidRun",
    ),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_after_the_comparison_when(name: str) -> None:
    compared, of, expected = VERDICTS[name]
    assert story(planned(of, COMPARING, compared)) == expected


@pytest.mark.parametrize("gate", [gate.name for gate in gates()])
@pytest.mark.parametrize("state", ["Pending", "Rejected"])
@pytest.mark.parametrize("of", [resource(), APPROVED])
def test_a_gate_that_is_not_open_keeps_the_action_from_starting(gate: str, state: str, of: Resource) -> None:
    result = planned(of, COMPARING, comparison(**{gate: state}))
    lifted = of is APPROVED and (gate, state) == ("Approval", "Pending")
    assert ("CreateJob Action" in story(result)) is lifted


# ---------------------------------------------------------------------------------------------------------- approval


@pytest.mark.parametrize(
    ("of", "via"), [(APPROVED, "Annotation"), (resource(approve={"run": RUN}), "Spec")], ids=["annotation", "spec"]
)
def test_an_approval_lets_the_run_act_with_a_deadline_of_its_own(of: Resource, via: str) -> None:
    result = planned(of, WAITING)
    assert result.actions == (CreateJob("Action", RUN, approved=True, seconds_left=172_800),)
    run = result.status.run
    assert run
    assert run.approval == Approval(via=via)
    assert run.deadline_time == NOW + 2 * DAY


@pytest.mark.parametrize("run_id", ["", "1", RUN + "0", f" {RUN}", str(int(RUN) + 1)])
def test_the_approval_of_another_run_does_not_count(run_id: str) -> None:
    assert story(planned(resource({names.ANNOTATION_APPROVE: run_id}), WAITING)) == "AwaitingApproval"
    if run_id:
        assert story(planned(resource(approve={"run": run_id}), WAITING)) == "AwaitingApproval"


def test_an_approval_counts_once_the_spec_is_valid_again() -> None:
    broken = replace(invalid(), annotations=APPROVED.annotations)
    assert story(planned(broken, WAITING)) == "AwaitingApproval"
    assert story(planned(APPROVED, WAITING)) == "Action + CreateJob Action"


def test_an_approval_goes_before_the_next_run() -> None:
    of = replace(APPROVED, check=resource(trigger={"manual": "now"}).check)
    assert story(planned(of, WAITING)) == "Action + CreateJob Action"


def test_an_action_without_an_approval_is_not_told_of_one() -> None:
    [action] = planned(resource(), COMPARING, comparison()).actions
    assert isinstance(action, CreateJob)
    assert not action.approved


def fields(manager: str, time: str, **owned: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "time": time, "fieldsType": "FieldsV1", "fieldsV1": owned}


OTHERS = fields("helm", "2026-11-22T11:59:00Z", **{"f:spec": {"f:site": {}}})
BY_ANNOTATION = {"f:metadata": {"f:annotations": {".": {}, "f:consistency.dynamo.io/approve": {}}}}
BY_SPEC = {"f:spec": {"f:approve": {"f:run": {}}, "f:site": {}}}


def test_it_is_told_who_has_set_the_annotation() -> None:
    managed = (OTHERS, fields("kubectl-annotate", "2026-11-22T10:00:00Z", **BY_ANNOTATION))
    run = planned(replace(APPROVED, managed_fields=managed), WAITING).status.run
    assert run
    assert run.approval == Approval(via="Annotation", manager="kubectl-annotate", time=NOW - 2 * HOUR)


def test_it_is_told_who_last_had_the_field_of_the_spec() -> None:
    managed = (
        fields("flux", "2026-11-22T11:00:00Z", **BY_SPEC),
        fields("kubectl-edit", "2026-11-01T11:00:00Z", **BY_SPEC),
        OTHERS,
    )
    run = planned(replace(resource(approve={"run": RUN}), managed_fields=managed), WAITING).status.run
    assert run
    assert run.approval == Approval(via="Spec", manager="flux", time=NOW - HOUR)


# ------------------------------------------------------------------------------------------------------------ telling


def test_a_run_that_waits_for_approval_says_so_and_what_for() -> None:
    result = planned(resource(), COMPARING, comparison(Approval="Pending", Limits="Rejected"))
    assert reasons(result) == [EventReason.STAGE_COMPLETED, EventReason.APPROVAL_REQUIRED]
    running = result.status.condition("Running")
    assert running
    assert (running.status, running.reason) == ("True", "AwaitingApproval")
    assert "3 missing, 40 orphans, 2 empty directories" in running.message
    assert "Limits is Rejected" in running.message
    assert result.status.last_successful_run_time == NOW


def test_closed_gates_are_told_as_a_warning() -> None:
    result = planned(resource(), COMPARING, comparison(Inventory="Rejected"))
    assert reasons(result) == [EventReason.STAGE_COMPLETED, EventReason.GATE_CLOSED, EventReason.RUN_SUCCEEDED]
    assert [event.type for event in result.events] == ["Normal", "Warning", "Normal"]


@pytest.mark.parametrize(
    ("counts", "status", "reason"), [(FOUND, "False", "Findings"), (CLEAN, "True", "NothingFound")]
)
def test_the_verdict_on_the_site_is_a_condition(counts: dict[str, int], status: str, reason: str) -> None:
    consistent = planned(resource(), COMPARING, comparison(counts)).status.condition("Consistent")
    assert consistent
    assert (consistent.status, consistent.reason) == (status, reason)


def test_a_run_that_fails_leaves_the_verdict_of_the_one_before_in_force() -> None:
    before = planned(resource(), COMPARING, comparison()).status
    failing = before.model_copy(update={"run": run_in("Listing", [record("Listing")], id=RUN)})
    after = planned(resource(), failing, job("Listing", "Failed"), now=NOW + HOUR).status
    assert after.condition("Consistent") == before.condition("Consistent")
    assert after.condition("Succeeded") != before.condition("Succeeded")


DONE = reported(
    "Action",
    gates=gates(),
    requests=(
        ("transfer", Requests(kind="missing", confirmed=3, requested=2, skipped={"it is back": 1})),
        ("delete", Requests(kind="orphans", confirmed=40, requested=30, refused={"no such replica": 10})),
        ("delete", Requests(kind="emptyDirectories", requested=2)),
    ),
    artifacts=(("actions", "actions.parquet"),),
)


def test_what_the_action_has_requested_is_told_by_kind() -> None:
    result = planned(resource(), ACTING, job("Action", "Complete", results=(DONE,)))
    past = result.status.history[0]
    assert [(done.kind, done.requested) for done in past.transfers] == [("missing", 2)]
    assert [(done.kind, done.requested) for done in past.deletions] == [("orphans", 30), ("emptyDirectories", 2)]
    assert past.deletions[0].refused == {"no such replica": 10}
    assert past.artifacts == {"actions": "actions.parquet"}
    assert past.message.endswith("; requested: 32 deletions, 2 transfers")
    assert reasons(result) == [EventReason.ACTIONS_REQUESTED, EventReason.RUN_SUCCEEDED]


def test_one_is_one_and_what_an_earlier_request_waits_for_is_said() -> None:
    """Else "0 requested" looks as if nobody took care of them."""
    asked = (
        ("delete", Requests(kind="orphans", confirmed=40, requested=0, waiting=40)),
        ("transfer", Requests(kind="missing", requested=1)),
    )
    counts = {"missing": 1, "orphans": 40, "mismatches": 1, "emptyDirectories": 1}
    acting = status_of(run_in("Action", [record("Action")], counts=counts, gates=list(gates())))
    over = job("Action", "Complete", results=(replace(DONE, requests=asked),))
    past = planned(resource(), acting, over).status.history[0]
    assert past.message == (
        "1 missing, 40 orphans, 1 mismatch, 1 empty directory; requested: 0 deletions, 1 transfer; for 40 findings a "
        "request of an earlier run still waits"
    )


def test_an_action_that_failed_tells_what_was_requested_until_then() -> None:
    failed = job("Action", "Failed", results=(replace(DONE, result="Failed", exit_code=1),), problem="the site is gone")
    result = planned(resource(), ACTING, failed)
    past = result.status.history[0]
    assert (past.result, past.reason, past.message) == ("Failed", "ActionFailed", "the site is gone")
    assert sum(done.requested for done in past.deletions) == 32


def test_an_action_that_finds_a_gate_closed_has_requested_nothing_and_says_so() -> None:
    closed = reported("Action", gates=gates(Acting="Rejected"))
    assert story(planned(resource(), ACTING, job("Action", "Complete", results=(closed,)))) == "Complete/GateClosed"


def test_an_action_whose_result_was_lost_is_not_done_again() -> None:
    result = planned(resource(), ACTING, job("Action", "Complete"))
    assert story(result) == "Complete/Completed"
    assert "actions.parquet" in result.status.history[0].message


@pytest.mark.parametrize(
    ("counts", "closed"),
    [(CLEAN, {}), (FOUND, {"Mode": "Pending"}), (FOUND, {"Limits": "Rejected"}), (FOUND, {"Approval": "Pending"})],
)
def test_an_unmerged_area_that_is_not_judged_is_told_however_the_run_ends(counts: Any, closed: dict[str, str]) -> None:
    (result,) = comparison(counts, **closed).results
    result = replace(result, unmerged_trouble="its list is empty")
    after = planned(resource(), COMPARING, job("Comparison", "Complete", results=(result,))).status
    message = after.run.message if after.run else after.history[0].message
    assert "; nothing of the unmerged area is deleted: its list is empty" in message


def test_it_is_told_after_the_action_as_well() -> None:
    asking = run_in(
        "Action", [record("Action")], counts=FOUND, gates=list(gates()), unmerged_trouble="its list is empty"
    )
    ended = planned(resource(), status_of(asking), job("Action", "Complete", results=(DONE,))).status.history[0]
    assert "; nothing of the unmerged area is deleted: its list is empty; requested: " in ended.message
