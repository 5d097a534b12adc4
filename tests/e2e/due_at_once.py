"""Many checks that are due at the same minute, and how their runs go."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks import Checks
from cluster.api import Object, path_of
from cluster.processes import wait_until

WORKER = Path(__file__).parent / "workers" / "instant-worker"
"""Finds nothing, in no time."""


def check_names(number: int) -> list[str]:
    return [f"site-{each:03d}" for each in range(number)]


def site_of(name: str) -> str:
    return f"T2_XX_{name.replace('-', '_')}"


def sites_of(names: list[str], folder: Path) -> dict[str, Any]:
    """A backend that knows a site for each check."""
    inventory = folder / "inventory.tsv"
    inventory.write_text("/store/mc/a\t1\n")
    return {"type": "file", "sites": {site_of(name): {"inventory": {"url": str(inventory)}} for name in names}}


@dataclass
class Outcome:
    """`seconds`: from the minute at which all were due until the last run had ended. `most`: runs at a time."""

    seconds: float
    most: int
    stages: set[str]
    statuses: list[Object]


class Watcher:
    """Counts, every half second, how many runs have unfinished Jobs."""

    def __init__(self, checks: Checks) -> None:
        self.checks, self.most, self.stages = checks, 0, Counter[str]()
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
            unfinished = [job["metadata"]["labels"] for job in jobs if not _is_over(job)]
            self.most = max(self.most, len({labels["consistency.dynamo.io/check"] for labels in unfinished}))
            self.stages.update(labels["consistency.dynamo.io/stage"] for labels in unfinished)


def run_all(checks: Checks, a_check: Callable[..., Object], names: list[str], *, apply_within: int) -> Outcome:
    """Make a check for each name, all due at the same minute, and wait until each has run once."""
    minute = time.gmtime(time.time() + apply_within).tm_min  # of every hour
    for name in names:
        check = a_check(name, schedule=f"{minute} * * * *")
        check["spec"] |= {"site": site_of(name)}
        check["spec"]["listing"] |= {"shards": 1, "parallelism": 1}
        checks.apply(check)

    def statuses() -> list[Object]:
        return [one.get("status", {}) for one in checks.api.items(path_of("SiteConsistencyCheck", checks.namespace))]

    wait_until("all have a next run", lambda: all(one.get("nextRunTime") for one in statuses()), 120)
    (due,) = {one["nextRunTime"] for one in statuses()}
    with Watcher(checks) as watcher:
        wait_until("some wait for their turn", lambda: any(map(_is_queued, statuses())), 60 + apply_within)
        queued = next(one for one in statuses() if _is_queued(one))
        assert queued["run"]["message"], "it is said behind whom"
        assert {one["type"]: one["status"] for one in queued["conditions"]}["Ready"] == "True"
        wait_until("all have run", lambda: all(one.get("history") for one in statuses()), 3 * len(names), pause=1)
    took = time.time() - time.mktime(time.strptime(due, "%Y-%m-%dT%H:%M:%SZ")) + time.timezone
    return Outcome(took, watcher.most, set(watcher.stages), statuses())


def _is_over(job: Object) -> bool:
    return any(one["type"] in ("Complete", "Failed") for one in job["status"].get("conditions", []))


def _is_queued(status: Object) -> bool:
    return bool(status.get("run", {}).get("stage") == "Queued")
