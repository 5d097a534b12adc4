"""The parts of a plan: what it is made from, and what it asks for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from consistency_operator.names import JobStage
from consistency_operator.plan.admission import Admitted, Queued
from consistency_operator.resource.reasons import WARNINGS, EventReason
from consistency_operator.resource.status import CheckStatus, Unreadiness

NotReady = Literal["", Unreadiness]
"""Why a run cannot begin; empty when it can."""


@dataclass(frozen=True)
class Preflight:
    """What site and backend answered when they were asked at the start of a run.

    `time`: when they were asked. `backends`: which version of backends.yaml answered.
    """

    run_id: str
    time: datetime
    ok: bool
    reason: NotReady = ""
    message: str = ""
    backends: str = ""


@dataclass(frozen=True)
class World:
    """What is known besides. All of it may be absent; what is about another run is ignored."""

    admission: Admitted | Queued | None = None
    preflight: Preflight | None = None
    overlaps: tuple[str, ...] = ()
    """Other checks of the site whose roots overlap, and where: `sites/t2-y: /store/mc`."""
    backends: str = ""
    """The version of backends.yaml that there is now."""
    backend_answered: datetime | None = None
    """When the check's backend last answered anybody."""


@dataclass(frozen=True)
class AskBackend:
    """Ask `check_site` and `get_listers`, off the loop and with a deadline, unless that is being done already.

    The answer goes into `World.preflight`, and stays there until the next one; after a restart there is none.
    """

    run_id: str


@dataclass(frozen=True)
class CreateJob:
    """Make the Job of a stage. One of that name that the resource owns is as good.

    See `job_state.of_another`, `job_state.refused` and `job_state.not_made` for what else may come of it.

    `approved`: a person has approved this run. `seconds_left`: until the run's deadline.
    """

    stage: JobStage
    run_id: str
    approved: bool
    seconds_left: int


@dataclass(frozen=True)
class DeleteJob:
    """Delete the Job of this name if it still has this uid, in the foreground: it stays until its pods have ended."""

    name: str
    uid: str


@dataclass(frozen=True)
class ListPods:
    """List the pods of a Job: it is over and not all results are here, or it does not get going; then with the events
    about it.

    Plan again at once if that has shown anything new, else at `wake_at`.
    """

    name: str
    uid: str


Action = AskBackend | CreateJob | DeleteJob | ListPods


@dataclass(frozen=True)
class Event:
    """An event on the resource."""

    reason: EventReason
    message: str

    @property
    def type(self) -> Literal["Normal", "Warning"]:
        """The type of the Kubernetes event."""
        return "Warning" if self.reason in WARNINGS else "Normal"


@dataclass(frozen=True)
class Plan:
    """What shall be. `status` is to be written where it differs from the one that was planned from."""

    status: CheckStatus
    events: tuple[Event, ...] = ()
    actions: tuple[Action, ...] = ()
    wake_at: datetime | None = None
