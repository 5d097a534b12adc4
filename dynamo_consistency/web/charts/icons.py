"""A shape for each state of a check, so that nobody has to tell colours apart. The word stands beside it."""

from markupsafe import Markup

from dynamo_consistency.web.charts import svg

_SHAPES = {
    "Failed": "M3 3L13 13M13 3L3 13",
    "GateClosed": "M2 2H14V14H2ZM2 8H14",
    "AwaitingApproval": "M8 1.5A6.5 6.5 0 1 0 8 14.5A6.5 6.5 0 1 0 8 1.5ZM8 4.5V9M8 11V12",
    "Overdue": "M8 1.5A6.5 6.5 0 1 0 8 14.5A6.5 6.5 0 1 0 8 1.5ZM8 4V8L11 10",
    "Findings": "M8 2L14.5 14H1.5Z",
    "Quiet": "M2 9L6 13L14 4",
}


def icon(state: str) -> Markup:
    """The shape of a state of `models.sites`."""
    drawn = svg.element("path", d=_SHAPES.get(state, "M2 8H14"))
    return svg.element("svg", drawn, viewBox="0 0 16 16", width=14, height=14, class_="icon", aria_hidden="true")
