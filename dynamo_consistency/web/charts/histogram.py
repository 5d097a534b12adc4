"""How many there are of each age, or of whatever has few classes: a bar below the other, each with its name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dynamo_consistency.web.charts import svg
from dynamo_consistency.web.charts.scale import Scale, known

_ROW, _BAR, _NAMES, _NUMBERS = 26, 18, 128, 64


@dataclass(frozen=True)
class Class:
    """A bar: its name, its value, and the value as people read it."""

    name: str
    value: float
    told: str
    detail: str = ""


def histogram(classes: Sequence[Class], title: str, css: str, width: int = 480) -> Markup:
    """Bars in the order given, each with its name before and its number behind it."""
    across = Scale(0, max(known(one.value for one in classes), default=0) or 1, _NAMES, width - _NUMBERS)
    drawn = [part for index, one in enumerate(classes) for part in _bar(one, index * _ROW, across)]
    bars = svg.element("g", *drawn, class_=f"series {css}")
    return svg.picture(width, _ROW * len(classes), bars, title=title, css="histogram")


def _bar(one: Class, top: float, across: Scale) -> Iterator[Markup]:
    end = across.at(one.value if known([one.value]) else 0)
    hint = svg.hint(*(line for line in (f"{one.name}: {one.told}", one.detail) if line))
    bar = {"x": across.start, "y": top + 4, "width": max(0.5, end - across.start), "height": _BAR}
    yield svg.text(across.start - 8, top + 17, one.name, "tick", "end")
    yield svg.element("rect", hint, **bar, class_="bar")
    yield svg.text(end + 6, top + 17, one.told, "tick")
