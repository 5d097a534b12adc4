"""How an operator starts that finds many checks which wait: `make start-cost CHECKS=10000`. Not a test.

The API server is the tests' own, and stands beside it on the same machine. Checks are as large as in a real cluster:
with all defaults, and with the managed fields of whoever has written them.
"""

import os
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cluster_checks import check
from consistency_operator.cluster.digest import understood
from consistency_operator.names import API_VERSION, KIND, PLURAL
from consistency_operator.plan import World, plan
from fake_cluster import FakeCluster
from free_ports import free_port
from operator_command import Process

from dynamo_consistency.check import SiteConsistencyCheck

HEAD = {"apiVersion": API_VERSION, "kind": KIND}


def main(checks: int) -> None:
    with FakeCluster() as cluster, tempfile.TemporaryDirectory() as folder:
        for number in range(checks):
            make(cluster, number)
        settings = {
            "KUBECONFIG": str(cluster.kubeconfig(Path(folder))),
            "CONSISTENCY_IMAGE": "none",
            "CONSISTENCY_METRICS_LISTEN": f"127.0.0.1:{free_port()}",
        }
        process = Process(os.environ | settings, Path(folder, "operator.log"))
        began = time.monotonic()
        process.start()
        while process.probe("/readyz", 60)[0] != 200:
            time.sleep(0.2)
        print(f"{checks} checks: ready after {time.monotonic() - began:.1f} s", end=", ")
        print(f"{cpu_seconds(process.pid):.1f} s of a core; {memory(process.pid)} MB at most")
        process.end(signal.SIGTERM)


def make(cluster: FakeCluster, number: int) -> None:
    """A check of a site of its own, with the status that it has when it waits."""
    written = HEAD | check(f"site-{number:05}", schedule="0 3 * * 0", site=f"T2_{number}")
    spec = SiteConsistencyCheck.model_validate(written).model_dump(mode="json", by_alias=True, exclude_none=True)[
        "spec"
    ]
    manager = {"manager": "kubectl", "operation": "Update", "apiVersion": API_VERSION, "fieldsType": "FieldsV1"}
    managed = [{**manager, "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:spec": fields_of(spec)}}]
    body = written | {"metadata": {**written["metadata"], "managedFields": managed}, "spec": spec}
    known = understood(cluster.create(PLURAL, body))
    status = plan(known.resource, known.status, (), datetime.now(UTC), World()).status
    cluster.patch_status(PLURAL, known.resource.name, status.to_json())


def fields_of(value: Any) -> dict[str, Any]:
    return {f"f:{key}": fields_of(inner) for key, inner in value.items()} if isinstance(value, dict) else {}


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> int:
    (line,) = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) // 1000


if __name__ == "__main__":
    main(int(sys.argv[1]))
