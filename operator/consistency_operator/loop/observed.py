"""What was found out about one check, beyond its body and its Jobs: kept in memory, and found again when lost."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from consistency_operator.cluster.api import Body, Cluster
from consistency_operator.cluster.api_error import ApiError
from consistency_operator.cluster.digest import KnownCheck
from consistency_operator.cluster.job_state import JobState, from_job, is_over
from consistency_operator.names import LABEL_RUN
from consistency_operator.plan import Preflight

log = logging.getLogger(__name__)

MOST_PODS = 3
"""That are looked at more closely where several do not run."""


@dataclass
class Observed:
    """`asking`: the run for which a backend is being asked, and the task that does it.

    `pods`, `events`, `unlisted` (why its pods could not be listed): by the uid of the Job. `not_made`: Jobs that were
    refused or belong to somebody else, by name.
    """

    preflight: Preflight | None = None
    asking: tuple[str, asyncio.Task[None]] | None = None
    pods: dict[str, list[Body]] = field(default_factory=dict)
    events: dict[str, list[Body]] = field(default_factory=dict)
    unlisted: dict[str, str] = field(default_factory=dict)
    not_made: dict[str, JobState] = field(default_factory=dict)

    def states(self, known: KnownCheck, jobs: Sequence[Body]) -> list[JobState]:
        """The states of the Jobs of a check; what is kept of other runs than the one that goes on is forgotten."""
        run_id = known.status.run.id if known.status.run else None
        of_the_run = {body["metadata"]["uid"] for body in jobs if body["metadata"]["labels"].get(LABEL_RUN) == run_id}
        self.pods = {uid: pods for uid, pods in self.pods.items() if uid in of_the_run}
        self.events = {uid: events for uid, events in self.events.items() if uid in of_the_run}
        self.unlisted = {uid: why for uid, why in self.unlisted.items() if uid in of_the_run}
        self.not_made = {name: state for name, state in self.not_made.items() if state.run_id == run_id}
        return [*self._there(jobs, known.resource.uid), *self.not_made.values()]

    async def look_at(self, cluster: Cluster, job: Body) -> bool:
        """List the pods of a Job and, where it is not over, what the cluster says of it; whether that is news.

        Raises ApiError where the pods cannot be listed; the states of the Jobs say so from then on.
        """
        uid, namespace, name = (job["metadata"][key] for key in ("uid", "namespace", "name"))
        before = self.pods.get(uid), self.events.get(uid)
        try:
            self.pods[uid] = await cluster.list_pods(namespace, name)
        except ApiError as error:
            self.unlisted[uid] = error.sentence
            raise
        self.unlisted.pop(uid, None)
        self.events[uid] = [] if is_over(job) else await self._events(cluster, job)
        return (self.pods[uid], self.events[uid]) != before

    def _there(self, jobs: Sequence[Body], owner_uid: str) -> Iterator[JobState]:
        for job in jobs:
            uid = job["metadata"]["uid"]
            if state := from_job(job, self.pods.get(uid), owner_uid, self.events.get(uid, ())):
                yield replace(state, unlisted=self.unlisted.get(uid, ""))

    async def _events(self, cluster: Cluster, job: Body) -> list[Body]:
        """About the Job, and about the first of its pods that do not run; they are worth no failure."""
        namespace, name = job["metadata"]["namespace"], job["metadata"]["name"]
        pods = self.pods[job["metadata"]["uid"]]
        waiting = sorted(pod["metadata"]["name"] for pod in pods if pod.get("status", {}).get("phase") == "Pending")
        about = [("Job", name), *(("Pod", pod) for pod in waiting[:MOST_PODS])]
        try:
            return [event for kind, of in about for event in await cluster.list_events(namespace, kind, of)]
        except ApiError as error:
            log.warning("events about the Job %s/%s could not be listed: %s", namespace, name, error)
            return []
