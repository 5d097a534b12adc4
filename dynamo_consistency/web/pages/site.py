"""The page of a site: its runs along one time axis."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dynamo_consistency.sizes import UNKNOWN, human_size
from dynamo_consistency.text import count, duration
from dynamo_consistency.web import models
from dynamo_consistency.web.charts.bars import stacked_over_time
from dynamo_consistency.web.charts.lines import Limit, counts_over_time, levels_over_time
from dynamo_consistency.web.charts.scale import duration_ticks
from dynamo_consistency.web.charts.timeline import Frame, Moment, Series
from dynamo_consistency.web.models import Point, SitePage
from dynamo_consistency.web.pages.links import Links
from dynamo_consistency.web.pages.render import moment, render

_WIDE, _NARROW = 1080, 340
_TITLES = {
    "findings": "Findings and their limits",
    "holes": "Holes: directories that could not be listed",
    "contents": "Listed at the site, and in the inventory",
    "stages": "Duration by stage",
    "requests": "Requests by outcome",
}
_HEIGHTS = {"findings": 240, "holes": 120}
_BARS = ("stages", "requests")
_FORMS: dict[str, Callable[[float], str]] = {
    "bytes": lambda value: human_size(round(value)),
    "seconds": lambda value: duration(value) if value else "0",
}


@dataclass(frozen=True)
class _Entry:
    """A series in a legend, with its last number."""

    css: str
    title: str
    latest: str
    limit: str


@dataclass(frozen=True)
class _Panel:
    """A chart, drawn twice: for a wide window and for a narrow one."""

    name: str
    title: str
    bars: bool
    legend: list[_Entry]
    wide: Markup
    narrow: Markup


@dataclass(frozen=True)
class _Row:
    """A run in the table, with the numbers that the charts show; empty for a gap."""

    point: Point
    cells: list[str]


def site_page(page: SitePage, links: Links) -> str:
    """A check of a site: how it is, its charts, and all its runs."""
    told = [*_worth_a_line([line for line in page.series if line.panel == "findings"])]
    told += [line for line in page.series if line.panel == "holes"]
    return render(
        "site.html.j2",
        links,
        page=page,
        panels=list(_panels(page)),
        columns=["Holes" if line.panel == "holes" else line.title for line in told],
        rows=[_Row(point, [_cell(line, index) for line in told]) for index, point in enumerate(page.points)],
    )


def _panels(page: SitePage) -> Iterator[_Panel]:
    order = sorted((_started(point), index) for index, point in enumerate(page.points) if point.start_time)
    moments = [_moment(at, page.points[index]) for at, index in order]
    for name, title in _TITLES.items():
        lines = list(_worth_a_line([line for line in page.series if line.panel == name]))
        if not lines:
            continue
        series = [Series(line.title, f"is-{line.name}", [line.values[index] for _, index in order]) for line in lines]
        wide, narrow = (
            _drawn(name, lines, series, _frame(page, name, moments, width, _FORMS.get(lines[0].unit, _whole)))
            for width in (_WIDE, _NARROW)
        )
        yield _Panel(name, title, name in _BARS, [_entry(line) for line in lines], wide, narrow)


def _worth_a_line(lines: Sequence[models.Series]) -> Iterator[models.Series]:
    """What can share an axis: where sizes are shown, nothing that has none. Of requests only what there was."""
    sized = any(line.unit == "bytes" for line in lines)
    for index, line in enumerate(lines):
        if (line.unit == "bytes") == sized and (line.panel != "requests" or not index or any(line.values)):
            yield line


def _frame(page: SitePage, name: str, moments: list[Moment], width: int, form: Callable[[float], str]) -> Frame:
    title = f"{_TITLES[name]}: {page.site}, {len(moments)} runs"
    return Frame(title, moments, form, width, _HEIGHTS.get(name, 180), hints=width == _WIDE)


def _drawn(name: str, lines: Sequence[models.Series], series: list[Series], frame: Frame) -> Markup:
    base = 1024 if lines[0].unit == "bytes" else 10
    if name == "contents":
        return levels_over_time(frame, series, base)
    if name == "stages":
        return stacked_over_time(frame, series, duration_ticks)
    if name in _BARS:
        return stacked_over_time(frame, series)
    limits = [Limit(line.title.lower(), f"is-{line.name}", line.limit) for line in lines if line.limit is not None]
    return counts_over_time(frame, series, limits, base)


def _cell(line: models.Series, index: int) -> str:
    value = line.values[index]
    return "" if value is None else _FORMS.get(line.unit, _whole)(value)


def _entry(line: models.Series) -> _Entry:
    form = _FORMS.get(line.unit, _whole)
    latest = next((value for value in reversed(line.values) if value is not None), None)
    limit = form(line.limit) if line.limit is not None else ""
    return _Entry(f"is-{line.name}", line.title, UNKNOWN if latest is None else form(latest), limit)


def _started(point: Point) -> float:
    return point.start_time.timestamp() if point.start_time else 0.0


def _moment(at: float, point: Point) -> Moment:
    gap = "" if point.result == "Complete" else f"{point.result}: {point.reason or 'no reason is known'}"
    return Moment(at, f"{moment(point.start_time)}, run {point.run_id}", gap)


def _whole(value: float) -> str:
    return count(round(value))
