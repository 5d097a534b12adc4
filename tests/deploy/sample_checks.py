"""Checks as a cluster has them: one whose run waits for an approval, and one that is well."""

import copy
from typing import Any

RUN = "29412180"
WAITING: dict[str, Any] = {
    "metadata": {"name": "t2-de-rwth", "namespace": "grid", "generation": 3},
    "spec": {"site": "T2_DE_RWTH"},
    "status": {
        "observedGeneration": 3,
        "nextRunTime": "2026-12-06T03:00:00Z",
        "conditions": [
            {"type": "Ready", "status": "True", "reason": "Scheduled", "message": "the schedule is armed"},
            {"type": "Running", "status": "True", "reason": "AwaitingApproval"},
        ],
        "run": {
            "id": RUN,
            "stage": "AwaitingApproval",
            "stageStartTime": "2026-11-29T05:00:00Z",
            "message": "1200 orphans, 1000 allowed",
            "counts": {"missing": 3, "orphans": 1200},
            "gates": [{"name": "Limits", "state": "Pending", "message": "1200 orphans exceed 1000"}],
        },
    },
}


def changed(**parts: Any) -> dict[str, Any]:
    """The check that waits, with other metadata, spec, or status; None removes a part of the status."""
    check = copy.deepcopy(WAITING)
    for part, values in parts.items():
        check[part] = {key: value for key, value in {**check[part], **values}.items() if value is not None}
    return check


def two_sites() -> list[dict[str, Any]]:
    """As docs/how-to/kubectl-plugin.md shows them."""
    run = {"id": "29402100", "result": "Complete", "reason": "Reported", "message": "orphans are not confirmed yet"}
    found = run | {"counts": {"missing": 3, "orphans": 1187}}
    waits = changed(metadata={"namespace": "consistency"}, status={"history": [found]})
    waits["status"]["conditions"] += [{"type": "Succeeded", "status": "True", "reason": "Reported"}]
    above = "orphans: 1,200 of 98,000 files (1.2 %), limit 1 %; nothing is requested, of any kind"
    asked = f"approve run {RUN} to let it act"
    waits["status"]["run"] |= {
        "message": f"3 missing, 1200 orphans; Limits: {above}; Approval: {asked}",
        "gates": [
            {"name": "Inventory", "state": "Ready", "message": "the inventory is steady"},
            {"name": "Limits", "state": "Rejected", "message": above},
            {"name": "Approval", "state": "Pending", "message": asked},
        ],
    }
    idle = [
        {"type": "Running", "status": "False", "reason": "Idle"},
        {"type": "Succeeded", "status": "True", "reason": "NothingToDo"},
    ]
    nothing = run | {"counts": {"missing": 0, "orphans": 0}}
    well = changed(metadata={"name": "t2-us-mit"}, status={"run": None, "conditions": idle, "history": [nothing]})
    well["spec"]["site"] = "T2_US_MIT"
    return [waits, well]
