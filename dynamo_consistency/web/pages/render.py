"""Templates, and how they write numbers, sizes and times. All that stands in a page is escaped."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from dynamo_consistency.paths import visible
from dynamo_consistency.sizes import UNKNOWN
from dynamo_consistency.templates import environment
from dynamo_consistency.web.charts import svg
from dynamo_consistency.web.charts.icons import icon
from dynamo_consistency.web.charts.share import swatch
from dynamo_consistency.web.models import STATES
from dynamo_consistency.web.pages.links import Links


def render(template: str, links: Links, **values: Any) -> str:
    """A whole page; `values` are what its template names."""
    return _environment().get_template(template).render(links=links, **values)


@cache
def _environment() -> jinja2.Environment:
    made = environment(jinja2.PackageLoader("dynamo_consistency.web"))
    made.filters |= {
        "said": lambda value: visible(str(value)),
        "change": change,
        "when": when,
        "ago": ago,
        "each_line": lambda value: "\n".join(map(visible, str(value).splitlines())),
    }
    made.globals |= {"icon": icon, "swatch": swatch, "state_words": STATES, "unknown": UNKNOWN}
    return made


def change(number: int | None) -> str:
    """A difference with its sign; nothing where there is none."""
    return f"{number:+,}".replace("-", "\N{MINUS SIGN}") if number else ""


def when(at: datetime | None) -> str | Markup:
    """A date and time with its zone, to the minute."""
    if at is None:
        return UNKNOWN
    utc = at.astimezone(UTC)
    day, clock = svg.element("span", f"{utc:%Y-%m-%d}"), svg.element("span", f"{utc:%H:%M} UTC")
    return svg.element("time", day, " ", clock, datetime=f"{utc:%Y-%m-%dT%H:%M:%SZ}")


def moment(at: datetime | None) -> str:
    """The same as text alone, for what a chart tells."""
    return UNKNOWN if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def ago(seconds: float | None) -> str:
    """How long ago, in one unit: `3 d`; what lies ahead is `in 3 d`."""
    if seconds is None:
        return UNKNOWN
    least, size, word = next(unit for unit in _UNITS if abs(seconds) >= unit[0] or not unit[0])
    told = f"{abs(seconds) // size:.0f} {word}"
    return told if seconds >= 0 or not least else f"in {told}"


_UNITS = ((2 * 86400, 86400, "d"), (3600, 3600, "h"), (60, 60, "min"), (0, 1, "s"))
