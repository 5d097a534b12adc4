"""`make e2e-many`: how long 300 checks take that are due in one minute, with the operator's own limits.

Not a test: it fails only when runs do. The figures go to docs/reference/limits.md. Workers find nothing, in no time, so
that what is measured is the operator, the processes that ask the backend, and the API server beside them.
"""

from collections import Counter

import pytest
from due_at_once import WORKER, check_names, run_all, sites_of
from measure_cost import cpu_seconds, memory

CHECKS = 300
NAMES = check_names(CHECKS)

pytestmark = pytest.mark.timeout(2400)


@pytest.fixture
def operator(make_operator, backends, tmp_path):
    operator = make_operator(backends({"default": sites_of(NAMES, tmp_path)}))
    operator.start()
    return operator


def test_many(checks, operator, node, a_check):
    node.instead = {"dynamo-consistency": str(WORKER)}
    outcome = run_all(checks, a_check, NAMES, apply_within=120)
    assert Counter(one["history"][0]["result"] for one in outcome.statuses) == {"Complete": CHECKS}
    print(f"\n{CHECKS} runs in {outcome.seconds:.0f} s after they were due, at most {outcome.most} at a time;")
    print(f"the operator: {cpu_seconds(operator.pid):.0f} s of a core, {memory(operator.pid):.0f} MB")
