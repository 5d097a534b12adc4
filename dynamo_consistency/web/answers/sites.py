"""The rows of the first page."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from dynamo_consistency.kinds import EMPTY_DIRECTORY, KIND_BY_NAME, MISMATCH, MISSING, ORPHAN, TWIN, UNMERGED
from dynamo_consistency.paths import visible
from dynamo_consistency.web.answers.condition import Condition, condition_of, next_step
from dynamo_consistency.web.index.checks import CheckFacts, Checks
from dynamo_consistency.web.index.digest import ClosedGate, Digest
from dynamo_consistency.web.index.index import KnownSite
from dynamo_consistency.web.models import STATES, Gate, Problem, RunReference, SiteRow, SitesPage, State, Trend
from dynamo_consistency.web.resources import ResourceState

RUNS_SHOWN = 20
_PROBLEMS_SHOWN = 20
_STATES = list(STATES)
_ALWAYS = (MISSING.name, ORPHAN.name, MISMATCH.name, EMPTY_DIRECTORY.name, "holes")
_WHERE_FOUND = (TWIN.name, UNMERGED.name)


def rows_of(known: KnownSite, checks: Checks, now: datetime, told: Mapping[str, ResourceState]) -> list[SiteRow]:
    """A row for each check of a site. `told`: by resources in the cluster."""
    return [
        row_of(known.site, check, runs, checks.of(known.site, runs[-1].run_id), now, resource=told.get(check))
        for check, runs in known.runs.items()
    ]


def row_of(
    site: str,
    name: str,
    runs: list[Digest],
    check: CheckFacts | None,
    now: datetime,
    *,
    resource: ResourceState | None = None,
) -> SiteRow:
    """The row of a check; `runs`: oldest first, at least one."""
    is_now = condition_of(runs, check, now, resource)
    last, complete = is_now.last, is_now.complete
    return SiteRow(
        site=site,
        check=name,
        state=is_now.state,
        needs=_STATES.index(is_now.state),
        last_run=reference(last) if last else None,
        running=reference(is_now.running) if is_now.running else None,
        doing=resource.doing if resource else None,
        last_success=moment(complete.start) if complete else None,
        age_seconds=max(0.0, now.timestamp() - complete.start) if complete and complete.start is not None else None,
        next_due=is_now.due,
        overdue_seconds=is_now.overdue.total_seconds(),
        trends=_trends(is_now, [run for run in runs if run is not is_now.running]),
        requested=complete.requested if complete else 0,
        recovered=complete.recovered if complete else 0,
        closed_gates=[gate_of(gate) for gate in complete.closed] if complete else [],
        next_step=next_step(is_now, check),
        approve=complete.run_id if complete and is_now.awaiting else None,
    )


def page_of(rows: Iterable[SiteRow], problems: Iterable[Problem], text: str, state: State | None) -> SitesPage:
    """The page of those rows that the filter lets through."""
    everything = sorted(rows, key=lambda row: (row.needs, row.site, row.check))
    shown = [
        row
        for row in everything
        if (state is None or row.state == state) and text.lower() in f"{row.site} {row.check}".lower()
    ]
    return SitesPage(
        rows=shown,
        total=len(everything),
        numbers={name: sum(row.state == name for row in everything) for name in STATES},
        text=visible(text),
        state=state,
        problems=list(problems)[:_PROBLEMS_SHOWN],
        made_at=datetime.now(UTC),
    )


def problems_of(known: KnownSite) -> list[Problem]:
    """What of a site is damaged; the newest first."""
    return [
        Problem(site=known.site, run_id=run_id or None, message=message)
        for run_id, message in sorted(known.problems.items(), reverse=True)
    ]


def reference(run: Digest) -> RunReference:
    return RunReference(
        run_id=run.run_id, result=run.result, reason=run.reason, start_time=moment(run.start), end_time=moment(run.end)
    )


def gate_of(gate: ClosedGate) -> Gate:
    return Gate(**gate._asdict())


def moment(seconds: float | None) -> datetime | None:
    """A time in seconds since 1970; None for one that no calendar has."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _trends(is_now: Condition, ended: list[Digest]) -> list[Trend]:
    complete, shown = is_now.complete, ended[-RUNS_SHOWN:]
    counts = complete.counts if complete else {}
    before = is_now.earlier[-1].counts if is_now.earlier else {}
    names = [*_ALWAYS, *(name for name in _WHERE_FOUND if counts.get(name))]
    return [_trend(name, counts, before, shown) for name in names]


def _trend(name: str, counts: Mapping[str, int], before: Mapping[str, int], shown: list[Digest]) -> Trend:
    kind = KIND_BY_NAME.get(name)
    latest, earlier = counts.get(name), before.get(name)
    return Trend(
        kind=name,
        title=kind.title if kind else "Holes",
        values=[run.counts.get(name) if run.is_complete else None for run in shown],
        latest=latest,
        change=None if latest is None or earlier is None else latest - earlier,
        bytes=counts.get(kind.bytes_name) if kind and kind.bytes_name else None,
    )
