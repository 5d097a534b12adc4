"""What has become of a Job, from the Job and its pods: judged by its conditions Complete and Failed alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from consistency_operator.cluster import diagnosis, hindrance
from consistency_operator.cluster.pods import Pod, is_pod_of, pod_from
from consistency_operator.cluster.worker_result import WorkerResult
from consistency_operator.names import CONFIGURATION, JOB_STAGES, KIND, LABEL_CHECK, LABEL_RUN, LABEL_STAGE, JobStage

JobStateName = Literal["Running", "Complete", "Failed", "Leaving", "Foreign", "Refused", "NotMade"]


@dataclass(frozen=True)
class JobState:
    """A Job of this operator, or the reason why there is none.

    `state`: Leaving: a Job of that name belongs to an earlier check of the same name, and goes as that has gone.
    Foreign: one belongs to somebody else. Of both no other field is to be trusted. Refused: it cannot be made, however
    often it is tried; `problem` says why. NotMade: the API server has refused it, or was not reached, when it was asked
    for at `asked`; surely there is none, `problem` says why, and another time it may be made. Running: not yet Complete
    or Failed, suspended and waiting Jobs included.
    `reason`: of the condition Failed. `problem`: what went wrong, or hinders it, a sentence for people; else empty.
    `listed`: this operator has listed its pods; `unlisted`: why it could not when it last tried.
    `reported`: all results that they can give are here. A Job that is over and not `reported` may have pods that were
    not seen yet: list them again.
    `hindered`: it goes on, but a pod that should run does not; `idle`: none does. `suspended`: somebody keeps it from
    having pods. `started`: a pod of it has run. `look_at`: what `kubectl describe` tells more about.
    `misconfigured`: a person has to change something, trying again is of no use.
    """

    stage: JobStage
    run_id: str
    name: str
    uid: str = ""
    state: JobStateName = "Running"
    reason: str = ""
    problem: str = ""
    listed: bool = True
    unlisted: str = ""
    reported: bool = True
    hindered: bool = False
    idle: bool = False
    suspended: bool = False
    started: bool = True
    look_at: str = ""
    asked: datetime | None = None
    deleting: bool = False
    misconfigured: bool = False
    completions: int = 1
    max_failed_indexes: int = 0
    completed_indexes: str = ""
    failed_indexes: str = ""
    finished: datetime | None = None
    results: tuple[WorkerResult, ...] = ()

    @property
    def unfinished(self) -> bool:
        """It is not over yet: running, suspended or waiting."""
        return self.state == "Running"

    @property
    def over(self) -> bool:
        """It has come to its end, by success or failure."""
        return self.state in ("Complete", "Failed")


def from_job(
    job: Mapping[str, Any],
    pods: Iterable[Mapping[str, Any]] | None,
    owner_uid: str,
    events: Iterable[Mapping[str, Any]] = (),
) -> JobState | None:
    """The state of a Job from its body and those of its pods, None where they have not been listed by this operator.

    `events`: about the Job and its pods. Gives None for a Job whose labels do not say of which run and stage it is:
    that is none of ours.
    """
    metadata, spec, status = job["metadata"], job.get("spec") or {}, job.get("status") or {}
    labels = metadata.get("labels") or {}
    stage = next((stage for stage in JOB_STAGES if stage == labels.get(LABEL_STAGE)), None)
    run_id = str(labels.get(LABEL_RUN) or "")
    if stage is None or not run_id.isdigit():
        return None
    if other := of_another(stage, run_id, metadata, owner_uid):
        return other
    end = _end(status)
    own = [pod_from(pod) for pod in pods or () if is_pod_of(pod, metadata["uid"])]
    attempts = _last_attempts(own)
    state: JobStateName = "Running" if end is None else "Complete" if end["type"] == "Complete" else "Failed"
    completed, failed = _indexes(spec, status, state)
    there = JobState(
        stage=stage,
        run_id=run_id,
        name=metadata["name"],
        uid=metadata["uid"],
        state=state,
        reason=str(end.get("reason") or "") if end and state == "Failed" else "",
        problem=_problem(stage, end, attempts) if state == "Failed" else "",
        started=_started(status, attempts),
        deleting="deletionTimestamp" in metadata,
        listed=pods is not None,
        reported=state == "Running" or _is_reported(attempts, completed, failed, end),
        misconfigured=state == "Failed" and any(pod.exit_code == CONFIGURATION for pod in attempts),
        completions=int(spec.get("completions") or 1),
        max_failed_indexes=int(spec.get("maxFailedIndexes") or 0),
        completed_indexes=str(status.get("completedIndexes") or ""),
        failed_indexes=str(status.get("failedIndexes") or ""),
        finished=datetime.fromisoformat(end["lastTransitionTime"]) if end and end.get("lastTransitionTime") else None,
        results=tuple(pod.result for pod in attempts if pod.result is not None),
    )
    return _with_hindrance(there, job, attempts, events) if state == "Running" else there


def _with_hindrance(
    there: JobState, job: Mapping[str, Any], attempts: Sequence[Pod], events: Iterable[Mapping[str, Any]]
) -> JobState:
    """A Job that goes on, with what keeps pods of it from running."""
    status = job.get("status") or {}
    ready, active = int(status.get("ready") or 0), int(status.get("active") or 0)
    if ready and active <= ready:
        return there
    held = hindrance.of_job(there.stage, job, attempts, events)
    return replace(
        there,
        hindered=True,
        idle=not ready and not any(pod.running for pod in attempts),
        suspended=hindrance.is_suspended(job),
        problem=held.sentence,
        look_at=held.look_at,
    )


def is_over(job: Mapping[str, Any]) -> bool:
    """Has a Job, by its body, come to its end?"""
    return _end(job.get("status") or {}) is not None


def refused(stage: JobStage, run_id: str, name: str, why: str) -> JobState:
    """The state of a Job that cannot be made, whatever the API server says: `why` is a sentence."""
    return JobState(stage, run_id, name, state="Refused", problem=why)


def not_made(stage: JobStage, run_id: str, name: str, why: str, asked: datetime | None) -> JobState:
    """The state of a Job that surely was not made when it was asked for at `asked`; `why`: the API server's answer."""
    return JobState(stage, run_id, name, state="NotMade", problem=why, asked=asked)


