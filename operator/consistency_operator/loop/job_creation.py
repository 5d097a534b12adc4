"""Making the Job of a stage, from the check that its run began with."""

import asyncio
from collections.abc import Sequence

from consistency_operator.cluster.api import ApiError, Body, Cluster
from consistency_operator.cluster.cache import KnownCheck
from consistency_operator.manifests import JobRun, build_job, run_check_of
from consistency_operator.names import job_name
from consistency_operator.plan import CreateJob
from consistency_operator.settings import OperatorSettings
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import ConfigurationError

PAUSES = (0.5, 1, 2, 4)
"""Seconds. Asking again is harmless, as the name is taken once; not asking again would end the run of an action."""


class JobRefused(Exception):  # noqa: N818 (as the API server says it)
    """The Job cannot be made, however often it is tried: a sentence why."""


async def make_job(
    cluster: Cluster, action: CreateJob, known: KnownCheck, jobs: Sequence[Body], settings: OperatorSettings
) -> Body:
    """The Job that has the name now, be it ours or not.

    Raises JobRefused, or ApiError when it is not known whether the Job was made.
    """
    try:
        check = _check_of_run(action, known, jobs)
        today = known.resource.check
        if action.stage == "Action" and today is None:
            raise JobRefused(
                "the spec is not valid any more, so that nobody knows what it allows; nothing was requested"
            )
        run = JobRun(action.run_id, check, action.seconds_left, action.approved, today)
        manifest = build_job(action.stage, known.resource, run, settings)
    except (ConfigurationError, ValueError) as error:
        raise JobRefused(str(error)) from error
    for pause in PAUSES:
        try:
            return await _created(cluster, manifest)
        except ApiError:
            await asyncio.sleep(pause)
    return await _created(cluster, manifest)


async def _created(cluster: Cluster, manifest: Body) -> Body:
    try:
        return await cluster.create_job(manifest)
    except ApiError as error:
        if error.permanent and "exceeded quota" not in error.message:
            raise JobRefused("; ".join(error.refused_fields) or error.message) from error
        raise


def _check_of_run(action: CreateJob, known: KnownCheck, jobs: Sequence[Body]) -> SiteConsistencyCheck:
    """The check as it was when the run began: its snapshot Job carries it.

    An approval may come, as an edit of the spec, long after that Job has gone. Only a listing must know the old check,
    how many shards it has; later stages find it in the run directory.
    """
    now, run = known.resource.check, known.status.run
    name = job_name(known.resource.name, action.run_id, "Snapshot")
    if action.stage != "Snapshot":
        for job in jobs:
            if job["metadata"]["name"] == name:
                return run_check_of(job, now)
        edited = run is None or run.generation != known.resource.generation
        if edited and action.stage == "Listing":
            raise JobRefused(f"the spec was edited during the run, and {name}, which knew the old one, is gone")
    if now is None:
        raise JobRefused("the spec is not valid any more")
    return now
