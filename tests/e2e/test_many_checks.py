"""A hundred sites whose checks are due at the same minute."""

from collections import Counter

import pytest
from due_at_once import WORKER, check_names, run_all, sites_of

CHECKS, LIMIT = 100, 3
NAMES = check_names(CHECKS)

pytestmark = pytest.mark.timeout(420)


@pytest.fixture
def operator(make_operator, backends, tmp_path):
    """Knows a hundred sites, and lets three runs be on at the same time."""
    operator = make_operator(backends({"default": sites_of(NAMES, tmp_path)}))
    operator.start(CONSISTENCY_MAX_CONCURRENT_RUNS=str(LIMIT))
    return operator


def test_a_hundred_checks_that_are_due_in_one_minute_all_run_once_and_a_few_at_a_time(checks, operator, node, a_check):
    node.instead = {"dynamo-consistency": str(WORKER)}
    outcome = run_all(checks, a_check, NAMES, apply_within=75)
    assert outcome.most <= LIMIT
    assert outcome.stages >= {"Snapshot", "Listing", "Comparison"}
    results = Counter(one["history"][0]["result"] for one in outcome.statuses)
    assert results == {"Complete": CHECKS}, outcome.statuses[0]["history"][0]
    assert {len(one["history"]) for one in outcome.statuses} == {1}
    print(f"{CHECKS} runs in {outcome.seconds:.0f} s after they were due, at most {outcome.most} at a time")
