"""The pod of a worker: one container, nothing that it does not need, and `spec.podTemplate` laid over it."""

from consistency_operator import names
from consistency_operator.manifests.overlay import Manifest, overlaid
from consistency_operator.manifests.run import (
    BACKENDS_FOLDER,
    BACKENDS_SETTING,
    DATA_FOLDER,
    KUEUE,
    TERMINATION_SETTING,
    JobRun,
    Owner,
    WorkerSettings,
    carried,
    escaped,
    run_directory,
    volume_claim_of,
)
from dynamo_consistency.checkfile import CHECK_SETTING

BACKENDS_FILE = f"{BACKENDS_FOLDER}/backends.yaml"
TERMINATION_LOG = "/dev/termination-log"
TERMINATION_GRACE_SECONDS = 60
SCRATCH = "20Gi"

_RESOURCES: dict[names.JobStage, Manifest] = {
    # measured with two million files: 251, 130 (a shard) and, with its limit known, 1,013 MiB
    "Snapshot": {"requests": {"cpu": "250m", "memory": "384Mi"}, "limits": {"memory": "1Gi"}},
    "Listing": {"requests": {"cpu": "250m", "memory": "192Mi"}, "limits": {"memory": "512Mi"}},
    "Comparison": {"requests": {"cpu": "500m", "memory": "1536Mi"}, "limits": {"memory": "1536Mi"}},
    "Action": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
}
_CONFINED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def pod_template(stage: names.JobStage, resource: Owner, run: JobRun, settings: WorkerSettings) -> Manifest:
    """The pod template of a Job: ours, and the check's podTemplate laid over it.

    That has been looked at (see `template_problems`): what may not be changed is not in it.
    """
    overlay = run.check.spec.pod_template
    spec = overlaid(_pod_spec(stage, resource, run, settings), overlay.spec)
    for container in spec.get("initContainers", []):
        if isinstance(container, dict):
            container["securityContext"] = overlaid(_CONFINED, container.get("securityContext", {}))
    wanted = {key: value for key, value in overlay.metadata.labels.items() if not key.startswith(KUEUE)}
    labels = wanted | names.job_labels(resource.name, run.id, stage)
    annotations = {"annotations": dict(overlay.metadata.annotations)} if overlay.metadata.annotations else {}
    return {"metadata": {"labels": labels, **annotations}, "spec": spec}


def _pod_spec(stage: names.JobStage, resource: Owner, run: JobRun, settings: WorkerSettings) -> Manifest:
    user = settings.worker_user
    account = {"serviceAccountName": settings.service_account} if settings.service_account else {}
    return account | {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": TERMINATION_GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            **dict.fromkeys(("runAsUser", "runAsGroup", "fsGroup") if user else (), user),
            "fsGroupChangePolicy": "OnRootMismatch",  # a store of a million files is not gone through each time
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_worker(stage, resource, run, settings)],
        "volumes": _volumes(run, settings),
    }


def _worker(stage: names.JobStage, resource: Owner, run: JobRun, settings: WorkerSettings) -> Manifest:
    mounts = [
        {"name": "backends", "mountPath": BACKENDS_FOLDER, "readOnly": True},
        {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108 (the container's own)
    ]
    if volume_claim_of(run.check, settings):
        mounts.append({"name": "data", "mountPath": DATA_FOLDER})
    return {
        "name": names.WORKER,
        "image": settings.image,
        "imagePullPolicy": settings.image_pull_policy,
        "command": ["dynamo-consistency"],
        "args": _arguments(stage, resource, run, settings),
        "env": _environment(stage, run),
        "resources": _RESOURCES[stage],
        "securityContext": _CONFINED,
        "terminationMessagePath": TERMINATION_LOG,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts,
    }


def _arguments(stage: names.JobStage, resource: Owner, run: JobRun, settings: WorkerSettings) -> list[str]:
    """An approval names the check's own run in full."""
    directory = run_directory(resource, run, settings)
    approval = ["--approve", directory.rpartition("/")[2]] if stage == "Action" and run.approved else []
    return ["stage", stage.lower(), "--run-dir", escaped(directory), *approval]


def _environment(stage: names.JobStage, run: JobRun) -> list[Manifest]:
    settings = {
        BACKENDS_SETTING: BACKENDS_FILE,
        TERMINATION_SETTING: TERMINATION_LOG,
        "HOME": "/tmp",  # noqa: S108 (the container's own)
    }
    if stage == "Snapshot":
        settings[CHECK_SETTING] = carried(run.check)
    elif stage == "Action" and run.today is not None:
        settings[CHECK_SETTING] = carried(run.today)
    return [{"name": name, "value": value} for name, value in settings.items()]


def _volumes(run: JobRun, settings: WorkerSettings) -> list[Manifest]:
    volumes: list[Manifest] = [
        {"name": "backends", "secret": {"secretName": settings.backends_secret}},
        # beyond its limit a pod fails, and is not put on the next node to fill that as well
        {"name": "scratch", "emptyDir": {"sizeLimit": SCRATCH}},
    ]
    if claim := volume_claim_of(run.check, settings):
        volumes.append({"name": "data", "persistentVolumeClaim": {"claimName": claim}})
    return volumes
