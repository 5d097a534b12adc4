"""A quota of a namespace that leaves no room for another Job."""

from checks import Checks
from cluster.processes import wait_until

QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "full"},
    "spec": {"hard": {"count/jobs.batch": "0"}},
}


def fill(checks: Checks) -> None:
    """From now on no Job is made in the namespace."""
    path = _path(checks)
    checks.api.request("POST", path, QUOTA)
    wait_until("the quota counts", lambda: checks.api.get(f"{path}/full").get("status", {}).get("hard"))


def free(checks: Checks) -> None:
    """There is room again."""
    checks.api.delete(f"{_path(checks)}/full")


def _path(checks: Checks) -> str:
    return f"/api/v1/namespaces/{checks.namespace}/resourcequotas"
