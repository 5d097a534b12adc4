"""What has become of a Job, from the Job and its pods: judged by its conditions Complete and Failed alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from consistency_operator.names import JobStage
from consistency_operator.results import Result

State = Literal["Running", "Complete", "Failed", "Foreign", "Refused"]


@dataclass(frozen=True)
class JobState:
    """A Job of this operator, or the reason why there is none.

    `state`: Foreign: a Job of that name belongs to somebody else (no other field is then to be trusted). Refused: the
    API server will not have it, however often it is asked; `trouble` says why. Running: not yet Complete or Failed,
    suspended and waiting Jobs included.
    `reason`: of the condition Failed. `trouble`: what went wrong, a sentence for people; empty when nothing did.
    `told`: all that the pods can tell is here. A Job that is over and not `told` may have pods that were not seen yet:
    list them again.
    """

    stage: JobStage
    run_id: str
    name: str
    uid: str = ""
    state: State = "Running"
    reason: str = ""
    trouble: str = ""
    told: bool = True
    completions: int = 1
    max_failed_indexes: int = 0
    completed_indexes: str = ""
    failed_indexes: str = ""
    created: datetime | None = None
    finished: datetime | None = None
    results: tuple[Result, ...] = ()

    @property
    def unfinished(self) -> bool:
        return self.state == "Running"


def from_job(job: Mapping[str, Any], pods: Sequence[Mapping[str, Any]], owner_uid: str) -> JobState:
    """The state of a Job from its body and those of its pods (any that are known, also ones that are gone by now)."""
    raise NotImplementedError


def refused(stage: JobStage, run_id: str, name: str, why: str) -> JobState:
    """The state of a Job that the API server refused for good (400, 403, 404, 422): `why` is its message."""
    return JobState(stage, run_id, name, state="Refused", trouble=why)


def foreign(stage: JobStage, run_id: str, name: str) -> JobState:
    """The state of a Job whose name is taken (409) by one that the resource does not own."""
    return JobState(stage, run_id, name, state="Foreign")
