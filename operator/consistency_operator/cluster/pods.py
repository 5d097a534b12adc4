"""A pod of a worker as the API server gives it, reduced to what it says about its stage."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from consistency_operator.cluster import worker_result
from consistency_operator.cluster.worker_result import WorkerResult
from consistency_operator.names import WORKER

INDEX = "batch.kubernetes.io/job-completion-index"

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Pod:
    """One attempt at a stage, or at a shard (`index`) of it.

    `exit_code`: of the container that ended the pod, or None. `reason`, `message`: why it is not running (yet), as the
    cluster says it. `last_log_line`: the last line of its log, as far as the cluster has kept it. `running`: the worker
    runs. `going_on`: containers beside it that run although it has ended. `deleting`: it is being deleted.
    """

    name: str
    index: int
    phase: str
    exit_code: int | None
    reason: str
    message: str
    disrupted: str
    image: str
    memory_limit: str
    finished: datetime
    result: WorkerResult | None
    last_log_line: str
    running: bool = False
    going_on: tuple[str, ...] = ()
    deleting: bool = False

    @property
    def succeeded(self) -> bool:
        """It has done its work."""
        return self.phase == "Succeeded" or self.exit_code == 0

    @property
    def failed(self) -> bool:
        """It has ended without having done its work."""
        return self.phase == "Failed" or self.exit_code not in (None, 0)


def pod_from(body: Mapping[str, Any]) -> Pod:
    """The pod that `body` is, whatever of it is there yet."""
    status = body.get("status") or {}
    worker = _worker(body.get("spec") or {})
    ended = _ended(status)
    why = _why(status, ended)
    text = str(ended.get("message") or "")
    result = worker_result.parse(text)
    return Pod(
        name=body["metadata"]["name"],
        index=_index(body["metadata"]),
        phase=str(status.get("phase") or ""),
        exit_code=ended.get("exitCode"),
        reason=str(why.get("reason") or ""),
        message=str(why.get("message") or ""),
        disrupted=_disruption(status),
        image=str(worker.get("image") or ""),
        memory_limit=str(((worker.get("resources") or {}).get("limits") or {}).get("memory") or ""),
        finished=datetime.fromisoformat(ended["finishedAt"]) if ended.get("finishedAt") else _NEVER,
        result=result,
        last_log_line="" if result else _last_line(text),
        running="running" in next(_states(status), {}),
        going_on=_going_on(status),
        deleting="deletionTimestamp" in body["metadata"],
    )


def is_pod_of(body: Mapping[str, Any], job_uid: str) -> bool:
    """Whether `body` is a pod of the Job with this uid."""
    owners = body["metadata"].get("ownerReferences") or ()
    return any(owner.get("uid") == job_uid for owner in owners)


def _worker(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    containers = spec.get("containers") or [{}]
    return next((container for container in containers if container.get("name") == WORKER), containers[0])


def _states(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The states of the containers that matter: the worker's, and those of the ones before it."""
    containers = list(status.get("containerStatuses") or ())
    workers = [container for container in containers if container.get("name") == WORKER]
    for container in [*(workers or containers[:1]), *(status.get("initContainerStatuses") or ())]:
        yield container.get("state") or {}


def _ended(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """How the container that ended the pod has ended; empty while none has."""
    ends: list[Mapping[str, Any]] = [state["terminated"] for state in _states(status) if state.get("terminated")]
    failures = [end for end in ends if end.get("exitCode") or end.get("reason") == "OOMKilled"]
    if failures:
        return failures[0]
    return ends[0] if ends and next(_states(status)).get("terminated") else {}


def _going_on(status: Mapping[str, Any]) -> tuple[str, ...]:
    """The containers beside the worker that still run after it has ended; sidecars of Kubernetes end by themselves."""
    states = {each.get("name", ""): each.get("state") or {} for each in status.get("containerStatuses") or ()}
    if "terminated" not in states.get(WORKER, {}):
        return ()
    return tuple(name for name, state in states.items() if name != WORKER and "running" in state)


def _why(status: Mapping[str, Any], ended: Mapping[str, Any]) -> Mapping[str, Any]:
    """Why the pod has failed or does not start: reason and message."""
    if ended.get("reason"):
        return {"reason": ended["reason"]} if status.get("reason") is None else status
    if status.get("reason"):
        return status
    waiting = [state["waiting"] for state in _states(status) if state.get("waiting")]
    if not waiting or waiting[0].get("reason") in ("PodInitializing", "ContainerCreating"):
        waiting = [reason for reason in waiting[1:] if reason.get("reason") != "PodInitializing"]
    return waiting[0] if waiting else _unschedulable(status)


def _unschedulable(status: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(
        (
            condition
            for condition in status.get("conditions") or ()
            if condition.get("type") == "PodScheduled" and condition.get("status") == "False"
        ),
        {},
    )


def _disruption(status: Mapping[str, Any]) -> str:
    """Why the cluster took the pod away; empty when it did not."""
    for condition in status.get("conditions") or ():
        if condition.get("type") == "DisruptionTarget" and condition.get("status") == "True":
            return str(condition.get("message") or condition.get("reason") or "disrupted")
    return ""


def _index(metadata: Mapping[str, Any]) -> int:
    index = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}.get(INDEX, "0")
    return int(index) if str(index).isdigit() else 0


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
