"""What there is to tell of a run, once: pure functions from what is known of it now, and was known before."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

Event = Literal["RunFailed", "ApprovalRequired", "GateClosed", "ActionsRequested"]
EVENTS: tuple[Event, ...] = get_args(Event)
"""In the order of their weight: of several that happen at the same moment, one is told, and its text has them all."""

LIFTED_BY_APPROVAL = {"Limits", "Approval"}
"""Gates that the approval of a run opens."""


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run.

    `result`: Complete, Invalid or Failed; empty while the run goes on. `found`: the findings in words. `gates`: the
    sentence of each gate that is Rejected, by its name. `requested`: how many deletions and transfers were requested.
    """

    site: str
    run_id: str = ""
    result: str = ""
    reason: str = ""
    found: str = ""
    gates: Mapping[str, str] = field(default_factory=dict)
    wants_approval: bool = False
    requested: Mapping[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Has it ended without proving anything?"""
        return self.result in ("Invalid", "Failed")


def event_of(
    now: RunFacts, before: RunFacts | None, closed_before: Collection[str], wanted: Collection[Event]
) -> Event | None:
    """What of `wanted` is to be told of a run; None: nothing is new.

    `before`: what was known of the same run at the last look. `closed_before`: gates that were closed in the run before
    this one.
    """
    was = before or RunFacts(now.site)
    news = {
        "RunFailed": now.failed and not was.failed,
        "ApprovalRequired": now.wants_approval and not was.wants_approval,
        "GateClosed": bool(now.gates.keys() - was.gates.keys() - set(closed_before)),
        "ActionsRequested": sum(now.requested.values()) > sum(was.requested.values()),
    }
    return next((event for event in EVENTS if news[event] and event in wanted), None)


def waits_for_approval_alone(states: Mapping[str, str]) -> bool:
    """Would an approval, and nothing else, open what is closed? `states`: of each gate, by its name."""
    closed = {name for name, state in states.items() if state != "Ready"}
    return states.get("Approval") == "Pending" and closed <= LIFTED_BY_APPROVAL
