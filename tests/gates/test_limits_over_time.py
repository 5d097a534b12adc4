"""Limits over 30 days: a slow leak stays below the limits of every run, and closes the gate all the same."""

from dataclasses import replace
from decimal import Decimal

import pytest
from gate_facts import ENFORCED, closed, facts, gate, policy, scope

from dynamo_consistency.check import OrphanPolicy, Unmerged
from dynamo_consistency.run.gates.facts import Scope


def asked(number, found=1, base=1000):
    return replace(scope(listed=base, expected=0, orphans=found), asked_lately={"orphans": number})


@pytest.mark.parametrize(
    ("limits", "count", "fraction"),
    [
        ({"max_count": 4}, 20, Decimal("0.05")),
        ({"max_count": 4, "max_count_per_30_days": 7}, 7, Decimal("0.05")),
        ({"max_fraction": Decimal("0.3")}, 50_000, Decimal(1)),
        ({"max_fraction": None}, 50_000, None),
        ({"max_fraction_per_30_days": Decimal("0.02")}, 50_000, Decimal("0.02")),
    ],
)
def test_they_are_five_times_those_of_a_run_unless_the_check_says_otherwise(limits, count, fraction):
    rule = OrphanPolicy(**limits)
    assert (rule.count_limit_per_30_days, rule.fraction_limit_per_30_days) == (count, fraction)


@pytest.mark.parametrize(("before", "state"), [(19, "Ready"), (20, "Rejected")])
def test_what_was_asked_for_in_30_days_counts_with_what_is_found_now(before, state):
    few = policy(orphans=ENFORCED.orphans.model_copy(update={"max_count": 4, "max_fraction": None}))
    of = facts(asked(before), policy=few)
    assert gate("Limits", of).state == state
    if state == "Rejected":
        said = "orphans, found now or asked for in the last 30 days: 21 of 1,000 files (2.1 %), limit 20"
        assert said in gate("Limits", of).message


def test_a_fraction_over_30_days_protects_a_small_root():
    of = facts(asked(3, base=10_000), replace(asked(3, base=100), name="root /store/small"))
    few = policy(orphans=ENFORCED.orphans.model_copy(update={"max_fraction_per_30_days": Decimal("0.03")}))
    message = gate("Limits", replace(of, policy=few)).message
    said = "orphans in root /store/small, found now or asked for in the last 30 days: 4 of 100 files (4 %), limit 3 %;"
    assert message.startswith(said)


def test_where_nothing_is_found_earlier_requests_close_nothing():
    assert gate("Limits", facts(asked(10**6, found=0))).state == "Ready"


def test_an_approval_of_the_run_lifts_them_like_its_other_limits():
    of = facts(asked(10**6))
    assert closed(of) == ["Limits", "Approval"]
    assert closed(replace(of, approved_run="now")) == []


def test_the_unmerged_area_has_them_too():
    area = Unmerged.model_validate({"path": "/store/unmerged", "maxCount": 4, "protectedFrom": {"url": "/list"}})
    numbers = Scope("the unmerged area", 0, 10, 1, 0, {"unmerged": 1}, asked_lately={"unmerged": 20})
    of = facts(unmerged=area, area=numbers)
    of = replace(of, confirmed={**of.confirmed, "unmerged": of.confirmed["orphans"]})
    assert "limit 20;" in gate("Limits", of).message
