"""What to do about a check, and nothing of how: a pure function from what is known to what shall be.

    plan(resource, status, jobs, now, world) -> Plan(status, events, actions, wake_at)

The supervisor has to keep this order, which makes it safe against crashes, stale caches and a second operator:

1. write `status`, if it differs, on condition that the resource is still the version that was planned from
   (resourceVersion). Refused, or failed: do nothing else, read anew, plan anew;
2. then post `events` and carry out `actions`. An action that fails, or is forgotten by a crash, is planned again
   where that is harmless; the Job of the action is asked for again only where it is sure that there is none;
3. plan again at `wake_at`, or as soon as the resource, one of its Jobs or the world changes.
"""

from consistency_operator.plan.planner import plan
from consistency_operator.plan.types import (
    Action,
    AskBackend,
    CreateJob,
    DeleteJob,
    Event,
    ListPods,
    NotReady,
    Plan,
    Preflight,
    World,
)

__all__ = [
    "Action",
    "AskBackend",
    "CreateJob",
    "DeleteJob",
    "Event",
    "ListPods",
    "NotReady",
    "Plan",
    "Preflight",
    "World",
    "plan",
]
