"""Answers as a store could give them: checks in all states, runs that failed in all ways, and hostile names."""

from datetime import UTC, datetime, timedelta

from dynamo_consistency.web.models import (
    STATES,
    AgeBand,
    Change,
    DatasetRow,
    Directory,
    Download,
    FileFound,
    FilePage,
    FindingRow,
    FindingsPage,
    Funnel,
    Gate,
    Hole,
    Name,
    Occurrence,
    Point,
    Problem,
    RunPage,
    RunReference,
    Series,
    SitePage,
    SiteRow,
    SitesPage,
    Trend,
)

NOW = datetime(2026, 11, 29, 10, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
RUNS = 24
HOSTILE = "<script>alert(1)</script>\"'&{{ 7*7 }}"
"""A name as a site, a check, a directory or an error message may hold it."""
HOSTILE_PATH = b"/store/mc/<img src=x onerror=alert(1)>/\xff\n\x1b[31m"
KINDS = {
    "missing": "Missing files",
    "orphans": "Orphans",
    "mismatches": "Mismatches",
    "emptyDirectories": "Empty directories",
}
RESULTS = {5: "Failed", 11: "Invalid", 16: "Unreadable", 23: "Unfinished"}


def reference(number: int = 22, result: str = "Complete", reason: str = "") -> RunReference:
    start = NOW - WEEK * (RUNS - number)
    return RunReference(
        run_id=f"{start:%Y%m%dT%H%M%SZ}-t2-xx",
        result=result,
        reason=reason,
        start_time=None if result == "Unreadable" else start,
        end_time=start + timedelta(hours=3) if result == "Complete" else None,
    )


def trend(kind: str, values: list[int | None], size: int | None = None) -> Trend:
    known = [value for value in values if value is not None]
    change = known[-1] - known[-2] if len(known) > 1 else None
    latest = known[-1] if known else None
    return Trend(kind=kind, title=KINDS.get(kind, "Holes"), values=values, latest=latest, change=change, bytes=size)


def row(state: str = "Findings", site: str = "T2_XX_Somewhere", check: str = "t2-xx", scale: int = 12) -> SiteRow:
    values: list[int | None] = [None if n in RESULTS else scale * (n % 7) for n in range(4, RUNS)]
    never = state == "Failed" and scale == 0
    gate = Gate(name="Limits", state="Rejected", observed="5", limit="1", message=f"too many: {HOSTILE}")
    return SiteRow(
        site=site,
        check=check,
        state=state,
        needs=list(STATES).index(state),
        last_run=reference(result="Invalid", reason="the snapshot is empty") if state == "Failed" else reference(),
        running=reference(23, "Unfinished") if state == "Overdue" else None,
        last_success=None if never else NOW - timedelta(days=3),
        age_seconds=None if never else 3 * 86400.0,
        next_due=None if never else NOW + (timedelta(hours=-8.5) if state == "Overdue" else timedelta(days=4)),
        overdue_seconds=30000.0 if state == "Overdue" else 0.0,
        trends=[trend(kind, [] if never else values, scale * 10**10) for kind in (*KINDS, "holes")],
        requested=scale,
        recovered=scale // 2,
        closed_gates=[gate] if state == "GateClosed" else [],
        next_step=f"Look at {site}: {STATES[state]}.",
        approve=reference().run_id if state == "AwaitingApproval" else None,
    )


def sites_answer(rows: list[SiteRow] | None = None, text: str = "", state: str | None = None) -> SitesPage:
    if rows is None:
        rows = [row(one, f"T2_XX_{one}", scale=10 ** (5 - n)) for n, one in enumerate(STATES)]
        rows += [
            row("Failed", HOSTILE, HOSTILE, 0),
            row("Quiet", "T2_XX_Two", "a/one"),
            row("Quiet", "T2_XX_Two", "a/two"),
        ]
    numbers = {one: sum(line.state == one for line in rows) for one in STATES}
    problem = Problem(site=HOSTILE, run_id="1", message=f"summary.json is damaged: {HOSTILE}")
    return SitesPage(
        rows=rows, total=len(rows), numbers=numbers, text=text, state=state, problems=[problem], made_at=NOW
    )


def series(panel: str, unit: str, names: dict[str, str], scale: int, limit: float | None = None) -> list[Series]:
    values = [[None if n in RESULTS else scale * (k + 1) * (1 + n % 5) for n in range(RUNS)] for k in range(len(names))]
    return [
        Series(name=name, title=title, panel=panel, unit=unit, values=line, limit=limit)
        for (name, title), line in zip(names.items(), values, strict=True)
    ]


def site_answer(measure: str = "files", runs: int = RUNS) -> SitePage:
    points = [
        Point(
            **reference(n, RESULTS.get(n, "Complete"), HOSTILE if n in RESULTS else "").model_dump(),
            closed_gates=["Limits"] if n % 6 == 0 else [],
            requested=n,
        )
        for n in range(runs)
    ]
    lines = [
        *series("findings", measure, KINDS, 37, 10_000 if measure == "files" else None),
        *series("holes", "directories", {"holes": "Holes"}, 1),
        *series("contents", measure, {"listed": "Listed", "inventory": "Inventory"}, 1_500_000),
        *series("stages", "seconds", {"snapshot": "Snapshot", "listing": "Listing", "comparison": "Comparison"}, 600),
        *series("requests", "requests", {"requested": "Requested", "refused": "Refused"}, 20),
    ]
    cut = [one.model_copy(update={"values": one.values[:runs]}) for one in lines]
    return SitePage(
        site="T2_XX_Somewhere",
        check="a/t2-xx",
        checks=["a/t2-xx", HOSTILE],
        row=row("GateClosed"),
        measure=measure,
        points=points,
        series=cut,
        problems=[],
    )


def directory(path: bytes, size: int | None, children: tuple[Directory, ...] = (), **more: int) -> Directory:
    numbers = {"missing": 0, "missing_bytes": 0, "orphans": 0, "orphan_bytes": 0, "holes": 0} | more
    return Directory(
        path=Name.of(path),
        is_rest=False,
        files=None if size is None else size // 10**6,
        bytes=size,
        width=size or 10**8,
        children=list(children),
        **numbers,
    )


def roots() -> list[Directory]:
    hostile = directory(HOSTILE_PATH, 10**9, missing=3, missing_bytes=4 * 10**8)
    mc = directory(
        b"/store/mc", 6 * 10**9, (hostile, directory(b"/store/mc/Run2", 4 * 10**9)), missing=3, missing_bytes=4 * 10**8
    )
    data = directory(
        b"/store/data", 3 * 10**9, (directory(b"/store/data/x", None, holes=1),), orphans=8, orphan_bytes=10**9, holes=1
    )
    return [mc, data]


def run_answer(result: str = "Complete", **changes: object) -> RunPage:
    complete = result == "Complete"
    funnel = Funnel(kind="missing", title="Missing files", request="transfer", mode="Enforce", found=100, confirmed=80,
                    within_limits=80, approved=0, requested=None, answered=None, recovered=None)  # fmt: skip
    told = Funnel(kind="twins", title="Twins", request=None, mode=None, found=2, confirmed=None, within_limits=None,
                  approved=None, requested=None, answered=None, recovered=None)  # fmt: skip
    gates = [
        Gate(name="Limits", state="Rejected", observed="100", limit="10", message=HOSTILE),
        Gate(name="Mode", state="Ready", observed="Enforce", limit="Enforce", message="enforced: missing"),
        Gate(name="Approval", state="Pending", observed="not approved", limit="Required", message="approve it"),
    ]
    page = RunPage(
        site="T2_XX_Somewhere",
        check="a/t2-xx",
        run=reference(result=result, reason="" if complete else f"a stage died: {HOSTILE}"),
        took_seconds=10800.0 if complete else None,
        is_in_force=complete,
        before=reference(21),
        after=None,
        compared_with=reference(20) if complete else None,
        next_step="Look at the lists, then approve this run.",
        notes=[HOSTILE],
        facts={"Backend": "default", "Roots": f"/store/mc, {HOSTILE}"},
        counts={"listedFiles": 9000},
        funnels=[funnel, told] if complete else [],
        gates=gates if complete else [],
        roots=roots() if complete else [],
        datasets=[
            DatasetRow(dataset=HOSTILE, files=60, bytes=10**9, no_source=3, unrecoverable=1),
            DatasetRow(dataset=None, files=40, bytes=10**8, no_source=None, unrecoverable=None),
        ]
        if complete
        else [],
        datasets_total=140 if complete else 0,
        ages=[AgeBand(title=title, files=n * 7, bytes=n * 10**9) for n, title in enumerate(AGES)] if complete else [],
        changes=[Change(kind="missing", title="Missing files", new=20, gone=5, standing=80)] if complete else [],
        holes=[Hole(path=Name.of(HOSTILE_PATH), reason=HOSTILE)] if complete else [],
        holes_total=33 if complete else 0,
        downloads=[download("missing", 100), download("orphans", 8), download("mismatches", 0)] if complete else [],
        approval={"In git": f'spec:\n  approve: {{run: "{reference().run_id}"}}'} if complete else {},
        problems=[Problem(site="T2_XX_Somewhere", run_id="1", message=HOSTILE)],
    )
    return page.model_copy(update=changes)


AGES = ("under 1 week", "1 to 4 weeks", "1 to 3 months", "3 to 12 months", "over 1 year")


def download(kind: str, total: int) -> Download:
    names = {form: f"{kind}.{form if form != 'text' else 'txt'}" for form in ("text", "csv", "parquet")}
    return Download(
        kind=kind, file_name=kind, title=KINDS[kind], meaning="…", total=total, bytes=total * 10**7, names=names
    )


def findings_answer(kind: str = "missing", text: str = "", sort: str | None = None) -> FindingsPage:
    found = [HOSTILE_PATH, *(f"/store/mc/Run2/file_{n:03d}.root".encode() for n in range(40))]
    rows = [
        FindingRow(path=Name.of(path), size=n * 10**7, site_size=None, modified=None, dataset=HOSTILE, root="/store/mc",
                   mark=None, outcome="skipped" if n % 3 == 0 else None, reason=HOSTILE if n % 3 == 0 else None)
        for n, path in enumerate(found)
    ]  # fmt: skip
    return FindingsPage(site="T2_XX_Somewhere", run_id=reference().run_id, kind=kind, title=KINDS[kind], total=100,
                        meaning="the inventory expects them, the site lacks them", matching=60, sort=sort,
                        descending=False, text=text, rows=rows)  # fmt: skip


def file_answer(found: bool = True) -> FilePage:
    times = {"start_time": NOW - WEEK, "asked_at": NOW - WEEK}
    seen = Occurrence(run_id=reference().run_id, kind="missing", title="missing", size=2048, site_size=None,
                      dataset=HOSTILE, request="transfer", outcome="requested", became="recovered", reason=None,
                      **times)  # fmt: skip
    kept = seen.model_copy(
        update={"request": None, "outcome": None, "became": None, "reason": HOSTILE, "asked_at": None}
    )
    return FilePage(
        site="T2_XX_Somewhere",
        query=Name.of(HOSTILE_PATH).text,
        is_prefix=True,
        files=[FileFound(path=Name.of(HOSTILE_PATH), occurrences=[kept, seen])] if found else [],
        is_cut=found,
        runs_searched=50,
        problems=[],
    )
