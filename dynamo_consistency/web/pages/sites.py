"""The first page: a row for each check, those that need a person first; and the same for a screen on the wall."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from dynamo_consistency.web.charts.sparkline import sparkline
from dynamo_consistency.web.models import SiteRow, SitesPage, State, Trend
from dynamo_consistency.web.pages.links import Links
from dynamo_consistency.web.pages.render import ago, render

NEED_A_PERSON: tuple[State, ...] = ("Failed", "GateClosed", "AwaitingApproval", "Overdue")
_TITLES = {
    "missing": "Missing",
    "orphans": "Orphans",
    "mismatches": "Mismatches",
    "emptyDirectories": "Empty dirs",
    "holes": "Holes",
}
_TILES = 24


@dataclass(frozen=True)
class _Trend:
    """A cell of the table. title: as above its column."""

    title: str
    latest: int | None
    change: int | None
    bytes: int | None
    spark: Markup


@dataclass(frozen=True)
class _Line:
    row: SiteRow
    trends: list[_Trend]
    due: str
    running: str


def sites_page(page: SitesPage, links: Links) -> str:
    """All checks as a table."""
    return render(
        "sites.html.j2",
        links,
        page=page,
        need=_need(page),
        titles=list(_TITLES.values()),
        several=_several(page),
        lines=[_Line(row, list(_trends(row)), _due(page, row), _running(page, row)) for row in page.rows],
    )


def wall_page(page: SitesPage, links: Links) -> str:
    """Those that need a person in large letters; how many the others are."""
    urgent = [row for row in page.rows if row.state in NEED_A_PERSON]
    shown = urgent[:_TILES]
    return render(
        "wall.html.j2",
        links,
        page=page,
        need=_need(page),
        several=_several(page),
        lines=[_Line(row, [], "", "") for row in shown],
        left_out=len(page.rows) - len(shown),
    )


def _need(page: SitesPage) -> int:
    return sum(page.numbers.get(state, 0) for state in NEED_A_PERSON)


def _several(page: SitesPage) -> set[str]:
    """Sites with more than one check, whose names are shown as well."""
    return {site for site, number in Counter(row.site for row in page.rows).items() if number > 1}


def _trends(row: SiteRow) -> Iterator[_Trend]:
    known: dict[str, Trend] = {trend.kind: trend for trend in row.trends}
    for kind, title in _TITLES.items():
        trend = known.get(kind) or Trend(kind=kind, title=title, values=[], latest=None, change=None, bytes=None)
        spark = sparkline(trend.values, trend.title, f"series is-{kind}")
        yield _Trend(title, trend.latest, trend.change, trend.bytes, spark)


def _running(page: SitesPage, row: SiteRow) -> str:
    """For how long."""
    began = row.running.start_time if row.running else None
    return ago((page.made_at - began).total_seconds()) if began else ""


def _due(page: SitesPage, row: SiteRow) -> str:
    """When the next run is, or since when it should have been."""
    if row.next_due is None:
        return ""
    late = (page.made_at - row.next_due).total_seconds()
    return f"{ago(late)} overdue" if late >= 3600 else ago(min(late, -1))
