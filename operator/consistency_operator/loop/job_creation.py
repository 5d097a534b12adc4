"""Making the Job of a stage, from the check that its run began with."""

import asyncio
from collections.abc import Sequence

from consistency_operator.cluster.api import Body, Cluster
from consistency_operator.cluster.api_error import ApiError
from consistency_operator.cluster.digest import KnownCheck
from consistency_operator.manifests import JobRun, build_job, run_check_of
from consistency_operator.names import job_name
from consistency_operator.plan import CreateJob
from consistency_operator.settings import OperatorSettings
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import ConfigurationError

PAUSES = (0.5, 1, 2, 4)
"""Seconds. Asking again is harmless, as the name is taken once."""
LONGER_PAUSES = (8, 16, 32)
"""For an action before nobody knows whether its Job was made: an API server may be away for a minute."""


class JobRefused(Exception):  # noqa: N818 (as the API server says it)
    """The Job cannot be made, however often it is tried: a sentence why."""


class JobNotMade(Exception):  # noqa: N818 (as above)
    """The API server has refused the Job, or was not reached: surely there is none. Its words."""


async def make_job(
    cluster: Cluster, action: CreateJob, known: KnownCheck, jobs: Sequence[Body], settings: OperatorSettings
) -> Body:
    """The Job that has the name now, be it ours or not.

    Raises JobRefused or JobNotMade, or ApiError when it is not known whether the Job was made.
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
    return await _created(cluster, manifest, is_action=action.stage == "Action")


async def _created(cluster: Cluster, manifest: Body, *, is_action: bool) -> Body:
    """The Job, asked for a few times, and the action's for longer where nobody knows whether it was made.

    A refusal proves nothing where an earlier request may have been obeyed: a quota is asked before the name.
    A Job of the action that was there, and is not any more, is not made again.
    """
    doubt: ApiError | None = None
    where = manifest["metadata"]
    for number, pause in enumerate((*PAUSES, *LONGER_PAUSES, 0)):
        try:
            return await cluster.create_job(manifest)
        except ApiError as error:
            refusal = error
        if not refusal.proves_nothing_was_made:
            doubt = refusal
        elif doubt and (found := await cluster.find_job(where["namespace"], where["name"])):
            return found
        if number >= len(PAUSES) and not (is_action and doubt):
            break
        if is_action and refusal.name_is_taken:
            break
        await asyncio.sleep(pause)
    raise doubt or JobNotMade(refusal.sentence)


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
