"""What charts over time share: the moments at which runs began, the axes, and the gaps of runs without numbers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup

from dynamo_consistency.web.charts import svg
from dynamo_consistency.web.charts.scale import Scale, middles, time_ticks

LEFT, RIGHT, TOP, BOTTOM = 76, 10, 12, 22
_SPACE_OF_A_DATE, _HEIGHT_OF_A_NAME = 70, 13


@dataclass(frozen=True)
class Moment:
    """A run: when it began (seconds since 1970), what to call it, and why it has no numbers where it has none."""

    at: float
    name: str
    gap: str = ""


@dataclass(frozen=True)
class Series:
    """A number at each moment, None where it is not known. `css`: the class that gives it its colour."""

    name: str
    css: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Frame:
    """Where a chart over time is drawn, and how its numbers are written. Moments are in the order of their times."""

    title: str
    moments: Sequence[Moment]
    form: Callable[[float], str]
    width: int = 960
    height: int = 190
    hints: bool = True
    """Whether each moment tells its numbers on hover."""

    @cached_property
    def across(self) -> Scale:
        first, last = self.moments[0].at, self.moments[-1].at
        inset = 8 if last > first else (self.width - LEFT - RIGHT) / 2
        return Scale(first, last, LEFT + inset, self.width - RIGHT - inset)

    @cached_property
    def places(self) -> list[float]:
        return [self.across.at(moment.at) for moment in self.moments]

    @property
    def bottom(self) -> float:
        return self.height - BOTTOM

    def up(self, low: float, high: float, compressed: bool = False) -> Scale:
        return Scale(low, high, self.bottom, TOP, compressed)

    def drawn(self, up: Scale, ticks: Sequence[float], series: Sequence[Series], *marks: Markup) -> Markup:
        """The whole picture: axes, gaps and `marks`; and on hover the numbers of `series`."""
        hints = self._hints(series) if self.hints else ()
        parts = [*self._grid(up, ticks), *self._dates(), *self._gaps(), *marks, *hints]
        return svg.picture(self.width, self.height, *parts, title=self.title, css="timeline")

    def _grid(self, up: Scale, ticks: Sequence[float]) -> Iterator[Markup]:
        """A line for each tick, named where there is room."""
        named = float(self.height + _HEIGHT_OF_A_NAME)
        for tick in ticks:
            y = up.at(tick)
            yield svg.element("line", x1=LEFT, x2=self.width - RIGHT, y1=y, y2=y, class_="grid")
            if named - y >= _HEIGHT_OF_A_NAME:
                yield svg.text(LEFT - 8, y + 4, self.form(tick), "tick", "end")
                named = y

    def _dates(self) -> Iterator[Markup]:
        most = max(2, int((self.width - LEFT) / _SPACE_OF_A_DATE))
        for at, name in time_ticks(self.across.low, self.across.high, most):
            yield svg.text(self.across.at(at), self.height - 6, name, "tick", "middle")

    def _gaps(self) -> Iterator[Markup]:
        for moment, place, (start, end) in zip(self.moments, self.places, self.stretches, strict=True):
            if moment.gap:
                x = max(start, place - 12)
                width = max(2.0, min(end, place + 12) - x)
                band = svg.element("rect", x=x, y=TOP, width=width, height=self.bottom - TOP, class_="gap")
                cross = svg.text(x + width / 2, TOP + 10, "\N{MULTIPLICATION SIGN}", "cross", "middle")
                yield svg.element("g", svg.hint(moment.name, moment.gap), band, cross)

    @property
    def stretches(self) -> list[tuple[float, float]]:
        return middles(self.places, LEFT, self.width - RIGHT)

    def _hints(self, series: Sequence[Series]) -> Iterator[Markup]:
        for index, (moment, (start, end)) in enumerate(zip(self.moments, self.stretches, strict=True)):
            told = [f"{one.name}: {self.form(value)}" for one in series if (value := one.values[index]) is not None]
            lines = [moment.name, moment.gap] if moment.gap else [moment.name, *told]
            size = {"x": start, "y": TOP, "width": max(0.0, end - start), "height": self.bottom - TOP}
            yield svg.element("rect", svg.hint(*lines), **size, class_="hit", data_run=index)


def nothing_to_draw(title: str, width: int) -> Markup:
    """In place of a chart that has no moment."""
    sentence = svg.text(width / 2, 30, "no run yet", "tick", "middle")
    return svg.picture(width, 48, sentence, title=f"{title}: no run yet", css="timeline")
