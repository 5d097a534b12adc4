"""Templates of pages, of the report and of the service: what stands in them is escaped, and has to be there."""

import jinja2

from dynamo_consistency.sizes import human_size
from dynamo_consistency.text import count, duration


def environment(loader: jinja2.BaseLoader) -> jinja2.Environment:
    """With the filters `number`, `size` and `duration`, which all pages have in common."""
    made = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"number": count, "size": human_size, "duration": duration}
    return made
