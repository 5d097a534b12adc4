"""How many there are of each age, or of whatever has few classes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dynamo_consistency.web.charts import svg
from dynamo_consistency.web.charts.scale import Scale, known

_TOP, _BOTTOM, _SPACE = 20, 22, 6


@dataclass(frozen=True)
class Class:
    """A bar: its name, its value, and the value as people read it."""

    name: str
    value: float
    told: str
    detail: str = ""


def histogram(classes: Sequence[Class], title: str, css: str, width: int = 480, height: int = 170) -> Markup:
    """Bars beside each other in the order given, each with its number above and its name below."""
    up = Scale(0, max(known(one.value for one in classes), default=0) or 1, height - _BOTTOM, _TOP)
    drawn = [part for index, one in enumerate(classes) for part in _bar(one, index, width / len(classes), up)]
    bars = svg.element("g", *drawn, class_=f"series {css}")
    return svg.picture(width, height, bars, title=title, css="histogram")


def _bar(one: Class, index: int, space: float, up: Scale) -> Iterator[Markup]:
    x, middle = index * space, (index + 0.5) * space
    top = up.at(one.value if known([one.value]) else 0)
    hint = svg.hint(*(line for line in (f"{one.name}: {one.told}", one.detail) if line))
    bar = {"x": x + _SPACE / 2, "y": top, "width": max(1.0, space - _SPACE), "height": max(0.5, up.start - top)}
    yield svg.element("rect", hint, **bar, class_="bar")
    yield svg.text(middle, top - 5, one.told, "tick", "middle")
    yield svg.text(middle, up.start + 16, one.name, "tick", "middle")
