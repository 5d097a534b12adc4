"""The page of a site over time."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from dynamo_consistency.kinds import FINDING_KINDS
from dynamo_consistency.web.answers.sites import problems_of, reference
from dynamo_consistency.web.index.checks import CheckFacts
from dynamo_consistency.web.index.digest import Digest
from dynamo_consistency.web.index.index import KnownSite
from dynamo_consistency.web.models import Point, Series, SitePage, SiteRow
from dynamo_consistency.web.models.site import Measure, Panel, Unit

POINTS_SHOWN = 400

_CONTENTS: dict[Measure, dict[str, str]] = {
    "files": {"listedFiles": "Listed files", "inventoryFiles": "Files in the inventory"},
    "bytes": {"listedBytes": "Listed bytes", "inventoryBytes": "Bytes in the inventory"},
}
_OUTCOMES = {
    "requested": ("requested", "Requested"),
    "waiting": ("waiting", "Waiting already"),
    "skipped": ("skipped", "Skipped at the last look"),
    "refused": ("refused", "Refused"),
    "unanswered": ("unanswered", "Unanswered"),
    "leftOver": ("left_over", "Left for the next run"),
    "heldBack": ("held_back", "Held back"),
}
_STAGES = {
    "snapshot": ("Snapshot", 0, 1),
    "listing": ("Listing", 1, 3),
    "comparison": ("Comparison and action", 3, None),
}
"""Stage → title, and which of a digest's times are its beginning and that of the next stage; None: the run's end."""


class _Line(NamedTuple):
    name: str
    title: str
    panel: Panel
    unit: Unit
    value: Callable[[Digest], float | None]
    limit: float | None = None


def page_of(known: KnownSite, row: SiteRow, check: CheckFacts | None, measure: Measure) -> SitePage:
    """`row`, `check`: of the check that is shown."""
    runs = known.runs[row.check][-POINTS_SHOWN:]
    lines = [*_findings(runs, check, measure), *_holes(), *_contents(measure), *_stages(), *_requests()]
    return SitePage(
        site=known.site,
        check=row.check,
        checks=list(known.runs),
        row=row,
        measure=measure,
        points=[_point(run) for run in runs],
        series=[_series(line, runs) for line in lines],
        problems=problems_of(known)[:20],
    )


def _point(run: Digest) -> Point:
    return Point(
        **reference(run).model_dump(), closed_gates=[gate.name for gate in run.closed], requested=run.requested
    )


def _series(line: _Line, runs: list[Digest]) -> Series:
    values = [line.value(run) if run.is_complete else None for run in runs]
    return Series(name=line.name, title=line.title, panel=line.panel, unit=line.unit, values=values, limit=line.limit)


def _count(name: str) -> Callable[[Digest], float | None]:
    return lambda run: run.counts.get(name)


def _findings(runs: list[Digest], check: CheckFacts | None, measure: Measure) -> Iterator[_Line]:
    """A kind that no run has ever found is no line, unless every check looks for it."""
    complete = [run for run in runs if run.is_complete]
    counts = dict(complete[-1].counts) if complete else {}
    for kind in FINDING_KINDS:
        if not any(run.counts.get(kind.name) for run in complete) and kind.name not in (check.limits if check else {}):
            continue
        limit = check.limit(kind.name, counts) if check and counts else None
        if measure == "bytes" and kind.bytes_name:
            yield _Line(kind.name, kind.title, "findings", "bytes", _count(kind.bytes_name))
        else:
            unit: Unit = "directories" if kind.contents == "directories" else "files"
            yield _Line(kind.name, kind.title, "findings", unit, _count(kind.name), limit)


def _holes() -> Iterator[_Line]:
    yield _Line("holes", "Directories that were not listed", "holes", "directories", _count("holes"))


def _contents(measure: Measure) -> Iterator[_Line]:
    for name, title in _CONTENTS[measure].items():
        yield _Line(name, title, "contents", measure, _count(name))


def _stages() -> Iterator[_Line]:
    def seconds(begin: int, end: int | None) -> Callable[[Digest], float | None]:
        def value(run: Digest) -> float | None:
            first, last = run.times[begin], run.end if end is None else run.times[end]
            return None if first is None or last is None or last < first else last - first

        return value

    for name, (title, begin, end) in _STAGES.items():
        yield _Line(name, title, "stages", "seconds", seconds(begin, end))


def _requests() -> Iterator[_Line]:
    def outcome(key: str) -> Callable[[Digest], float | None]:
        return lambda run: run.outcome(key)

    for key, (name, title) in _OUTCOMES.items():
        yield _Line(name, title, "requests", "requests", outcome(key))
    yield _Line("recovered", "Recovered, of earlier ones", "requests", "requests", lambda run: run.recovered)
