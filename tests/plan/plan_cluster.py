"""A cluster in miniature, in which plans are carried out: a clock, a status with versions, Jobs, a lagging watch."""

import copy
import itertools
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from consistency_operator import names
from consistency_operator.cluster.job_state import JobState
from consistency_operator.cluster.worker_result import WorkerResult
from consistency_operator.names import JobStage
from consistency_operator.plan import (
    AskBackend,
    CreateJob,
    DeleteJob,
    ListPods,
    Plan,
    Preflight,
    World,
    admission,
    plan,
)
from consistency_operator.resource.check import Resource
from consistency_operator.resource.status import CheckStatus
from consistency_operator.resource.status_reading import read_status
from plan_cases import FOUND, NOW, gates

Mood = Literal["obeys", "refuses", "is silent"]
"""What the API server does when a Job is to be made: silent, it does not make it and does not say so."""
LISTED = {"files": 10, "directories": 2, "bytes": 99, "holes": 0}


class Crash(Exception):  # noqa: N818 (nothing is wrong)
    """The operator ends here."""


@dataclass
class MiniCluster:
    """One check in it. `seen`: the Jobs as the operator's watch shows them. `made`: each Job that ever was."""

    resource: Resource
    now: datetime = NOW
    stored: dict[str, object] = field(default_factory=dict)
    version: int = 0
    jobs: dict[str, JobState] = field(default_factory=dict)
    seen: dict[str, JobState] = field(default_factory=dict)
    made: list[tuple[str, JobStage]] = field(default_factory=list)
    runs: list[CheckStatus] = field(default_factory=list)
    site_ready: bool = True
    mood: Mood = "obeys"
    wake_at: datetime | None = None
    _answer: Preflight | None = None
    _pods_seen: set[str] = field(default_factory=set)
    _taken: JobState | None = None
    _refused: JobState | None = None
    _uids: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def status(self) -> CheckStatus:
        return read_status(self.stored)

    def copy(self) -> "MiniCluster":
        """The same cluster, in which what happens does not happen here."""
        return copy.deepcopy(self)

    def operate(self, crash_after: int | None = None, stale: tuple[int, CheckStatus] | None = None) -> Plan:
        """One reconciliation. It dies after `crash_after` of its writes, or plans from an older version of the status.

        What it does with a status that is not the stored one: nothing, since the write is refused.
        """
        version, status = stale or (self.version, self.status)
        if status.run and any(record.name not in self.seen for record in status.run.jobs):
            self.deliver()
        decided = plan(self.resource, status, self._told(), self.now, self._world(status))
        self.wake_at = decided.wake_at
        writes = itertools.count()
        try:
            if version != self.version:
                return decided
            self._write(status, decided.status, next(writes), crash_after)
            for action in decided.actions:
                if next(writes) == crash_after:
                    raise Crash
                self._act(action)
        except Crash:
            self._answer, self._taken, self._refused = None, None, None
            self._pods_seen.clear()
        return decided

    def deliver(self) -> None:
        """The watch catches up."""
        self.seen = dict(self.jobs)

    def end(self, name: str, complete: bool) -> None:
        """A Job comes to its end."""
        job = self.jobs[name]
        if not job.unfinished:
            return
        results = (self._result(job),) if complete else ()
        state = "Complete" if complete else "Failed"
        self.jobs[name] = replace(job, state=state, finished=self.now, results=results)

    def vanish(self, name: str) -> None:
        """Somebody deletes a Job, or its time to live is over."""
        self.jobs.pop(name, None)

    def end_pods(self) -> None:
        """The pods of Jobs that are being deleted have ended, and the Jobs with them."""
        self.jobs = {name: job for name, job in self.jobs.items() if not job.deleting}

    def _write(self, old: CheckStatus, new: CheckStatus, number: int, crash_after: int | None) -> None:
        if number == crash_after:
            raise Crash
        if new.to_json() != old.to_json():
            if new.run and (old.run is None or old.run.id != new.run.id):
                self.runs.append(new)
            self.stored, self.version = new.to_json(), self.version + 1

    def _act(self, action: object) -> None:
        match action:
            case AskBackend(run_id):
                reason = "" if self.site_ready else "SiteNotReady"
                self._answer = Preflight(run_id, self.now, self.site_ready, reason, "asked")
            case CreateJob(stage, run_id):
                self._create(names.job_name(self.resource.name, run_id, stage), stage, run_id)
            case DeleteJob(name, uid):
                if name in self.jobs and self.jobs[name].uid == uid:
                    self.jobs[name] = replace(self.jobs[name], deleting=True)
            case ListPods(_, uid):
                self._pods_seen.add(uid)

    def _create(self, name: str, stage: JobStage, run_id: str) -> None:
        run = self.status.run
        record = run.job(stage) if run else None
        self._refused = None
        if self.mood == "refuses" and name not in self.jobs:
            asked = record.request_time if record else None
            self._refused = JobState(stage, run_id, name, state="NotMade", problem="no room", asked=asked)
        elif self.mood == "is silent":
            return
        elif name not in self.jobs:
            self.made.append((run_id, stage))
            self.jobs[name] = JobState(stage, run_id, name, uid=f"uid-{next(self._uids)}")
        elif self.jobs[name].state == "Foreign":
            self._taken = JobState(stage, run_id, name, state="Foreign")

    def _told(self) -> list[JobState]:
        jobs = [
            replace(job, reported=True)
            if job.uid in self._pods_seen
            else replace(job, reported=False, listed=False, results=())
            if job.over
            else job
            for job in self.seen.values()
        ]
        return jobs + [known for known in (self._taken, self._refused) if known]

    def _world(self, status: CheckStatus) -> World:
        claim = admission.claim_of(self.resource, status, self.seen.values())
        decided = admission.decide(self.resource.key, [claim], admission.Places(limit=1)) if claim else None
        return World(decided, self._answer)

    def _result(self, job: JobState) -> WorkerResult:
        if job.stage == "Listing":
            return WorkerResult("Listing", job.run_id, 0, "Complete", shard=0, counts=LISTED)
        counts = FOUND if job.stage == "Comparison" else {}
        return WorkerResult(job.stage, job.run_id, 0, "Complete", counts=counts, gates=gates())

    def live_until(self, quiet: "timedelta") -> bool:
        """Let everything work as it should, without a person, for at most so long; whether the run has ended by then.

        To wait for a person's approval is an end as well.
        """
        last = self.now + quiet
        self.site_ready, self.mood = True, "obeys"
        while self.now < last:
            self.end_pods()
            for name in list(self.jobs):
                self.end(name, complete=True)
            self.deliver()
            before = self.version
            acting = bool(self.operate().actions)
            run = self.status.run
            if run is None or run.stage == "AwaitingApproval":
                return True
            if self.version == before:
                soon = self.now + timedelta(seconds=1)
                self.now = soon if acting else max(soon, self.wake_at or self.now + timedelta(hours=1))
        return False
