"""Whole runs that act on a real Rucio: from a finding to the file that is back, or gone, and what is told of it."""

import os
import time

from rucio_requests import Asking

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.run.pipeline import run_check
from dynamo_consistency.run.store.run_directory import RunStore

LONG_AGO = time.time() - 30 * 86400
ENFORCE = {"mode": "Enforce", "maxCount": 100, "maxFraction": None, "confirmRuns": 2, "confirmSpanSeconds": 0}


def check(site: str, scope: str) -> SiteConsistencyCheck:
    kinds = ("missing", "orphans", "mismatches", "emptyDirectories")
    policy = dict.fromkeys(kinds, ENFORCE) | {"health": {"minListedFraction": "0.1"}}
    spec = {
        "site": site,
        "listing": {"roots": [{"path": f"/{scope}"}]},
        "comparison": {"ignoreAgeSeconds": 3600},
        "policy": policy,
    }
    return SiteConsistencyCheck.model_validate(
        {
            "apiVersion": "consistency.dynamo.io/v1alpha1",
            "kind": "SiteConsistencyCheck",
            "metadata": {"name": "rse"},
            "spec": spec,
        }
    )


class Drifted:
    """A site where one file is missing, one of another size, one a last copy, and one dark."""

    def __init__(self, asking: Asking) -> None:
        self.asking, self.rucio = asking, asking.rucio
        for name in ("healthy", "gone", "shrunk", "last"):
            copies = [] if name == "last" else None
            path = asking.lost(name, copies=copies)
            if name in ("healthy", "shrunk"):
                asking.rucio.store(asking.here, path.decode(), b"abc" if name == "healthy" else b"a")
        self.dark = asking.rucio.store(asking.here, f"{asking.rucio.scope}/old/dark")
        self.backend = asking.rucio.backend(rest=asking.rucio.rest_options())
        self.store = RunStore(str(asking.rucio.folder / "store"))

    def run(self) -> dict:
        """One run, when all that was there has been there for long."""
        change = "UPDATE replicas SET updated_at = '2020-01-01 00:00:00.000000' WHERE scope = :scope"
        self.rucio.sql(change, scope=self.rucio.scope)
        for path in [self.asking.here.folder, *self.asking.here.folder.rglob("*")]:
            os.utime(path, (LONG_AGO, LONG_AGO))
        summary = run_check(check(self.asking.here.name, self.rucio.scope), self.backend, self.store)[1]
        assert summary["result"] == "Complete", summary["reason"]
        return summary


def test_what_has_drifted_is_put_right_and_the_next_run_says_so(asking):
    drifted = Drifted(asking)
    first = drifted.run()
    assert (first["counts"]["missing"], first["counts"]["mismatches"], first["counts"]["orphans"]) == (2, 1, 1)
    assert asking.declared() == asking.quarantined() == [], "the first run never acts"

    second = drifted.run()
    assert [second["actions"][kind]["requested"] for kind in ("missing", "mismatches", "orphans")] == [1, 1, 1]
    assert second["actions"]["missing"]["refused"] == {"no disk source elsewhere, and none on tape": 1}
    assert asking.declared() == [("gone", "B"), ("shrunk", "B")]
    (reason,) = asking.reasons()
    assert second["runId"] in reason

    third = drifted.run()
    assert third["counts"]["requestsQueued"] == 3
    assert (third["counts"]["missing"], third["counts"]["mismatches"]) == (1, 0), "what was asked for is in flight"
    for daemon, *arguments in (["necromancer"], ["conveyor"], ["dark-reaper", asking.here.name]):
        asking.rucio.run(daemon, *arguments)
    for name in ("gone", "shrunk"):  # the tests' transfer tool moves no bytes
        asking.rucio.store(asking.here, f"{asking.rucio.scope}/{name}", b"abc")

    fourth = drifted.run()
    assert (fourth["counts"]["requestsRecovered"], fourth["counts"]["requestsRemoved"]) == (2, 1)
    assert (fourth["counts"]["missing"], fourth["counts"]["mismatches"], fourth["counts"]["orphans"]) == (1, 0, 0)
    assert asking.rucio.states(asking.here) == {"healthy": "A", "gone": "A", "shrunk": "A", "last": "A"}
