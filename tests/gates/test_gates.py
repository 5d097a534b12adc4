"""Gates 1 to 7 of rules.md: each closes for its own reason, says what it saw, and lets the others speak as well."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from gate_facts import ENFORCED, closed, facts, gate, policy, scope

from dynamo_consistency.check import Policy
from dynamo_consistency.run.gates import all_ready, evaluate
from dynamo_consistency.run.gates.confirmation import Confirmed
from dynamo_consistency.run.gates.facts import GATED

NAMES = ["Inventory", "ListingHealth", "Limits", "Confirmation", "Mode", "Approval", "Acting"]


def test_all_seven_are_told_in_their_order_and_open_for_a_healthy_confirmed_run():
    assert [gate.name for gate in evaluate(facts())] == NAMES
    assert all_ready(evaluate(facts()))


def test_no_gates_at_all_are_not_open_gates():
    assert not all_ready([])


def test_every_gate_speaks_also_when_an_earlier_one_is_closed():
    assert closed(facts(before=0, complete_runs=1, superseded=True)) == ["Inventory", "Confirmation", "Acting"]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"before": 0}, "Rejected"),
        ({"after": 0}, "Rejected"),
        ({"before": 1000, "after": 1200}, "Ready"),  # exactly the limit
        ({"before": 1000, "after": 1201}, "Rejected"),
        ({"before": 1000, "after": 799}, "Rejected"),
        ({"last_inventory": 1300}, "Rejected"),
        ({"last_inventory": None}, "Ready"),
    ],
)
def test_the_inventory_must_be_there_and_within_a_fraction_of_itself_and_of_the_last_run(changes, state):
    assert gate("Inventory", facts(**changes)).state == state


@pytest.mark.parametrize(("listed", "state"), [(1000, "Ready"), (900, "Ready"), (899, "Rejected"), (0, "Rejected")])
def test_a_site_of_which_too_little_was_listed_is_not_acted_on(listed, state):
    assert gate("ListingHealth", facts(scope(listed=listed))).state == state


def test_a_small_root_that_is_wholly_missing_is_caught_although_it_is_half_a_percent_of_the_site():
    site = scope(expected=10_000, listed=9_950, missing=50)
    small = scope("root /store/generator", expected=50, listed=0, missing=50)
    of = facts(site, small)
    assert "root /store/generator: only 0 of 50" in gate("ListingHealth", of).message
    assert "root /store/generator" in gate("Limits", of).message


def test_orphans_do_not_make_up_for_missing_files_in_the_health_of_a_root():
    assert gate("ListingHealth", facts(scope(listed=1000, missing=500, orphans=500))).state == "Rejected"


@pytest.mark.parametrize(("holes", "state"), [(0, "Ready"), (5, "Ready"), (6, "Rejected")])
def test_too_many_holes_close_the_gate(holes, state):
    assert gate("ListingHealth", facts(scope(directories=95, holes=holes))).state == state


def test_a_top_directory_that_answered_empty_where_files_are_expected_closes_the_gate():
    of = facts(empty_top_directories=("/store/mc/Era",))
    assert gate("ListingHealth", of).state == "Rejected"
    assert "/store/mc/Era" in gate("ListingHealth", of).message


def test_an_unknown_listing_closes_the_gate():
    assert gate("ListingHealth", facts(scopes=())).state == "Rejected"


@pytest.mark.parametrize(
    ("kind", "limits", "count", "state"),
    [
        ("missing", {"max_count": 5}, 5, "Ready"),  # strict: more than the limit
        ("missing", {"max_count": 5}, 6, "Rejected"),
        ("missing", {"max_fraction": Decimal("0.01")}, 10, "Ready"),
        ("missing", {"max_fraction": Decimal("0.01")}, 11, "Rejected"),
        ("orphans", {"max_fraction": Decimal("0")}, 1, "Rejected"),
        ("orphans", {"max_fraction": None, "max_count": 10_000}, 900, "Ready"),
    ],
)
def test_limits_are_strict_and_absolute_and_a_fraction(kind, limits, count, state):
    of = facts(scope(**{kind: count}))
    own = getattr(ENFORCED, kind).model_copy(update=limits)
    assert gate("Limits", replace(of, policy=policy(**{kind: own}))).state == state


def test_one_exceeded_limit_blocks_all_kinds():
    of = facts(scope(orphans=100_000, missing=1))
    assert not all_ready(evaluate(of))
    assert "nothing is requested, of any kind" in gate("Limits", of).message


def test_the_message_on_the_page_says_an_excess_as_the_gate_does():
    page = Path(__file__).parents[2] / "docs/how-to/monitoring.md"
    said = gate("Limits", facts(scope(expected=98_000, listed=98_000, orphans=1260))).message
    assert f"\nLimits: {said}\n" in page.read_text()


def test_a_kind_that_is_ignored_has_no_limits():
    ignored = policy(orphans=ENFORCED.orphans.model_copy(update={"mode": "Ignore"}))
    assert gate("Limits", facts(scope(orphans=100_000), policy=ignored)).state == "Ready"


def test_the_whole_catalogue_missing_in_five_confirmed_runs_never_acts():
    of = facts(
        scope(expected=9400, listed=0, missing=9400),
        before=9400,
        after=9400,
        last_inventory=9400,
        complete_runs=5,
        confirmed=dict.fromkeys(GATED, Confirmed(("a", "b"), 10**7, 9400)),
        approved_run="now",
    )
    assert "ListingHealth" in closed(of)


def test_the_first_run_never_acts():
    assert gate("Confirmation", facts(complete_runs=1)).state == "Pending"


def test_findings_that_no_earlier_run_had_wait_for_the_next():
    unconfirmed = dict.fromkeys(GATED, Confirmed((), 0, 0))
    assert gate("Confirmation", facts(confirmed=unconfirmed)).state == "Pending"


def test_without_a_kind_to_enforce_a_check_only_reports():
    assert gate("Mode", facts(policy=Policy())).state == "Pending"


@pytest.mark.parametrize(
    ("wanted", "above", "approved", "state"),
    [
        ("Never", False, None, "Ready"),
        ("Required", False, None, "Pending"),
        ("Required", False, "now", "Ready"),
        ("Required", False, "then", "Pending"),  # an approval cannot leak to another run
        ("OnlyAboveLimits", False, None, "Ready"),
        ("OnlyAboveLimits", True, None, "Pending"),
        ("OnlyAboveLimits", True, "now", "Ready"),
        ("OnlyAboveLimits", True, "then", "Pending"),
    ],
)
def test_an_approval_opens_exactly_the_run_that_it_names(wanted, above, approved, state):
    count = 900 if above else 1
    generous = policy(approval=wanted, orphans=ENFORCED.orphans.model_copy(update={"max_count": 10}))
    of = facts(scope(orphans=count), policy=generous, approved_run=approved)
    assert gate("Approval", of).state == state
    if approved == "then":
        assert "approval of run then does not count" in gate("Approval", of).message


@pytest.mark.parametrize(
    ("wanted", "approved", "state"),
    [
        ("OnlyAboveLimits", None, "Rejected"),
        ("OnlyAboveLimits", "now", "Ready"),
        ("OnlyAboveLimits", "then", "Rejected"),
        ("Required", "now", "Ready"),
        ("Never", "now", "Rejected"),  # where nobody approves, nothing lifts the limits
    ],
)
def test_limits_are_lifted_by_the_approval_of_this_run_only(wanted, approved, state):
    of = facts(scope(orphans=900), policy=policy(approval=wanted), approved_run=approved)
    assert gate("Limits", of).state == state


def test_an_excess_is_told_in_numbers_of_files():
    """A fraction of 1, which is all of them, would be read as one file."""
    of = facts(scope(expected=100, listed=0, missing=100))
    limits = gate("Limits", of)
    assert (limits.observed, limits.limit) == ("100 of 100", "0.01")
    assert "missing: 100 of 100 files (100 %), limit 1 %;" in limits.message


@pytest.mark.parametrize(
    ("found", "limits", "said"),
    [
        ({"missing": 12}, {"max_fraction": Decimal("0.001")}, "missing: 12 of 1,503 files (0.8 %), limit 0.1 %;"),
        ({"missing": 12}, {"max_count": 10}, "missing: 12 of 1,503 files (0.8 %), limit 10;"),
        (
            {"missing": 12},
            {"max_count": 10, "max_fraction": Decimal("0.0075")},
            "missing: 12 of 1,503 files (0.8 %), limit 10 and 0.75 %;",
        ),
        (
            {"missing": 11},  # with two digits it would look as if it were not above its limit
            {"max_fraction": Decimal("0.0073")},
            "missing: 11 of 1,503 files (0.732 %), limit 0.73 %;",
        ),
    ],
)
def test_limits_say_a_thing_once_in_the_words_of_a_person(found, limits, said):
    numbers = {"expected": 1503, "listed": 1491, **found}
    of = facts(scope(**numbers), scope("root /store/mc", **numbers))  # the only root with files
    few = policy(missing=ENFORCED.missing.model_copy(update=limits))
    assert gate("Limits", replace(of, policy=few)).message.startswith(said + " nothing is requested")


@pytest.mark.parametrize(
    ("changes", "closed_gates"),
    [
        ({"after": 100}, "Inventory"),
        ({"by_dump": True}, "Acting"),
        ({"after": 100, "superseded": True}, "Inventory, Acting"),
    ],
)
def test_an_approval_is_only_offered_where_it_lets_the_run_act(changes, closed_gates):
    of = facts(scope(orphans=900), policy=policy(approval="Required"), **changes)
    approval = gate("Approval", of)
    assert approval.state == "Ready"  # not Pending: a person who looks for what waits for them must not find it
    assert approval.message == f"no approval lets this run act while these gates are closed: {closed_gates}"
    assert (
        "approve run now to let it act"
        in gate("Approval", replace(of, after=1000, by_dump=False, superseded=False)).message
    )


def test_an_approval_never_opens_the_gates_of_health_inventory_and_confirmation():
    sick = facts(scope(listed=0, missing=1000), after=100, complete_runs=1, approved_run="now")
    assert set(closed(sick)) >= {"Inventory", "ListingHealth", "Confirmation"}


def test_findings_that_a_later_run_has_replaced_are_not_acted_on():
    of = facts(superseded=True, approved_run="now")
    assert gate("Acting", of).state == "Rejected"
    assert gate("Approval", of).state == "Rejected"


@pytest.mark.parametrize("changes", [{"by_dump": True}, {"policy": policy(max_requests_per_run=0)}])
def test_what_cannot_be_looked_at_or_has_no_budget_is_not_acted_on(changes):
    assert gate("Acting", facts(**changes)).state == "Rejected"


# ------------------------------------------------------------------------------------------- whole answers, and waiting


def test_a_short_list_of_datasets_closes_the_gate_of_the_inventory_whoever_approves():
    of = facts(short_lists=("4 protected datasets where the last complete run had 10",), approved_run="now")
    assert gate("Inventory", of).state == "Rejected"
    assert "4 protected datasets where the last complete run had 10: are they whole?" in gate("Inventory", of).message


def test_a_data_server_that_is_away_closes_the_gate_of_the_listing_by_its_name():
    of = facts(gone=("data server b:1094",), approved_run="now")
    assert gate("ListingHealth", of).state == "Rejected"
    assert "the data server b:1094 that the last complete run found" in gate("ListingHealth", of).message


def in_empty_directories(waiting, others, **changes):
    """Facts of a run that has confirmed missing files, some of them of directories that answered empty."""
    confirmed = dict.fromkeys(GATED, Confirmed(("a", "b"), 10**7, 0))
    confirmed["missing"] = Confirmed(("a", "b"), 10**7, waiting + others, waiting)
    return facts(confirmed=confirmed, **changes)


def test_missing_files_of_directories_that_answered_empty_wait_for_approval_and_do_not_hold_up_the_rest():
    of = in_empty_directories(12, 3)
    assert all_ready(evaluate(of))
    waits = "12 missing files of directories that answered empty wait for approval of this run"
    assert waits in gate("Confirmation", of).message
    assert waits in gate("Approval", of).message


def test_where_nothing_else_is_confirmed_the_run_asks_for_the_approval():
    of = in_empty_directories(12, 0)
    assert gate("Approval", of).state == "Pending"
    assert "approve run now" in gate("Approval", of).message
    approved = replace(of, approved_run="now")
    assert all_ready(evaluate(approved))
    assert "wait" not in gate("Confirmation", approved).message


def test_where_nobody_approves_they_are_told_and_nothing_is_offered():
    of = in_empty_directories(12, 0, policy=policy(approval="Never"), approved_run="now")
    assert gate("Approval", of).state == "Ready"
    assert "12 missing files" in gate("Approval", of).message
    assert of.actionable == 0


def test_approval_is_not_offered_where_it_can_let_nothing_happen():
    of = in_empty_directories(0, 0, policy=policy(approval="Required"))
    assert gate("Approval", of).state == "Ready"
    assert "nothing is confirmed" in gate("Approval", of).message


def test_what_is_on_tape_is_only_reported_and_that_is_the_reason():
    on_tape = facts(tape=True)
    assert gate("Mode", on_tape).state == "Pending"
    assert gate("Mode", on_tape).message.startswith("the check says that the site is on tape")
    assert on_tape.enforced == ()
