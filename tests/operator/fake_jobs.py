"""A Job controller for the FakeCluster: indexes, retries, failure policies, deadlines, termination messages.

What a pod does is given: `scripted` answers (here), or a real process (`fake_kubelet`).
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fake_cluster import FakeCluster
from fake_store import Body, merged


@dataclass(frozen=True)
class End:
    """How a container ended."""

    exit_code: int = 0
    message: str = ""
    reason: str = ""

    @property
    def terminated(self) -> Body:
        reason = self.reason or ("Completed" if self.exit_code == 0 else "Error")
        return {"exitCode": self.exit_code, "reason": reason, "message": self.message, "finishedAt": now()}


Pod = Callable[[Body, int | None], Awaitable[End]]
"""Runs one pod of a Job (the Job, the completion index) to its end."""


class JobFailed(Exception):  # noqa: N818 (a verdict, not an error)
    """The Job is to fail at once: (reason, message)."""


@dataclass
class JobController:
    """Runs the Jobs of a cluster. Use as a context manager."""

    cluster: FakeCluster
    pod: Pod
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    names: Any = field(default_factory=itertools.count)

    def __enter__(self) -> "JobController":
        self.watcher = asyncio.run_coroutine_threadsafe(self._watch(), self.cluster.loop)
        return self

    def __exit__(self, *_: object) -> None:
        self.watcher.cancel()
        self.cluster.wait_for(self._stop())

    async def _stop(self) -> None:
        tasks = list(self.tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self) -> None:
        since = 0
        while True:
            for change in await self.cluster.store.changes(since):
                since = change.version
                uid = change.body["metadata"]["uid"]
                if change.plural == "jobs" and change.type == "ADDED":
                    self.tasks[uid] = asyncio.ensure_future(self._run(change.body))
                elif change.plural == "jobs" and change.type == "DELETED" and uid in self.tasks:
                    self.tasks.pop(uid).cancel()

    async def _run(self, job: Body) -> None:
        self._status(job, {"startTime": now(), "active": min(job["spec"].get("parallelism", 1), _completions(job))})
        try:
            async with asyncio.timeout(job["spec"].get("activeDeadlineSeconds")):
                failed = await self._run_indexes(job)
        except* TimeoutError:
            self._fail(job, "DeadlineExceeded", "Job was active longer than specified deadline")
        except* JobFailed as group:
            self._fail(job, *group.exceptions[0].args)
        else:
            if failed:
                self._fail(job, "FailedIndexes", "Job has failed indexes")
            else:
                self._finish(job, "Complete", {"completionTime": now(), "active": 0})

    async def _run_indexes(self, job: Body) -> list[int]:
        """Run all indexes; the failed ones. Raises JobFailed when the Job's policies say so."""
        indexed = job["spec"].get("completionMode") == "Indexed"
        room = asyncio.Semaphore(job["spec"].get("parallelism", 1))
        done: dict[int, bool] = {}

        async def run(index: int) -> None:
            async with room:
                done[index] = await self._retried(job, index if indexed else None)
            failed = [str(i) for i in sorted(done) if not done[i]]
            if len(failed) > job["spec"].get("maxFailedIndexes", _completions(job)):
                raise JobFailed("MaxFailedIndexesExceeded", "Job has exceeded its maximal number of failed indexes")
            completed = [str(i) for i in sorted(done) if done[i]]
            counts = {"succeeded": len(completed), "failed": len(failed)}
            self._status(job, {"completedIndexes": ",".join(completed), **counts} if indexed else counts)

        async with asyncio.TaskGroup() as group:
            for index in range(_completions(job)):
                group.create_task(run(index))
        failed = [i for i in sorted(done) if not done[i]]
        if failed:
            self._status(job, {"failedIndexes": ",".join(map(str, failed))})
        return failed

    async def _retried(self, job: Body, index: int | None) -> bool:
        limit = job["spec"].get("backoffLimit", 6) if index is None else job["spec"].get("backoffLimitPerIndex", 0)
        for _ in range(limit + 1):
            end = await self._run_pod(job, index)
            if end.exit_code == 0:
                return True
            if _fails_at_once(job, end.exit_code):
                raise JobFailed("PodFailurePolicy", f"the exit code {end.exit_code} matches a FailJob rule")
        if index is None:
            raise JobFailed("BackoffLimitExceeded", "Job has reached the specified backoff limit")
        return False

    async def _run_pod(self, job: Body, index: int | None) -> End:
        store, meta, template = self.cluster.store, job["metadata"], job["spec"]["template"]
        labels = {**template.get("metadata", {}).get("labels", {}), "batch.kubernetes.io/job-name": meta["name"]}
        labels |= {"job-name": meta["name"], "batch.kubernetes.io/controller-uid": meta["uid"]}
        if index is not None:
            labels["batch.kubernetes.io/job-completion-index"] = str(index)
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": meta["name"], "uid": meta["uid"], "controller": True}
        body = {"apiVersion": "v1", "kind": "Pod", "spec": template["spec"]}
        body["metadata"] = {"name": f"{meta['name']}-{next(self.names)}", "labels": labels, "ownerReferences": [owner]}
        name = store.create("pods", meta["namespace"], body)["metadata"]["name"]
        self._pod_status(job, name, "Running", {"running": {"startedAt": now()}})
        try:
            end = await self.pod(job, index)
        except asyncio.CancelledError:  # the Job controller deletes the pods of a Job that fails
            if ("pods", meta["namespace"], name) in store.objects:
                store.delete(("pods", meta["namespace"], name))
            raise
        self._pod_status(job, name, "Failed" if end.exit_code else "Succeeded", {"terminated": end.terminated})
        return end

    def _pod_status(self, job: Body, name: str, phase: str, state: Body) -> None:
        container = job["spec"]["template"]["spec"]["containers"][0]["name"]
        status = {"phase": phase, "containerStatuses": [{"name": container, "state": state, "restartCount": 0}]}
        key = "pods", job["metadata"]["namespace"], name
        if key in self.cluster.store.objects:
            self.cluster.store.patch(key, lambda body: {**body, "status": status}, "status")

    def _fail(self, job: Body, reason: str, message: str) -> None:
        self._finish(job, "Failed", {"active": 0}, reason, message)

    def _finish(self, job: Body, kind: str, status: Body, reason: str = "", message: str = "") -> None:
        condition = {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now()}
        self._status(job, {**status, "conditions": [condition]})

    def _status(self, job: Body, status: Body) -> None:
        key = "jobs", job["metadata"]["namespace"], job["metadata"]["name"]
        if key in self.cluster.store.objects:
            change = {"status": status}
            self.cluster.store.patch(key, lambda body: merged(body, change), "status")


def _fails_at_once(job: Body, exit_code: int) -> bool:
    rules = job["spec"].get("podFailurePolicy", {}).get("rules", [])
    codes = [rule["onExitCodes"] for rule in rules if rule["action"] == "FailJob" and "onExitCodes" in rule]
    return any((exit_code in rule["values"]) == (rule["operator"] == "In") for rule in codes)


def _completions(job: Body) -> int:
    return int(job["spec"].get("completions", 1))


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
