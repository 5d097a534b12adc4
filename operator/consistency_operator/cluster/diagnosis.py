"""What went wrong with a worker, in a sentence for the person who has to repair it."""

from collections.abc import Sequence

from consistency_operator.cluster.pods import Pod
from consistency_operator.names import CONFIGURATION, JobStage
from dynamo_consistency.sentences import shortened

_SHOWN = 3
_LONGEST = 300

_NO_IMAGE = ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable")
_NO_CONTAINER = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError")


def of_pods(stage: JobStage, pods: Sequence[Pod]) -> str:
    """What is wrong with these pods of a stage, the first few of them; empty when nothing is."""
    problems = {pod.index: sentence for pod in pods if (sentence := of_pod(stage, pod))}
    return together([problems[index] for index in sorted(problems)])


def together(sentences: Sequence[str]) -> str:
    """The first few of them, and how many more there are."""
    more = [f"and {len(sentences) - _SHOWN} more"] if len(sentences) > _SHOWN else []
    return "; ".join([*sentences[:_SHOWN], *more])


def of_pod(stage: JobStage, pod: Pod) -> str:
    """What is wrong with a pod that has failed or cannot start; empty when nothing is."""
    what = _failure(stage, pod) if pod.failed and not pod.going_on else _obstacle(pod)
    return short(f"{who(stage, pod)} {what}") if what else ""


def who(stage: JobStage, pod: Pod) -> str:
    """What people call a pod."""
    return f"shard {pod.index}" if stage == "Listing" else f"the {stage.lower()}"


def short(sentence: str) -> str:
    """`sentence` at a length at which several of them fit into a status."""
    return shortened(sentence, _LONGEST)


def _failure(stage: JobStage, pod: Pod) -> str:
    """What has ended a pod: first what the cluster did to it, then what the worker said or did itself."""
    if pod.reason == "OOMKilled":
        return _out_of_memory(stage, pod)
    if pod.reason == "Evicted":
        return f"was evicted from its node: {pod.message or 'the node was short of something'}"
    if pod.reason == "DeadlineExceeded":
        return "took longer than the run's deadline allows (spec.runDeadlineSeconds)"
    if pod.disrupted:
        return f"was taken from its node: {pod.disrupted}"
    return _end(pod)


def _end(pod: Pod) -> str:
    if pod.exit_code == CONFIGURATION:
        return f"is configured wrongly: {_message(pod)}"
    if pod.exit_code is None:
        return f"failed: {pod.message or pod.reason or 'the cluster does not say why'}"
    if pod.result is not None and pod.result.message:
        return f"failed: {pod.result.message}"
    return f"ended with exit code {pod.exit_code}: {_message(pod)}"


def _out_of_memory(stage: JobStage, pod: Pod) -> str:
    limit = f"its limit of {pod.memory_limit}" if pod.memory_limit else "its node has"
    cure = "raise resources.limits.memory in spec.podTemplate"
    return f"needed more memory than {limit}: {cure}{' or listing.shards' if stage == 'Listing' else ''}"


def _obstacle(pod: Pod) -> str:
    """What keeps a pod from running, or from ending, that has not ended."""
    if pod.going_on:
        others = " and ".join(pod.going_on)
        return (
            f"has ended, but the container {others} beside the worker goes on, so that the pod never ends: make it a "
            "sidecar (an init container with restartPolicy Always), or keep it out by an annotation in spec.podTemplate"
        )
    if pod.deleting and not pod.succeeded:
        return f"is being taken from its node{f': {pod.disrupted}' if pod.disrupted else ''}"
    if pod.reason in _NO_IMAGE:
        return f"cannot start: its image {pod.image} cannot be had ({pod.message or pod.reason})"
    if pod.reason in _NO_CONTAINER:
        return f"cannot start: {pod.message or pod.reason}"
    if pod.reason == "Unschedulable":
        return f"waits for a node: {pod.message}"
    return ""


def _message(pod: Pod) -> str:
    if pod.result is not None and pod.result.message:
        return pod.result.message
    return pod.last_log_line or "it said nothing"
