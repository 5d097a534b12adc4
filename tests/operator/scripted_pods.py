"""Pods that do what a test says: by default a run that finds three orphans, and may request their deletion."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from consistency_operator.names import LABEL_STAGE
from fake_jobs import End
from fake_store import Body

READY = ("Inventory", "ListingHealth", "Limits", "Confirmation", "Mode", "Approval", "Acting")
COUNTS = {"listedFiles": 1003, "inventoryFiles": 1000, "orphanBytes": 300, "holes": 0}
COUNTS |= {"missing": 0, "orphans": 3, "mismatches": 0, "emptyDirectories": 0}


def gates(**closed: str) -> list[Body]:
    """All gates: Ready, but for those that are set to be Pending or Rejected."""
    texts = {"observed": "3", "limit": "10", "message": "a sentence"}
    return [{"name": name, "state": closed.get(name, "Ready"), **texts} for name in READY]


@dataclass
class Script:
    """`counts` come on top of COUNTS; `holds` keeps the pods of a stage from ending until it is let go.

    `ends` overrules how a pod ends.
    """

    gates: list[Body] = field(default_factory=gates)
    counts: dict[str, int] = field(default_factory=dict)
    ends: dict[str, Callable[[Body, int | None], End]] = field(default_factory=dict)
    holds: set[str] = field(default_factory=set)
    started: Counter[str] = field(default_factory=Counter)

    async def __call__(self, job: Body, index: int | None) -> End:
        stage = job["metadata"]["labels"][LABEL_STAGE]
        self.started[stage] += 1
        while stage in self.holds:
            await asyncio.sleep(0.02)
        end = self.ends.get(stage, self.answer)
        return end(job, index)

    def answer(self, job: Body, index: int | None) -> End:
        """What the engine would say of a stage that came to its end."""
        labels, arguments = job["metadata"]["labels"], job["spec"]["template"]["spec"]["containers"][0]["args"]
        stage = labels[LABEL_STAGE]
        message: dict[str, Any] = {"stage": stage.lower(), "runId": arguments[3].rpartition("/")[2], "exitCode": 0}
        message |= {"result": "Complete", "message": "", "counts": {}}
        counts = COUNTS | self.counts
        match stage:
            case "Snapshot":
                message["counts"] = {"inventoryFiles": 1000, "inventoryBytes": 100000}
            case "Listing":
                message |= {"shard": index, "counts": {"files": 500, "directories": 5, "bytes": 5, "holes": 0}}
            case "Comparison":
                message |= {"counts": counts, "gates": self.gates, "artifacts": {"orphans": "findings/orphan.parquet"}}
            case "Action":
                orphans = {"request": "delete", "confirmed": 5, "requested": 3, "heldBack": {"renamed": 2}}
                message |= {"counts": counts, "gates": gates(), "actions": {"orphans": orphans}}
        return End(0, json.dumps(message))


def ends_with(exit_code: int, message: str = "", reason: str = "") -> Callable[[Body, int | None], End]:
    """Every pod ends so."""
    return lambda job, index: End(exit_code, message, reason)
