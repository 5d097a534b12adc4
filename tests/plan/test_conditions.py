"""Conditions by Kubernetes' conventions: what they say of a check, when they change, and when nothing is written."""

from dataclasses import replace

import pytest
from consistency_operator.plan import World
from consistency_operator.resource.check import Resource
from consistency_operator.resource.reasons import EventReason
from consistency_operator.resource.status import CheckStatus
from plan_cases import (
    DAY,
    HOUR,
    NOW,
    SUNDAYS,
    comparison,
    invalid,
    job,
    planned,
    record,
    resource,
    run_in,
    status_of,
)

SPECS: dict[str, tuple[Resource, dict[str, tuple[str, str]]]] = {
    "with a schedule": (resource(**SUNDAYS), {"Ready": ("True", "Scheduled")}),
    "without one": (resource(), {"Ready": ("True", "ManualOnly")}),
    "suspended": (resource(**SUNDAYS, suspend=True), {"Ready": ("True", "Suspended")}),
    "invalid": (invalid(), {"Ready": ("False", "InvalidSpec"), "Stalled": ("True", "InvalidSpec")}),
}
NEW = {"Running": ("False", "Idle"), "Succeeded": ("Unknown", "NoRunYet"), "Consistent": ("Unknown", "NeverCompared")}


def conditions(status: CheckStatus) -> dict[str, tuple[str, str]]:
    return {condition.type: (condition.status, condition.reason) for condition in status.conditions}


@pytest.mark.parametrize("name", SPECS)
def test_a_new_check_has_all_its_conditions_at_first_sight(name: str) -> None:
    of, expected = SPECS[name]
    status = planned(of, CheckStatus()).status
    assert conditions(status) == expected | NEW
    assert status.observed_generation == of.generation
    assert {condition.observed_generation for condition in status.conditions} == {of.generation}


@pytest.mark.parametrize("name", ["with a schedule", "without one", "suspended"])
def test_a_run_that_goes_on_or_fails_does_not_touch_ready(name: str) -> None:
    """Flux and Argo CD would wait for it for days."""
    of, expected = SPECS[name]
    status = planned(of, status_of(run_in("Listing", [record("Listing")])), job("Listing")).status
    assert conditions(status)["Ready"] == expected["Ready"]
    failed = planned(of, status, job("Listing", "Failed")).status
    assert conditions(failed)["Ready"] == expected["Ready"]
    assert "Stalled" not in conditions(failed)
    assert conditions(failed)["Succeeded"] == ("False", "ListingFailed")


def test_what_is_corrected_is_not_stalled_any_more() -> None:
    broken = planned(invalid(), CheckStatus()).status
    corrected = planned(resource(), broken).status
    assert conditions(corrected)["Ready"] == ("True", "ManualOnly")
    assert "Stalled" not in conditions(corrected)


@pytest.mark.parametrize("name", ["with a schedule", "without one", "suspended"])
def test_roots_that_overlap_with_those_of_another_check_are_told_of(name: str) -> None:
    of, expected = SPECS[name]
    world = World(overlaps=("grid/t2-y: /store/mc",))
    first = planned(of, CheckStatus(), world=world)
    overlapping = first.status.condition("Overlapping")
    assert overlapping
    assert overlapping.message == "its roots overlap with those of grid/t2-y: /store/mc"
    assert conditions(first.status) == expected | NEW | {"Overlapping": ("True", "RootsOverlap")}
    assert [(event.reason, event.type) for event in first.events] == [("RootsOverlap", "Warning")]
    assert planned(of, first.status, world=world).events == ()
    apart = planned(of, first.status)
    assert conditions(apart.status) == expected | NEW
    assert apart.events == ()


def test_an_invalid_spec_is_told_once_and_again_when_it_is_invalid_in_another_way() -> None:
    first = planned(invalid("spec.site: is missing"), CheckStatus())
    again = planned(invalid("spec.site: is missing"), first.status, now=NOW + HOUR)
    other = planned(invalid("spec.backend: is missing"), again.status, now=NOW + HOUR)
    assert [[event.reason for event in result.events] for result in (first, again, other)] == [
        [EventReason.INVALID_SPEC],
        [],
        [EventReason.INVALID_SPEC],
    ]
    assert other.events[0].message == "spec.backend: is missing"


def test_the_transition_time_changes_only_with_the_status() -> None:
    preparing = planned(resource(), status_of(run_in("Preparing"))).status
    listing = preparing.model_copy(update={"run": run_in("Listing", [record("Listing")])})
    moved = planned(resource(), listing, job("Listing"), now=NOW + HOUR).status
    before, after = preparing.condition("Running"), moved.condition("Running")
    assert before
    assert after
    assert (before.reason, after.reason) == ("Preparing", "Listing")
    assert before.last_transition_time == after.last_transition_time == NOW
    ended = planned(resource(), moved, job("Listing", "Failed"), now=NOW + 2 * HOUR).status
    over = ended.condition("Running")
    assert over
    assert over.last_transition_time == NOW + 2 * HOUR


@pytest.mark.parametrize("name", SPECS)
def test_nothing_is_written_while_nothing_changes(name: str) -> None:
    of, _ = SPECS[name]
    status = planned(of, CheckStatus()).status
    for hours in range(1, 48):
        now = NOW + hours * HOUR
        assert planned(of, status, now=now).status == status


@pytest.mark.parametrize("stage", ["Snapshot", "Listing", "Comparison", "Action"])
def test_nothing_is_written_while_a_job_goes_on(stage: str) -> None:
    run = run_in(stage, [record(stage)], deadline_time=NOW + 3 * DAY)
    status = planned(resource(), status_of(run), job(stage)).status
    assert all(planned(resource(), status, job(stage), now=NOW + n * HOUR).status == status for n in range(48))


def test_a_new_generation_is_observed() -> None:
    status = planned(resource(), status_of()).status
    edited = planned(replace(resource(), generation=5), status, now=NOW + HOUR).status
    assert edited.observed_generation == 5
    assert {condition.observed_generation for condition in edited.conditions} == {5}
    assert [c.last_transition_time for c in edited.conditions] == [c.last_transition_time for c in status.conditions]


def test_a_condition_that_is_too_long_is_cut() -> None:
    ready = planned(invalid("x" * 5000), CheckStatus()).status.condition("Ready")
    assert ready
    assert len(ready.message) == 1024


def test_the_last_success_is_that_of_the_last_complete_run() -> None:
    comparing = status_of(run_in("Comparison", [record("Comparison")]))
    complete = planned(resource(), comparing, comparison(Mode="Pending")).status
    assert complete.last_successful_run_time == NOW
    waiting = complete.model_copy(update={"run": run_in("AwaitingApproval")})
    replaced = planned(resource(trigger={"manual": "next"}), waiting, now=NOW + DAY).status
    assert replaced.history[0].reason == "NotApproved"
    assert replaced.last_successful_run_time == NOW
    failing = complete.model_copy(update={"run": run_in("Listing", [record("Listing")])})
    failed = planned(resource(), failing, job("Listing", "Failed"), now=NOW + DAY, world=World()).status
    assert failed.last_successful_run_time == NOW


def test_of_many_that_overlap_a_few_are_named() -> None:
    many = World(overlaps=tuple(f"grid/t2-{number}: /store/mc" for number in range(7)))
    overlapping = planned(resource(), CheckStatus(), world=many).status.condition("Overlapping")
    assert overlapping
    assert overlapping.message.endswith("those of grid/t2-4: /store/mc; and with those of 2 more")
