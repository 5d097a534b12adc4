"""The Jobs of a run, one builder a stage.

What fails for no fault of its own (a drained node, a preemption) is started again without being counted, and what is
configured wrongly (exit code 2) is not. The action is never started a second time, whatever ended the first.
"""

from collections.abc import Callable

from consistency_operator import names
from consistency_operator.manifests.overlay import Manifest
from consistency_operator.manifests.pod import pod_template
from consistency_operator.manifests.run import KUEUE, JobRun, Owner, WorkerSettings

DAY_SECONDS = 86_400
UNLIMITED = 2**31 - 1

_DISRUPTED = [{"type": "DisruptionTarget", "status": "True"}]
_TRY_AGAIN = {
    "rules": [
        {"action": "Ignore", "onPodConditions": _DISRUPTED},
        {
            "action": "FailJob",
            "onExitCodes": {"containerName": names.WORKER, "operator": "In", "values": [names.CONFIGURATION]},
        },
    ]
}
_NEVER_AGAIN = {
    "rules": [
        {"action": "FailJob", "onPodConditions": _DISRUPTED},
        {"action": "FailJob", "onExitCodes": {"containerName": names.WORKER, "operator": "NotIn", "values": [0]}},
    ]
}


def build_job(stage: names.JobStage, resource: Owner, run: JobRun, settings: WorkerSettings) -> Manifest:
    """The Job of `stage`, as it is sent to the API server.

    It fails when the run's deadline is over, and goes away by itself when no later stage of the run can want it.
    """
    template = pod_template(stage, resource, run, settings)
    spec = {
        "activeDeadlineSeconds": max(1, run.seconds_left),
        "ttlSecondsAfterFinished": min(run.check.spec.run_deadline_seconds + DAY_SECONDS, UNLIMITED),
        "podReplacementPolicy": "Failed",  # never two pods that write the same files
        **_RULES[stage](run),
        "template": template,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(stage, resource, run),
        "spec": spec,
    }


def _metadata(stage: names.JobStage, resource: Owner, run: JobRun) -> Manifest:
    """A Job waits in the queue (Kueue) that its own labels name; on its pods they would queue each of them again."""
    wanted = run.check.spec.pod_template.metadata.labels
    queueing = {key: value for key, value in wanted.items() if key.startswith(KUEUE)}
    return {
        "name": names.job_name(resource.name, run.id, stage),
        "namespace": resource.namespace,
        "labels": queueing | names.job_labels(resource.name, run.id, stage),
        "ownerReferences": [
            {
                "apiVersion": names.API_VERSION,
                "kind": names.KIND,
                "name": resource.name,
                "uid": resource.uid,
                "controller": True,  # blockOwnerDeletion would want a right to update checks, where that is enforced
            }
        ],
    }


def _snapshot(run: JobRun) -> Manifest:
    return {"backoffLimit": 2, "podFailurePolicy": _TRY_AGAIN}


def _listing(run: JobRun) -> Manifest:
    """A pod for each shard. `backoffLimit` counts beside `backoffLimitPerIndex`: a small one would fail them all."""
    listing = run.check.spec.listing
    return {
        "completionMode": "Indexed",
        "completions": listing.shards,
        "parallelism": min(listing.parallelism, listing.shards),
        "backoffLimit": UNLIMITED,
        "backoffLimitPerIndex": 2,  # the XRootD library may crash when doors break connections
        "maxFailedIndexes": min(listing.max_failed_shards, listing.shards),
        "podFailurePolicy": _TRY_AGAIN,
    }


def _comparison(run: JobRun) -> Manifest:
    return {"backoffLimit": 1, "podFailurePolicy": _TRY_AGAIN}


def _action(run: JobRun) -> Manifest:
    return {"backoffLimit": 0, "podFailurePolicy": _NEVER_AGAIN}


_RULES: dict[names.JobStage, Callable[[JobRun], Manifest]] = {
    "Snapshot": _snapshot,
    "Listing": _listing,
    "Comparison": _comparison,
    "Action": _action,
}
