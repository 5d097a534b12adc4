"""The names by which everything in the cluster is found: the API group, labels, annotations, and those of Jobs."""

import hashlib
from typing import Literal, get_args

from dynamo_consistency import check as _model
from dynamo_consistency.errors import ConfigurationError

API_VERSION, KIND = _model.API_VERSION, _model.KIND
API_GROUP, VERSION = API_VERSION.split("/")
PLURAL = "siteconsistencychecks"

CheckKey = tuple[str, str]
"""Namespace and name of a check."""

MANAGER = "consistency-operator"
"""What the operator calls itself: as field manager, as reporter of events, and as what manages its Jobs."""

LABEL_CHECK = f"{API_GROUP}/check"
LABEL_RUN = f"{API_GROUP}/run"
LABEL_STAGE = f"{API_GROUP}/stage"

ANNOTATION_APPROVE = f"{API_GROUP}/approve"
ANNOTATION_REQUESTED_AT = f"{API_GROUP}/requestedAt"

JobStage = Literal["Snapshot", "Listing", "Comparison", "Action"]
"""The stages of a run that are done by a Job, in their order."""
JOB_STAGES: tuple[JobStage, ...] = get_args(JobStage)

WORKER = "worker"
"""The container that does the stage."""
CONFIGURATION = ConfigurationError.exit_code
"""The worker's exit code for what fails again until a person has changed something."""


def directory_name(namespace: str, check: str, uid: str, run_id: str) -> str:
    """What the directory of a run is called, and the run itself where it is not clear of which check it is.

    Checks of other namespaces, clusters and times may share the store, their name and the minute.
    """
    whose = hashlib.sha256(f"{namespace}/{uid}".encode()).hexdigest()[:5]
    return f"{run_id}-{check}-{whose}"


def job_name(check: str, run_id: str, stage: JobStage) -> str:
    """The only name that the Job of this stage can have, so that making it twice is refused by the API server.

    At most 63 characters with a check of 40 and a shard's number behind it (the pods of an Indexed Job have that).
    """
    return f"{check}-{run_id}-{stage.lower()}"


def job_labels(check: str, run_id: str, stage: JobStage) -> dict[str, str]:
    """The labels of a Job and of its pods."""
    return {
        LABEL_CHECK: check,
        LABEL_RUN: run_id,
        LABEL_STAGE: stage,
        "app.kubernetes.io/name": "dynamo-consistency",
        "app.kubernetes.io/component": "worker",
        "app.kubernetes.io/instance": check,
        "app.kubernetes.io/managed-by": MANAGER,
    }
