"""The Jobs of a run, one builder a stage."""

from typing import Any

from consistency_operator.manifests.run import JobRun, Owner, Stage, WorkerSettings

Manifest = dict[str, Any]


def build_job(stage: Stage, resource: Owner, run: JobRun, settings: WorkerSettings) -> Manifest:
    """The Job of `stage`, as it is sent to the API server."""
    raise NotImplementedError
