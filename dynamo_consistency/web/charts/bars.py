"""What a run's whole is made of, over time: stacked bars."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from markupsafe import Markup

from dynamo_consistency.web.charts import svg
from dynamo_consistency.web.charts.scale import Scale, even_ticks, known
from dynamo_consistency.web.charts.timeline import Frame, Series, nothing_to_draw

_WIDEST, _NARROWEST = 18.0, 2.0


def _round_ticks(highest: float) -> Sequence[float]:
    return even_ticks(0, highest)


def stacked_over_time(
    frame: Frame, series: Sequence[Series], ticks: Callable[[float], Sequence[float]] = _round_ticks
) -> Markup:
    """A bar for each moment with the `series` above each other, the first at the bottom.

    `ticks`: what the axis names, by the highest sum; by default round numbers.
    """
    if not frame.moments:
        return nothing_to_draw(frame.title, frame.width)
    sums = [sum(known(values)) for values in zip(*(one.values for one in series), strict=True)]
    named = ticks(max(sums, default=0))
    up = frame.up(0, named[-1])
    bottoms = [0.0] * len(frame.moments)
    return frame.drawn(up, named, series, *(_layer(frame, up, one, bottoms) for one in series))


def _layer(frame: Frame, up: Scale, series: Series, bottoms: list[float]) -> Markup:
    """One series; `bottoms` is raised by it."""
    return svg.element("g", *_bars(frame, up, series, bottoms), class_=f"series {series.css}")


def _bars(frame: Frame, up: Scale, series: Series, bottoms: list[float]) -> Iterator[Markup]:
    width = _width(frame.places)
    for index, (place, value) in enumerate(zip(frame.places, series.values, strict=True)):
        if value is None or not known([value]) or value == 0:
            continue
        low, high = up.at(bottoms[index]), up.at(bottoms[index] + value)
        bottoms[index] += value
        yield svg.element("rect", x=place - width / 2, y=high, width=width, height=max(0.5, low - high), class_="bar")


def _width(places: Sequence[float]) -> float:
    distances = sorted(after - before for before, after in pairwise(places) if after > before)
    usual = distances[len(distances) // 2] if distances else _WIDEST
    return max(_NARROWEST, min(_WIDEST, usual * 0.7))
