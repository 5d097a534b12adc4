"""The page of a site: one time axis, and what was measured along it."""

from typing import Literal

from dynamo_consistency.web.models.answer import Answer, Problem, RunReference
from dynamo_consistency.web.models.sites import SiteRow

Panel = Literal["findings", "holes", "contents", "stages", "requests"]
Measure = Literal["files", "bytes"]
Unit = Literal["files", "bytes", "directories", "seconds", "requests"]


class Point(RunReference):
    """A run on the axis. One that is not Complete is a gap, with its `reason`. requested: what it asked for."""

    closed_gates: list[str]
    requested: int


class Series(Answer):
    """One line. values: one for each point of the axis, None for a gap, or what that run did not measure.

    panel: the chart that it belongs to. findings: a line for each kind, in files or bytes as the page's measure says
    (empty directories always in directories); holes: directories that were not listed; contents: what was listed
    against what the inventory has, in files or bytes; stages: seconds from the beginning of a stage to that of the next
    (snapshot, listing, comparison); requests: by outcome (requested, waiting, skipped, refused, unanswered, left_over,
    held_back, recovered).
    limit: the most findings that the last run's check allows for the site (count and fraction, the smaller), where the
    measure is files; None: no limit.
    """

    name: str
    title: str
    panel: Panel
    unit: Unit
    values: list[float | None]
    limit: float | None


class SitePage(Answer):
    """A check of a site over time.

    row: as on the first page. checks: all checks of the site. points: all its runs, oldest first, at most 400.
    """

    site: str
    check: str
    checks: list[str]
    row: SiteRow
    measure: Measure
    points: list[Point]
    series: list[Series]
    problems: list[Problem]
