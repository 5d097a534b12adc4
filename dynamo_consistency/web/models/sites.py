"""The first page: a row for each check of each site."""

from datetime import datetime
from typing import Literal

from dynamo_consistency.web.models.answer import Answer, Gate, Problem, RunReference

State = Literal["Failed", "GateClosed", "AwaitingApproval", "Overdue", "Findings", "Quiet"]
STATES: dict[State, str] = {
    "Failed": "failed or invalid",
    "GateClosed": "gate closed",
    "AwaitingApproval": "waiting for approval",
    "Overdue": "overdue",
    "Findings": "findings",
    "Quiet": "quiet",
}
"""What a check may need a person for, most urgent first, and the words for it.

Failed: the last run that has ended is Invalid, Failed or Unreadable, or died. GateClosed: the gate Inventory,
ListingHealth or Limits is Rejected in the last complete run and no approval can open it. AwaitingApproval: its gate
Approval is Pending and would open. Overdue: the next run by its schedule was due longer than an hour ago, or there was
no success for twice the schedule's interval. Findings: the last complete run has missing, orphans, mismatches, empty
directories or holes. Quiet: none of these.
"""


class Trend(Answer):
    """One number over the last runs.

    kind: as in counts (missing, orphans, mismatches, emptyDirectories, holes, …). title: for people.
    values: of the last 20 runs that have ended, oldest first; None for one that is not complete.
    latest: of the last complete run. change: its difference to the complete run before; None without one.
    bytes: of the last complete run, where the kind has sizes.
    """

    kind: str
    title: str
    values: list[int | None]
    latest: int | None
    change: int | None
    bytes: int | None


class SiteRow(Answer):
    """A check of a site: how it is, and what a person should do.

    check: name of the check, `namespace/name` in a cluster. needs: place of `state` in STATES; rows are ordered by it
    and then by site. last_run: the last that has ended. running: one that has begun after it and has not ended, None
    where it is older than the check's deadline for runs (it died, and is `last_run`). doing: what the resource in the
    cluster says of the run that is on; None where that is not asked, or none is. last_success: when the last complete
    run began; age_seconds: how long ago that is. next_due: by the schedule of the last run's check, or as the resource
    in the cluster says; None without one. overdue_seconds: 0 unless overdue. trends: always missing, orphans,
    mismatches, emptyDirectories, holes, in this order; twins and unmerged follow where the last complete run has some.
    requested, recovered: of the last complete run: what it asked for, and what it observed to be back or gone of
    earlier requests. closed_gates: of the last complete run, those that are not Ready. next_step: one sentence for a
    person. approve: the run whose approval is wanted, else None.
    """

    site: str
    check: str
    state: State
    needs: int
    last_run: RunReference | None
    running: RunReference | None
    doing: str | None = None
    last_success: datetime | None
    age_seconds: float | None
    next_due: datetime | None
    overdue_seconds: float
    trends: list[Trend]
    requested: int
    recovered: int
    closed_gates: list[Gate]
    next_step: str
    approve: str | None


class SitesPage(Answer):
    """All rows that the filter lets through, ordered by what needs a person.

    text: part of the name of a site or check, whatever its case. state: one of STATES. total: rows without the filter.
    numbers: by state, of all rows. problems: what is damaged, at most 20. made_at: when this answer was computed.
    """

    rows: list[SiteRow]
    total: int
    numbers: dict[State, int]
    text: str
    state: State | None
    problems: list[Problem]
    made_at: datetime
