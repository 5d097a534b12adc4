"""What a step of a plan looks at, and what it can result in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from consistency_operator.cluster.job_state import JobState
from consistency_operator.names import JobStage, job_name
from consistency_operator.plan.admission import Admitted, Queued
from consistency_operator.plan.types import Action, Event, Preflight, World
from consistency_operator.resource.check import Resource
from consistency_operator.resource.reasons import Succeeded
from consistency_operator.resource.status import CheckStatus, Run, RunResult, Stage
from dynamo_consistency.check import Spec

FAR_AHEAD = timedelta(days=1)
"""Nearer than that, a last time in the future is believed: the clock has gone back, and no time is run twice."""
_RUN_DEADLINE = int(Spec.model_fields["run_deadline_seconds"].default)
_START_DEADLINE = int(Spec.model_fields["starting_deadline_seconds"].default)


@dataclass(frozen=True)
class PlanContext:
    """Everything outside the status. `now` has whole seconds, as all times in the status have."""

    resource: Resource
    jobs: tuple[JobState, ...]
    now: datetime
    world: World
    edited: bool = False
    """The spec is another one than at the last plan."""

    @property
    def open_spec(self) -> Spec | None:
        """The spec, where it lets new runs start: it is valid and not suspended."""
        check = self.resource.check
        return None if check is None or check.spec.suspend else check.spec

    def job(self, run: Run, stage: JobStage) -> JobState | None:
        """The Job of a stage; where there is one, what else is said of its name does not matter.

        A copy that somebody has made of it has its labels, but another name.
        """
        name = job_name(self.resource.name, run.id, stage)
        return max((job for job in self.jobs if job.name == name), key=lambda job: bool(job.uid), default=None)

    def unfinished(self, status: CheckStatus) -> Iterator[JobState]:
        """Jobs that go on and are not of the run that the status has."""
        current = status.run.id if status.run else None
        return (job for job in self.jobs if job.unfinished and job.run_id != current)

    def admission(self, run: Run) -> Admitted | Queued | None:
        """Whether this run may begin; None where that was not decided."""
        decided = self.world.admission
        return decided if decided and decided.run_id == run.id else None

    def preflight(self, run: Run) -> Preflight | None:
        """What site and backend answered for this run; None where they were not asked."""
        answer = self.world.preflight
        return answer if answer and answer.run_id == run.id else None

    def deadline_from_now(self) -> datetime:
        """When a run that begins now has to be over."""
        check = self.resource.check
        return self.now + timedelta(seconds=check.spec.run_deadline_seconds if check else _RUN_DEADLINE)

    def start_deadline_from_now(self) -> datetime:
        """When a run that is due now has to begin."""
        check = self.resource.check
        patience = check.spec.starting_deadline_seconds if check else None
        return self.now + timedelta(seconds=patience or _START_DEADLINE)

    def is_in_far_future(self, time: datetime) -> bool:
        """Is this a time that a wrong clock has left?"""
        return time >= self.now + FAR_AHEAD

    def is_far_ahead(self, number: int) -> bool:
        """Is this the number of a run that was begun by a wrong clock?"""
        return number > int((self.now + FAR_AHEAD).timestamp()) // 60


def pause_after(attempts: int, first: timedelta, longest: timedelta) -> timedelta:
    """How long to wait before asking again: longer each time, from `first` to `longest`."""
    doubled: timedelta = first * 2 ** min(attempts - 1, 20)
    return min(doubled, longest)


@dataclass(frozen=True)
class Wait:
    """The run stays in its stage, until something changes or, at the latest, `until`."""

    run: Run
    until: datetime | None = None
    actions: tuple[Action, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Enter:
    """The run goes on to another stage."""

    run: Run
    stage: Stage
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Finish:
    """The run ends."""

    run: Run
    result: RunResult
    reason: Succeeded
    message: str
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Withdraw:
    """The run ends before it has begun: nobody wants it any more."""

    run: Run
    message: str


StageOutcome = Wait | Enter | Finish | Withdraw


def run_number(run_id: str) -> int:
    """Run ids as numbers: later runs have greater ones."""
    return int(run_id) if run_id.isdecimal() and run_id.isascii() else 0


def known_numbers(status: CheckStatus) -> list[int]:
    """The numbers of all runs that the status knows, and 0."""
    ids = [status.last_run_id or "", *(run.id for run in status.history), status.run.id if status.run else ""]
    return [run_number(run_id) for run_id in ids]


def newest_number(status: CheckStatus) -> int:
    """The number of the last run that the status knows; 0 when it knows none."""
    return max(known_numbers(status))
