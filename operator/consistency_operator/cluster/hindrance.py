"""What hinders a Job that goes on, in a sentence for the person who can help: from the Job, its pods and events."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consistency_operator.cluster import diagnosis
from consistency_operator.cluster.pods import Pod
from consistency_operator.names import JobStage

_KUEUE_QUEUE = "kueue.x-k8s.io/queue-name"
_OF_PODS = {
    "FailedMount": "waits for a volume",
    "FailedAttachVolume": "waits for a volume",
    "FailedScheduling": "waits for a node",
    "FailedCreatePodSandBox": "cannot start",
    "NetworkNotReady": "cannot start",
    "Failed": "cannot start",
}
"""Reasons of events on a pod that does not run, and what they mean for it."""


@dataclass(frozen=True)
class Hindrance:
    """`sentence`: empty when nothing is known to hinder it. `look_at`: what `kubectl describe` tells more about."""

    sentence: str
    look_at: str


def of_job(
    stage: JobStage, job: Mapping[str, Any], pods: Sequence[Pod], events: Iterable[Mapping[str, Any]]
) -> Hindrance:
    """What hinders a Job of a stage; `pods`: of each shard the one that counts."""
    name, news = job["metadata"]["name"], sorted(events, key=_when)
    if sentence := _suspended(job):
        return Hindrance(sentence, f"job/{name}")
    found = {pod.name: sentence for pod in pods if (sentence := _of_pod(stage, pod, news))}
    if found:
        return Hindrance(diagnosis.together(list(found.values())), f"pod/{next(iter(found))}")
    if refusals := [event for event in news if _is_about(event, "Job", name) and event.get("reason") == "FailedCreate"]:
        why = str(refusals[-1].get("message") or "").removeprefix("Error creating: ")
        return Hindrance(f"the cluster does not accept its pods: {diagnosis.short(why)}", f"job/{name}")
    return Hindrance("", f"pod/{pods[0].name}" if len(pods) == 1 else f"job/{name}")


def is_suspended(job: Mapping[str, Any]) -> bool:
    """Is it kept from having pods, by a person or a queue of Jobs?"""
    conditions = (job.get("status") or {}).get("conditions") or ()
    suspended = any(c.get("type") == "Suspended" and c.get("status") == "True" for c in conditions)
    return suspended or bool((job.get("spec") or {}).get("suspend"))


def _suspended(job: Mapping[str, Any]) -> str:
    if not is_suspended(job):
        return ""
    queue = (job["metadata"].get("labels") or {}).get(_KUEUE_QUEUE)
    if queue:
        return f"the Job {job['metadata']['name']} is suspended: it waits in the queue {queue} of Kueue"
    return f"the Job {job['metadata']['name']} is suspended: it goes on when its spec.suspend is false"


def _of_pod(stage: JobStage, pod: Pod, news: Sequence[Mapping[str, Any]]) -> str:
    """What the pod says itself, or else what the last event about it says."""
    if said := diagnosis.of_pod(stage, pod):
        return said
    if pod.running or pod.succeeded:
        return ""
    about = [event for event in news if _is_about(event, "Pod", pod.name) and event.get("reason") in _OF_PODS]
    if not about:
        return ""
    what, why = _OF_PODS[str(about[-1]["reason"])], str(about[-1].get("message") or about[-1]["reason"])
    return f"{diagnosis.who(stage, pod)} {what}: {diagnosis.short(why)}"


def _is_about(event: Mapping[str, Any], kind: str, name: str) -> bool:
    about = event.get("involvedObject") or {}
    return about.get("kind") == kind and about.get("name") == name


def _when(event: Mapping[str, Any]) -> str:
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or "")
