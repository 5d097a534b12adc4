"""How many runs go on at a time, and whose turn it is."""

from typing import get_args

import pytest
from consistency_operator.plan.admission import Admitted, Claim, ClaimState, Places, Queued, admitted, claim_of, decide
from consistency_operator.resource.status import Run, Trial
from hypothesis import given
from hypothesis import strategies as st
from plan_cases import MINUTE, NOW, RUN, job, resource, run_in, status_of


def waiting(key: str, minutes: int = 0) -> Claim:
    return Claim(key, f"run of {key}", NOW + minutes * MINUTE, "Queued")


def active(key: str) -> Claim:
    return Claim(key, f"run of {key}", NOW, "Going")


CLAIMS = [active("a"), waiting("b", 2), waiting("c", 1), waiting("d", 1), active("e")]


def test_those_who_have_waited_longest_get_the_free_slots() -> None:
    decided = {claim.key: decide(claim.key, CLAIMS, Places(4)) for claim in CLAIMS}
    assert [key for key, value in decided.items() if isinstance(value, Admitted)] == ["c", "d"]
    assert decided["a"] is None
    behind = decided["b"]
    assert isinstance(behind, Queued)
    assert "behind d" in behind.message
    assert "4 runs" in behind.message


def test_the_first_in_the_queue_is_explained() -> None:
    decided = decide("c", CLAIMS, Places(2))
    assert isinstance(decided, Queued)
    assert "first in the queue" in decided.message


def test_one_without_a_claim_is_not_decided_about() -> None:
    assert decide("nobody", CLAIMS, Places(9)) is None


STATES = st.sampled_from(get_args(ClaimState))


@given(
    claims=st.lists(
        st.tuples(st.integers(0, 30), STATES, st.integers(0, 3), st.sampled_from("xyz")),
        unique_by=lambda claim: claim[0],
    ),
    places=st.builds(Places, st.integers(0, 12), asking=st.integers(1, 4), shared=st.booleans()),
    data=st.data(),
)
def test_never_more_than_the_limit_and_no_place_stays_free(
    claims: list[tuple[int, ClaimState, int, str]], places: Places, data: st.DataObject
) -> None:
    everyone = [Claim(str(key), str(key), NOW + since * MINUTE, state, of) for key, state, since, of in claims]
    shuffled = data.draw(st.permutations(everyone))
    decided = {claim.key: decide(claim.key, shuffled, places) for claim in everyone}
    going_on = sum(claim.active for claim in everyone)
    begin = [claim for claim in everyone if isinstance(decided[claim.key], Admitted)]
    left = [claim for claim in everyone if isinstance(decided[claim.key], Queued)]
    assert begin == [claim for claim in everyone if claim in admitted(shuffled, places)]
    assert len(begin) <= max(0, places.limit - going_on)
    for backend in "xyz":
        of_it = [claim for claim in (*begin, *everyone) if claim.backend == backend]
        begins = sum(claim.backend == backend for claim in begin)
        assert not begins or sum(claim.active for claim in of_it) + begins <= places.share
        assert not begins or sum(claim.state == "Asking" for claim in of_it) + begins <= places.asking
    stalled = max(0, sum(claim.state == "Stalled" for claim in everyone) - places.limit)
    if going_on + stalled + len(begin) < places.limit:
        assert all(is_kept_back(claim, [*everyone, *begin], places, begin) for claim in left)


def is_kept_back(mine: Claim, everyone: list[Claim], places: Places, begin: list[Claim]) -> bool:
    """Has its backend its share of the places, or enough runs that ask it?"""
    of_it = [claim for claim in everyone if claim.backend == mine.backend]
    begins = sum(claim in begin for claim in of_it) // 2
    asking = sum(claim.state == "Asking" for claim in of_it) + begins
    silent = any(claim.state == "Silent" for claim in of_it)
    return sum(claim.active for claim in of_it) + begins >= places.share or asking >= (1 if silent else places.asking)


@pytest.mark.parametrize(
    ("limit", "shared", "share"), [(20, False, 20), (20, True, 18), (7, True, 6), (2, True, 1), (1, True, 1)]
)
def test_where_there_are_other_backends_a_tenth_of_the_places_is_kept_for_them(
    limit: int, shared: bool, share: int
) -> None:
    assert Places(limit, shared=shared).share == share


def of(backend: str, state: ClaimState, number: int = 1) -> list[Claim]:
    return [Claim(f"{backend}/{state}/{n}", "1", NOW + n * MINUTE, state, backend) for n in range(number)]


def test_of_a_backend_that_does_not_answer_one_run_asks_at_a_time() -> None:
    queue = [*of("dead", "Queued", 9), *of("live", "Queued", 9)]
    begin = admitted([*of("dead", "Silent"), *queue], Places(20, asking=4, shared=True))
    assert [claim.backend for claim in begin].count("dead") == 1
    assert [claim.backend for claim in begin].count("live") == 4
    unknown = admitted(queue, Places(20, asking=4, shared=True))
    assert [claim.backend for claim in unknown].count("dead") == 4
    waits = decide("dead/Queued/8", [*of("dead", "Silent"), *queue], Places(20, asking=4))
    assert isinstance(waits, Queued)
    assert waits.message == "waits behind others that ask the backend dead, which does not answer"


def test_runs_that_have_given_their_places_up_do_so_for_no_more_others_than_there_are_places() -> None:
    """All of them may go on at the same moment."""
    queue = of("one", "Queued", 9)
    assert len(admitted([*of("one", "Stalled", 3), *queue], Places(3))) == 3
    assert len(admitted([*of("one", "Stalled", 4), *queue], Places(3))) == 2
    assert len(admitted([*of("one", "Stalled", 7), *queue], Places(3))) == 0


SILENT = Trial(attempts=1, reason="BackendUnreachable", message="no", time=NOW, next_time=NOW + MINUTE)
CLAIMED: dict[str, tuple[Run, ClaimState | None]] = {
    "in the queue": (run_in("Queued"), "Queued"),
    "its backend is asked": (run_in("Preparing"), "Asking"),
    "its backend does not answer": (run_in("Preparing", preflight=SILENT), "Silent"),
    "its site is not ready": (
        run_in("Preparing", preflight=SILENT.model_copy(update={"reason": "SiteNotReady"})),
        None,
    ),
    "it goes on": (run_in("Listing"), "Going"),
    "its Job is refused": (run_in("Action", waits_for="JobRefused"), "Stalled"),
    "its spec is not valid": (run_in("Comparison", waits_for="InvalidSpec"), "Stalled"),
    "it waits for a person": (run_in("AwaitingApproval"), None),
}


@pytest.mark.parametrize("name", CLAIMED)
def test_a_run_holds_a_place_as_long_as_it_goes_on(name: str) -> None:
    run, state = CLAIMED[name]
    claim = claim_of(resource(), status_of(run), ())
    assert claim == (Claim("grid/t2-x", RUN, run.start_time, state, "default") if state else None)


@pytest.mark.parametrize(("waits_for", "state"), [(None, "Going"), ("PodsWaiting", "Stalled")])
def test_a_job_without_a_pod_that_runs_gives_its_place_up(waits_for: str | None, state: ClaimState) -> None:
    claim = claim_of(resource(), status_of(run_in("Listing", waits_for=waits_for)), [job("Listing", hindered=True)])
    assert claim
    assert claim.state == state


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
