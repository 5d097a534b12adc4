"""Confirmed findings that are not taken up, whatever site and inventory say now. They are left over, with a reason."""

from collections.abc import Callable

from dynamo_consistency.kinds import KindName
from dynamo_consistency.run.action.objections import Finding
from dynamo_consistency.run.gates import Facts
from dynamo_consistency.run.gates.confirmation import IN_EMPTY_DIRECTORY, NEVER_ACTED_ON
from dynamo_consistency.run.gates.stricter import TIGHTENED

WAITS_FOR_APPROVAL = "waits for approval: its directory was listed without any entry"

HeldBack = Callable[[KindName, Finding], str | None]
"""Why a finding is not taken up; None when it may be."""


def held_back(facts: Facts) -> HeldBack:
    """By what the comparison has marked, and by a check that is stricter now."""
    keeps = facts.tightening.keeper() if facts.tightening else None
    reasons = {mark: mark for mark in NEVER_ACTED_ON}
    if not facts.approval_lifts:
        reasons[IN_EMPTY_DIRECTORY] = WAITS_FOR_APPROVAL

    def why(kind: KindName, finding: Finding) -> str | None:
        mark = finding.get("mark")  # runs of earlier versions have no such column
        if mark in reasons:
            return reasons[mark]
        return TIGHTENED if keeps and keeps(kind, finding["path"]) else None

    return why
