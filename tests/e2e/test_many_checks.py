"""A hundred sites whose checks are due at the same minute."""

import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from cluster.api import path_of
from cluster.processes import wait_until

CHECKS, LIMIT = 100, 3
WORKER = Path(__file__).parent / "workers" / "instant-worker"
NAMES = [f"site-{number:03d}" for number in range(CHECKS)]

pytestmark = pytest.mark.timeout(420)


@pytest.fixture
def operator(make_operator, backends, tmp_path):
    """Knows a hundred sites, and lets three runs be on at the same time."""
    inventory = tmp_path / "inventory.tsv"
    inventory.write_text("/store/mc/a\t1\n")
    sites = {name_of_site(name): {"inventory": {"url": str(inventory)}} for name in NAMES}
    operator = make_operator(backends({"default": {"type": "file", "sites": sites}}))
    operator.start(CONSISTENCY_MAX_CONCURRENT_RUNS=str(LIMIT))
    return operator


def name_of_site(name: str) -> str:
    return f"T2_XX_{name.replace('-', '_')}"


class Watcher:
    """Counts, every half second, how many runs have unfinished Jobs."""

    def __init__(self, checks) -> None:
        self.checks, self.most, self.stages = checks, 0, Counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            jobs = self.checks.api.items(path_of("Job", self.checks.namespace))
            unfinished = [job for job in jobs if not is_over(job)]
            self.most = max(
                self.most, len({job["metadata"]["labels"]["consistency.dynamo.io/check"] for job in unfinished})
            )
            self.stages.update(job["metadata"]["labels"]["consistency.dynamo.io/stage"] for job in unfinished)


def is_over(job) -> bool:
    return any(one["type"] in ("Complete", "Failed") for one in job["status"].get("conditions", []))


def test_a_hundred_checks_that_are_due_in_one_minute_all_run_once_and_a_few_at_a_time(checks, operator, node, a_check):
    node.instead = {"dynamo-consistency": str(WORKER)}
    minute = time.gmtime(time.time() + 75).tm_min  # of every hour; there is time to apply them all before
    for name in NAMES:
        check = a_check(name, schedule=f"{minute} * * * *")
        check["spec"] |= {"site": name_of_site(name)}
        check["spec"]["listing"] |= {"shards": 1, "parallelism": 1}
        checks.apply(check)

    def statuses() -> list[dict]:
        return [one.get("status", {}) for one in checks.api.items(path_of("SiteConsistencyCheck", checks.namespace))]

    wait_until("all have a next run", lambda: all(one.get("nextRunTime") for one in statuses()))
    due = {one["nextRunTime"] for one in statuses()}
    assert len(due) == 1
    with Watcher(checks) as watcher:
        wait_until("some wait for their turn", lambda: any(stage_of(one) == "Queued" for one in statuses()), 120)
        queued = next(one for one in statuses() if stage_of(one) == "Queued")
        assert queued["run"]["message"], "it is said behind whom"
        assert {one["type"]: one["status"] for one in queued["conditions"]}["Ready"] == "True"
        wait_until("all have run", lambda: all(one.get("history") for one in statuses()), 300, pause=1)
    assert watcher.most <= LIMIT
    assert watcher.stages.keys() >= {"Snapshot", "Listing", "Comparison"}
    ended = statuses()
    results = Counter(one["history"][0]["result"] for one in ended)
    assert results == {"Complete": CHECKS}, ended[0]["history"][0]
    assert {len(one["history"]) for one in ended} == {1}
    took = time.time() - time.mktime(time.strptime(due.pop(), "%Y-%m-%dT%H:%M:%SZ")) + time.timezone
    print(f"{CHECKS} runs in {took:.0f} s after they were due, at most {watcher.most} at a time")


def stage_of(status) -> str:
    return status.get("run", {}).get("stage", "")
