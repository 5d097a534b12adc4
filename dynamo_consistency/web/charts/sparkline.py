"""A number over the last runs, as small as a word."""

from collections.abc import Sequence
from functools import lru_cache

from markupsafe import Markup

from dynamo_consistency.sizes import UNKNOWN
from dynamo_consistency.web.charts import svg
from dynamo_consistency.web.charts.scale import Scale, known

WIDTH, HEIGHT, _MARGIN = 84, 20, 3
RUNS = 20
Point = tuple[float, float]


def sparkline(values: Sequence[float | None], name: str, css: str = "") -> Markup:
    """The last `RUNS` of `values`, oldest first; None, and what is no number, is a gap. `name`: of what."""
    return _drawn(tuple(values[-RUNS:]), name, css)


@lru_cache(maxsize=8192)
def _drawn(values: tuple[float | None, ...], name: str, css: str) -> Markup:
    """Kept, since the first page has a thousand, and few of them change from one look to the next."""
    shown = [number if known([number]) else None for number in values]
    told = ", ".join(UNKNOWN if number is None else f"{number:,.0f}" for number in shown)
    across = Scale(0, max(1, RUNS - 1), _MARGIN, WIDTH - _MARGIN)
    up = Scale(0, max(known(shown), default=0) or 1, HEIGHT - _MARGIN, _MARGIN)
    points = placed([across.at(RUNS - len(shown) + index) for index in range(len(shown))], shown, up)
    lines, alone = strokes(points)
    dots = [_dot(point, 1) for point in alone]
    last = [_dot(points[-1], 2)] if points and points[-1] else []
    title = f"{name} in the last {len(shown)} runs: {told}" if shown else f"{name}: no run yet"
    parts = svg.hint(title), *lines, *dots, *last
    size: dict[str, float] = {"width": WIDTH, "height": HEIGHT}
    return svg.element(
        "svg", *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", **size, class_=f"chart spark {css}".strip(), role="img"
    )


def placed(places: Sequence[float], values: Sequence[float | None], up: Scale) -> list[Point | None]:
    """A point for each value, None where there is none."""
    pairs = zip(places, values, strict=True)
    return [(x, up.at(value)) if value is not None and known([value]) else None for x, value in pairs]


def strokes(points: Sequence[Point | None]) -> tuple[list[Markup], list[Point]]:
    """Lines through the points between gaps, and the points that are alone there."""
    found = _pieces(points)
    lines = [svg.path(piece, "line") for piece in found if len(piece) > 1]
    return lines, [piece[0] for piece in found if len(piece) == 1]


def _pieces(points: Sequence[Point | None]) -> list[list[Point]]:
    found: list[list[Point]] = [[]]
    for point in points:
        if point is not None:
            found[-1].append(point)
        elif found[-1]:
            found.append([])
    return [piece for piece in found if piece]


def _dot(point: Point, radius: float) -> Markup:
    x, y = point
    return svg.element("circle", cx=x, cy=y, r=radius, class_="dot")
