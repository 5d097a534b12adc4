"""Directories below each other: as wide as their bytes, as dark as the share of what is missing or an orphan."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from dynamo_consistency import paths
from dynamo_consistency.web.charts import svg

_ROW, _GAP, _CHARACTER = 30, 1, 6.6
_LEAST_WIDTH = 2.0
_HOLE = 0.02
"""The share of its parent that a hole gets, whose bytes nobody knows."""
_STEPS = (0.0, 0.001, 0.01, 0.1, 0.5)
"""Shares above which a colour is one step darker."""


@dataclass(frozen=True)
class Directory:
    """`size` in bytes, of all below it. Shares lie between 0 and 1. A hole is a directory that was not listed whole."""

    name: str
    size: float
    told: Sequence[str] = ()
    """Lines for the hover."""
    missing: float = 0.0
    orphans: float = 0.0
    hole: bool = False
    link: str | None = None
    children: Sequence["Directory"] = ()


class _Cell(NamedTuple):
    directory: Directory
    depth: int
    x: float
    width: float


def icicle(roots: Sequence[Directory], title: str, width: int = 960) -> Markup:
    """The roots beside each other, and below each what it holds; what is narrower than a hair is left out."""
    cells = list(_cells(roots, 0, 0.0, float(width)))
    depth = max((cell.depth for cell in cells), default=0) + 1
    pattern = f"hatching-{width}"
    drawn = [_drawn(cell, f"url(#{pattern})") for cell in cells]
    height = depth * (_ROW + _GAP)
    return svg.picture(width, height, hatching(pattern), *drawn, title=title, css="icicle", role="group")


def step(share: float) -> int:
    """0 for nothing, 5 for more than half: how dark a colour is."""
    return sum(share > border for border in _STEPS)


def colour(missing: float, orphans: float) -> str:
    """The css class of a directory: that of the larger share, in its step."""
    if step(missing) == step(orphans) == 0:
        return "whole"
    return f"missing-{step(missing)}" if missing >= orphans else f"orphans-{step(orphans)}"


def hatching(name: str) -> Markup:
    """The pattern that holes are filled with; `name` is known on the whole page."""
    stripe = svg.element("path", d="M-1 7L7 -1M-1 1L1 -1M5 7L7 5", class_="stripe")
    pattern = svg.element("pattern", stripe, id=name, width=6, height=6, patternUnits="userSpaceOnUse")
    return svg.element("defs", pattern)


def _cells(directories: Sequence[Directory], depth: int, start: float, width: float) -> Iterator[_Cell]:
    """`width`: of what they are in, of which they take what their bytes are of its bytes."""
    sizes = _weights(directories)
    whole = sum(sizes)
    x = start
    for directory, size in zip(directories, sizes, strict=True):
        share = width * size / whole if whole else 0
        if share >= _LEAST_WIDTH:
            yield _Cell(directory, depth, x, share)
            known = sum(_weights(directory.children))
            inside = share * min(1.0, known / size) if size else 0
            yield from _cells(directory.children, depth + 1, x, inside)
        x += share


def _weights(directories: Sequence[Directory]) -> list[float]:
    whole = sum(max(0.0, one.size) for one in directories) or 1.0
    return [max(0.0, one.size, whole * _HOLE if one.hole else 0.0) for one in directories]


def _drawn(cell: _Cell, hatched: str) -> Markup:
    directory, y = cell.directory, cell.depth * (_ROW + _GAP)
    width = max(1.0, cell.width - _GAP)
    colours = colour(directory.missing, directory.orphans)
    box = svg.element("rect", x=cell.x, y=y, width=width, height=_ROW, class_=f"cell {colours}")
    parts = [svg.hint(paths.visible(directory.name), *directory.told), box]
    if directory.hole:
        parts.append(svg.element("rect", x=cell.x, y=y, width=width, height=_ROW, fill=hatched, class_="hole"))
    letters = int((width - 10) / _CHARACTER)
    if letters >= 3:
        parts.append(svg.text(cell.x + 5, y + 19, _cut(paths.visible(directory.name), letters), f"name {colours}"))
    if directory.link is None:
        return svg.element("g", *parts)
    return svg.element("a", *parts, href=directory.link, aria_label=directory.name)


def _cut(name: str, letters: int) -> str:
    return name if len(name) <= letters else f"{name[: letters - 1]}…"


def key(kind: str) -> Markup:
    """What the colours mean: the five steps of `missing` or `orphans`, or a `hole`."""
    if kind == "hole":
        box = {"x": 0.0, "y": 0.0, "width": 14.0, "height": 12.0}
        ground = svg.element("rect", **box, class_="cell whole")
        drawn = [hatching("hatching-key"), ground, svg.element("rect", **box, fill="url(#hatching-key)", class_="hole")]
        return _key(14, drawn)
    cells = range(1, len(_STEPS) + 1)
    boxes = [svg.element("rect", x=(n - 1) * 12, y=0, width=12, height=12, class_=f"cell {kind}-{n}") for n in cells]
    return _key(12 * len(_STEPS), boxes)


def _key(width: int, drawn: Sequence[Markup]) -> Markup:
    size = {"width": width, "height": 12.0}
    return svg.element("svg", *drawn, viewBox=f"0 0 {width} 12", **size, class_="swatch", aria_hidden="true")
