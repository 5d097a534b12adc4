"""Small bars for the cells of a table, and what a legend shows of a series."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from dynamo_consistency.web.charts import svg
from dynamo_consistency.web.charts.scale import Scale, known

_WIDTH, _HEIGHT = 320, 16


def share_bar(parts: Sequence[tuple[str, str, float]], whole: float, title: str) -> Markup:
    """Parts (name, css class, value) beside each other, of a bar that is full at `whole`. What is not 0 can be seen."""
    across = Scale(0, max(whole, sum(known(value for *_, value in parts))) or 1, 0, _WIDTH)
    ground = svg.element("rect", x=0, y=0, width=_WIDTH, height=_HEIGHT, class_="ground")
    return svg.picture(
        _WIDTH,
        _HEIGHT,
        svg.hint(title),
        ground,
        *_parts(parts, across),
        title=title,
        css="share",
        preserveAspectRatio="none",
    )


def _parts(parts: Sequence[tuple[str, str, float]], across: Scale) -> Iterator[Markup]:
    before = 0.0
    for name, css, value in parts:
        if known([value]) and value > 0:
            start, end = across.at(before), across.at(before + value)
            start = min(start, _WIDTH - 1.5)
            bar = {"x": start, "y": 0, "width": max(1.5, end - start), "height": _HEIGHT}
            hint = svg.hint(f"{name}: {value:,.0f}")
            yield svg.element("g", svg.element("rect", hint, **bar, class_="bar"), class_=f"series {css}")
            before += value


def swatch(css: str, bar: bool = False) -> Markup:
    """How a series is drawn, for its legend; its name stands beside it, so that it is nothing for those who listen."""
    drawn = (
        svg.element("rect", x=1, y=2, width=14, height=8, class_="bar")
        if bar
        else svg.element("path", d="M0 6L16 6", class_="line")
    )
    inside = svg.element("g", drawn, class_=f"series {css}")
    return svg.element("svg", inside, viewBox="0 0 16 12", width=16, height=12, class_="swatch", aria_hidden="true")
