"""SVG as markup: whatever stands in it is escaped, and every number in it is finite."""

import math

from markupsafe import Markup, escape

from dynamo_consistency import paths

Attribute = str | float | None


def element(name: str, *children: str, **attributes: Attribute) -> Markup:
    """`<name …>children</name>`. A child that is not Markup is escaped; `stroke_width` becomes `stroke-width`.

    Attributes that are None are left out. Raises ValueError for a number that is not finite.
    """
    said = "".join(f' {key.strip("_").replace("_", "-")}="{_value(value)}"' for key, value in _given(attributes))
    inside = "".join(escape(child) for child in children)
    return Markup(f"<{name}{said}>{inside}</{name}>" if inside else f"<{name}{said}/>")  # noqa: S704 (escaped above)


def picture(
    width: float, height: float, *children: str, title: str, css: str = "", role: str = "img", **more: str
) -> Markup:
    """A whole `<svg>`, whose text for those who cannot see it is `title`. `role`: `group` where it has links in it."""
    return element(
        "svg",
        *children,
        viewBox=f"0 0 {_number(width)} {_number(height)}",
        width=width,
        height=height,
        class_=f"chart {css}".strip(),
        role=role,
        aria_label=title,
        **more,
    )


def hint(*lines: str) -> Markup:
    """What is shown on hover, and read out: `lines` below each other, with every character visible."""
    return element("title", "\n".join(paths.visible(line) for line in lines))


def text(x: float, y: float, content: str, css: str = "", anchor: str | None = None) -> Markup:
    return element("text", paths.visible(content), x=x, y=y, class_=css or None, text_anchor=anchor)


def path(points: list[tuple[float, float]], css: str) -> Markup:
    """A line through `points`, from left to right."""
    drawn = "L".join(f"{_number(x)} {_number(y)}" for x, y in points)
    return element("path", d=f"M{drawn}", class_=css)


def _given(attributes: dict[str, Attribute]) -> list[tuple[str, str | float]]:
    return [(key, value) for key, value in attributes.items() if value is not None]


def _value(value: str | float) -> str:
    return str(escape(paths.visible(value))) if isinstance(value, str) else _number(value)


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} is no place in a picture")
    return f"{value:.1f}".removesuffix(".0")