def of_another(stage: JobStage, run_id: str, metadata: Mapping[str, Any], owner_uid: str) -> JobState | None:
    """The state of a Job that has the name (409) and that the resource does not own; None of one that it does."""
    owner: Mapping[str, Any] = next((o for o in metadata.get("ownerReferences") or () if o.get("controller")), {})
    if owner.get("uid") == owner_uid:
        return None
    check = (metadata.get("labels") or {}).get(LABEL_CHECK)
    # no two checks of a namespace have one name at the same time: the other one has been deleted
    earlier = owner.get("kind") == KIND and check is not None and owner.get("name") == check
    return JobState(stage, run_id, metadata["name"], state="Leaving" if earlier else "Foreign")


def _end(status: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The condition by which the Job is over: all its pods have ended. FailureTarget and its like come before that."""
    conditions = status.get("conditions") or ()
    over = (c for c in conditions if c.get("type") in ("Complete", "Failed") and c.get("status") == "True")
    return next(over, None)


def _indexes(spec: Mapping[str, Any], status: Mapping[str, Any], state: JobStateName) -> tuple[set[int], set[int]]:
    """The indexes that are done, and those that have failed; a Job with one pod has the index 0."""
    if spec.get("completionMode") == "Indexed":
        return indexes(status.get("completedIndexes")), indexes(status.get("failedIndexes"))
    return ({0} if state == "Complete" else set()), ({0} if state == "Failed" else set())


def _last_attempts(pods: Sequence[Pod]) -> list[Pod]:
    """Of each index the pod that counts: one that succeeded, else the one that ended last, else one that has not."""
    best: dict[int, Pod] = {}
    for pod in sorted(pods, key=lambda pod: (pod.succeeded, pod.failed, pod.finished, pod.name)):
        best[pod.index] = pod
    return [best[index] for index in sorted(best)]


def _is_reported(attempts: Sequence[Pod], completed: set[int], failed: set[int], end: Mapping[str, Any] | None) -> bool:
    """Are the ends of all pods known that can be? Pods that a deadline has stopped are removed with their messages."""
    if end is not None and end.get("reason") == "DeadlineExceeded":
        failed = set()
    succeeded_known = {pod.index for pod in attempts if pod.succeeded}
    failed_known = {pod.index for pod in attempts if pod.failed}
    return completed <= succeeded_known and failed <= failed_known


def _started(status: Mapping[str, Any], attempts: Sequence[Pod]) -> bool:
    """Has a pod of it ever run?"""
    counted = any(status.get(number) for number in ("ready", "succeeded", "failed"))
    return counted or any(pod.running or pod.succeeded or pod.failed for pod in attempts)


def _problem(stage: JobStage, end: Mapping[str, Any] | None, attempts: Sequence[Pod]) -> str:
    """Why a Job has failed, as far as it and its pods say."""
    if end is not None and end.get("reason") == "DeadlineExceeded":
        return "it took longer than the run's deadline allows (spec.runDeadlineSeconds)"
    by_job = str(end.get("message") or end.get("reason") or "") if end else ""
    return diagnosis.of_pods(stage, attempts) or by_job


def indexes(text: str | None) -> set[int]:
    """The numbers in `text`; what is no number or interval is left out."""
    return {index for part in (text or "").split(",") for index in _interval(part)}


def _interval(part: str) -> Iterator[int]:
    first, _, last = part.partition("-")
    if first.isdigit() and (not last or last.isdigit()):
        yield from range(int(first), int(last or first) + 1)
