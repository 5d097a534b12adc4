"""Numbers over time as lines, with limits; a run without numbers is a gap."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dynamo_consistency.web.charts import svg
from dynamo_consistency.web.charts.scale import Scale, count_ticks, even_ticks, known
from dynamo_consistency.web.charts.sparkline import placed, strokes
from dynamo_consistency.web.charts.timeline import LEFT, RIGHT, Frame, Series, nothing_to_draw

_DOTS_UP_TO = 60
_LEAST_DISTANCE, _CHARACTER, _SPACE_ABOVE = 12, 6.5, 1.4


@dataclass(frozen=True)
class Limit:
    """A value that should not be exceeded, and of which series."""

    name: str
    css: str
    value: float


def counts_over_time(frame: Frame, series: Sequence[Series], limits: Sequence[Limit] = (), base: int = 10) -> Markup:
    """Numbers that differ by orders of magnitude, from 0 on, by their logarithms. `base` 1024: they are bytes."""
    if not frame.moments:
        return nothing_to_draw(frame.title, frame.width)
    highest = max([*_all_known(series), *known(limit.value for limit in limits)], default=0)
    ticks = count_ticks(highest) if base == 10 else _byte_ticks(highest)
    up = frame.up(0, max(highest * _SPACE_ABOVE, ticks[-1]), compressed=True)
    return _drawn(frame, up, ticks, series, limits)


def levels_over_time(frame: Frame, series: Sequence[Series], base: int = 10) -> Markup:
    """Numbers that are near to each other: the axis begins where they do. `base` 1024: they are bytes."""
    if not frame.moments:
        return nothing_to_draw(frame.title, frame.width)
    values = _all_known(series) or [0.0]
    low = min(values) if min(values) > max(values) / 2 else 0
    ticks = even_ticks(low, max(values), base)
    return _drawn(frame, frame.up(ticks[0], ticks[-1]), ticks, series, ())


def _byte_ticks(highest: float) -> list[float]:
    powers = math.floor(math.log(highest, 1024)) if highest > 1 else 0
    return [0.0, *(1024.0**power for power in range(powers + 1))]


def _all_known(series: Sequence[Series]) -> list[float]:
    return [value for one in series for value in known(one.values)]


def _drawn(
    frame: Frame, up: Scale, ticks: Sequence[float], series: Sequence[Series], limits: Sequence[Limit]
) -> Markup:
    marks = [mark for one in series for mark in _line(frame, up, one)]
    lines, names = _limits(frame, up, limits)
    return frame.drawn(up, ticks, series, *lines, *marks, *names)


def _line(frame: Frame, up: Scale, series: Series) -> Iterator[Markup]:
    points = placed(frame.places, series.values, up)
    drawn, alone = strokes(points)
    dots = [point for point in points if point] if len(points) <= _DOTS_UP_TO else alone
    drawn += [svg.element("circle", cx=x, cy=y, r=2.4, class_="dot") for x, y in dots]
    yield svg.element("g", *drawn, class_=f"series {series.css}")


def _name(frame: Frame, same: Sequence[Limit]) -> str:
    """What equal limits are called in a line, which has to fit."""
    value = frame.form(same[0].value)
    name = f"limit {', '.join(limit.name for limit in same)}: {value}"
    return name if len(name) * _CHARACTER < frame.width - LEFT - RIGHT else f"limit: {value}"


def _limits(frame: Frame, up: Scale, limits: Sequence[Limit]) -> tuple[list[Markup], list[Markup]]:
    """A dashed line each, and their names, which lie above all; equal ones are named together, and one just below
    another is named on hover only.
    """
    lines, names, named = [], [], list[float]()
    for value in sorted({limit.value for limit in limits if known([limit.value])}, reverse=True):
        same = [limit for limit in limits if limit.value == value]
        name = _name(frame, same)
        y = up.at(value)
        css = f"series {same[0].css}"
        line = svg.element("line", svg.hint(name), x1=LEFT, x2=frame.width - RIGHT, y1=y, y2=y, class_="limit")
        lines.append(svg.element("g", line, class_=css))
        if all(abs(y - other) >= _LEAST_DISTANCE for other in named):
            written = svg.text(frame.width - RIGHT, y - 4, name, "limit-name", "end")
            names.append(svg.element("g", written, class_=css))
            named.append(y)
    return lines, names
