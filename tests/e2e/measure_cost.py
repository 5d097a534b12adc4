"""`make e2e-cost`: what the operator costs on a real API server with many checks that wait for their next run.

Not a test: it fails only when an aim of the design is missed by far. The table goes to docs/reference/limits.md.
"""

import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from cluster.api import Api, ApiError, Object, path_of
from cluster.containers import now
from cluster.processes import wait_until
from operator_process import Operator

# checks, and finished Jobs of each (three runs of four stages are what a check keeps)
SIZES = [(0, 0), (200, 0), (1000, 0), (200, 12), (10_000, 0)]
IDLE_SECONDS, EDITS = 30, 20
STAGES = ("Snapshot", "Listing", "Comparison", "Action")
TICKS = os.sysconf("SC_CLK_TCK")

pytestmark = pytest.mark.timeout(1200)


@dataclass
class Start:
    """Seconds by the clock, and of a core."""

    seconds: float
    cpu: float


@dataclass
class Row:
    """Times in seconds, memory in MB, CPU in percent of one core."""

    size: tuple[int, int]
    start: Start
    memory: float
    cpu: float
    reaction: float
    worst: float

    def __str__(self) -> str:
        checks, jobs = self.size
        start = f"{self.start.seconds:.1f} s | {self.start.cpu:.1f} s"
        reaction = f"{self.reaction:.2f} s | {self.worst:.2f} s"
        return f"| {checks:,} | {checks * jobs:,} | {start} | {self.memory:.0f} MB | {self.cpu:.1f} % | {reaction} |"


rows: list[Row] = []


@pytest.fixture(scope="module", autouse=True)
def table():
    yield
    print("\n| checks | Jobs | start to ready | CPU of that | memory | idle CPU | reaction, median | slowest |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    print("\n".join(map(str, rows)))


@pytest.fixture
def operator(make_operator, backends):
    return make_operator(backends({"default": {"type": "dynamo", "url": "sqlite:////nowhere"}}))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]} checks, {size[0] * size[1]} Jobs")
def test_cost(
    api: Api, workspace: str, a_check: Callable[..., Object], operator: Operator, size: tuple[int, int]
) -> None:
    checks, jobs = size
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda n: create(api, workspace, a_check(f"site-{n:04d}"), jobs), range(checks)))
    operator.start(ready=False)
    wait_for_all(api, workspace)
    operator.stop()
    start = until_served(operator, api, paths)
    time.sleep(10)
    cpu = idle_cpu(operator.pid)
    times = [reaction(api, paths[number * 37 % len(paths)], number) for number in range(EDITS)] if paths else [0.0]
    rows.append(Row(size, start, memory(operator.pid), cpu, statistics.median(times), max(times)))
    print(rows[-1])
    assert start.seconds < 30
    assert rows[-1].memory < 500
    assert cpu < 20
    assert statistics.median(times) < 5


def create(api: Api, namespace: str, check: Object, jobs: int) -> str:
    """A check of a site of its own that is due on New Year's Eve, with the Jobs of its last runs."""
    check["spec"] |= {"schedule": "59 23 31 12 *", "site": f"T2_{check['metadata']['name']}"}
    made = api.create(check, namespace)
    path = path_of("SiteConsistencyCheck", namespace, made["metadata"]["name"])
    runs = sorted({str(29000000 + number // len(STAGES)) for number in range(jobs)}, reverse=True)
    if runs:
        api.patch(f"{path}/status", {"status": {"history": [finished_run(run) for run in runs]}})
    for number in range(jobs):
        create_job(api, made, runs[number // len(STAGES)], STAGES[number % len(STAGES)])
    return path


MOMENT = "2026-01-01T00:00:00Z"


def finished_run(run: str) -> Object:
    ended = {"startTime": MOMENT, "completionTime": MOMENT, "result": "Complete", "reason": "Completed"}
    return {"id": run, "trigger": "Schedule", "counts": {"missing": 0, "orphans": 0}, **ended}


def create_job(api: Api, check: Object, run: str, stage: str) -> None:
    """One that has ended; no pod was ever made for it."""
    metadata = check["metadata"]
    owner = {key: check[key] for key in ("apiVersion", "kind")} | {key: metadata[key] for key in ("name", "uid")}
    labels = {"check": metadata["name"], "run": run, "stage": stage}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"{metadata['name']}-{run}-{stage.lower()}",
            "labels": {f"consistency.dynamo.io/{key}": value for key, value in labels.items()},
            "ownerReferences": [{**owner, "controller": True}],
        },
        "spec": {
            "parallelism": 0,
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "worker", "image": "none"}]}},
        },
    }
    api.create(job, metadata["namespace"])
    path = path_of("Job", metadata["namespace"], job["metadata"]["name"], "status")
    wait_until("the Job can be ended", lambda: ended(api, path), pause=0.5)


def ended(api: Api, path: str) -> bool:
    """Not before the Job controller has said when it began."""
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": MOMENT} for kind in ("SuccessCriteriaMet", "Complete")
    ]
    try:
        api.patch(path, {"status": {"completionTime": now(), "succeeded": 1, "conditions": conditions}})
    except ApiError as error:
        if error.code not in (409, 422):
            raise
        return False
    return True


def until_served(operator: Operator, api: Api, paths: list[str]) -> Start:
    """From the start of the process until it is healthy and has dealt with the edits of ten checks."""
    edited = paths[:: max(1, len(paths) // 10)]
    for path in edited:
        api.patch(path, {"spec": {"jitterSeconds": int(time.time()) % 100000}})
    started = time.monotonic()
    operator.start(ready=False)
    wait_until("they are served", lambda: all(is_served(api.get(path)) for path in edited), 300, pause=0.2)
    return Start(time.monotonic() - started, cpu_seconds(operator.pid))


def wait_for_all(api: Api, namespace: str) -> None:
    checks = path_of("SiteConsistencyCheck", namespace)
    wait_until("all are served", lambda: all(map(is_served, api.items(checks))), 900, pause=15)


def is_served(check: Object) -> bool:
    return check.get("status", {}).get("observedGeneration") == check["metadata"]["generation"]


def memory(pid: int) -> float:
    (line,) = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS")]
    return int(line.split()[1]) / 1000


def idle_cpu(pid: int) -> float:
    """Percent of one core, over half a minute in which nothing happens."""
    before = cpu_seconds(pid)
    time.sleep(IDLE_SECONDS)
    return (cpu_seconds(pid) - before) / IDLE_SECONDS * 100


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def reaction(api: Api, path: str, number: int) -> float:
    """From a change of the spec to the status that says so."""
    started = time.monotonic()
    api.patch(path, {"spec": {"jitterSeconds": 1000 + number}})
    wait_until("it is served", lambda: is_served(api.get(path)), 60, pause=0.01)
    return time.monotonic() - started
