"""The whole plan of a check: steps until nothing more is to be done, then what people are told."""

from collections.abc import Iterable
from datetime import datetime

from consistency_operator.jobs import JobState
from consistency_operator.plan.types import Plan, World
from consistency_operator.resource import Resource
from consistency_operator.status import Status


def plan(resource: Resource, status: Status, jobs: Iterable[JobState], now: datetime, world: World) -> Plan:
    """What to do about one check, from its resource, its last status and all Jobs that it owns.

    Total: gives a plan for every combination, and never raises. Idempotent: planning from `Plan.status` with all else
    the same gives that status again. Of the Jobs, those that are missing are known to be missing: the caller must have
    listed all of them before it asks.
    """
    raise NotImplementedError
