"""How many runs go on at a time, and whose turn it is."""

from datetime import timedelta

import pytest
from consistency_operator.plan.admission import Admitted, Claim, Queued, claim_of, decide
from consistency_operator.resource.status import Stage
from hypothesis import given
from hypothesis import strategies as st
from plan_cases import MINUTE, NOW, RUN, job, resource, run_in, status_of


def waiting(key: str, minutes: int = 0) -> Claim:
    return Claim(key, f"run of {key}", NOW + minutes * MINUTE, active=False)


def active(key: str) -> Claim:
    return Claim(key, f"run of {key}", NOW, active=True)


CLAIMS = [active("a"), waiting("b", 2), waiting("c", 1), waiting("d", 1), active("e")]


def test_those_who_have_waited_longest_get_the_free_slots() -> None:
    decided = {claim.key: decide(claim.key, CLAIMS, limit=4) for claim in CLAIMS}
    assert [key for key, value in decided.items() if isinstance(value, Admitted)] == ["c", "d"]
    assert decided["a"] is None
    behind = decided["b"]
    assert isinstance(behind, Queued)
    assert "behind d" in behind.message
    assert "4 runs" in behind.message


def test_the_first_in_the_queue_is_explained() -> None:
    decided = decide("c", CLAIMS, limit=2)
    assert isinstance(decided, Queued)
    assert "first in the queue" in decided.message


def test_one_without_a_claim_is_not_decided_about() -> None:
    assert decide("nobody", CLAIMS, limit=9) is None


@given(
    claims=st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.integers(0, 3)), unique_by=lambda claim: claim[0]),
    limit=st.integers(0, 5),
    data=st.data(),
)
def test_never_more_than_the_limit_and_no_place_stays_free(
    claims: list[tuple[int, bool, int]], limit: int, data: st.DataObject
) -> None:
    everyone = [Claim(str(key), str(key), NOW + since * MINUTE, is_active) for key, is_active, since in claims]
    shuffled = data.draw(st.permutations(everyone))
    decided = {claim.key: decide(claim.key, shuffled, limit) for claim in everyone}
    going_on = sum(claim.active for claim in everyone)
    admitted = [claim for claim in everyone if isinstance(decided[claim.key], Admitted)]
    assert len(admitted) == max(0, min(limit - going_on, len(everyone) - going_on))
    left = [claim.since for claim in everyone if isinstance(decided[claim.key], Queued)]
    assert max((claim.since for claim in admitted), default=NOW) <= min(left, default=NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("stage", "is_active"),
    [
        ("Queued", False),
        ("Preparing", True),
        ("Snapshot", True),
        ("Listing", True),
        ("Comparison", True),
        ("Action", True),
    ],
)
def test_a_run_holds_a_place_from_its_preparation_on(stage: Stage, is_active: bool) -> None:
    run = run_in(stage)
    assert claim_of(resource(), status_of(run), ()) == Claim("grid/t2-x", RUN, run.start_time, is_active)


def test_a_run_that_waits_for_a_person_holds_no_place() -> None:
    assert claim_of(resource(), status_of(run_in("AwaitingApproval")), ()) is None


def test_a_job_that_goes_on_holds_a_place_whatever_the_status_says() -> None:
    claim = claim_of(resource(), status_of(), [job("Listing", "Complete"), job("Comparison")])
    assert claim
    assert claim.active
    assert claim_of(resource(deleting=True), status_of(run_in("Queued")), [job("Comparison")]) == claim_of(
        resource(), status_of(run_in("Queued")), [job("Comparison")]
    )


def test_an_idle_check_and_one_that_is_being_deleted_claim_nothing() -> None:
    assert claim_of(resource(), status_of(), [job("Action", "Failed")]) is None
    assert claim_of(resource(deleting=True), status_of(run_in("Queued")), ()) is None
