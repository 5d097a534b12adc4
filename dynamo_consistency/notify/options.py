"""`notify:` in `backends.yaml`: what is sent to whom."""

from typing import Annotated

from pydantic import AfterValidator, Field

from dynamo_consistency.notify.events import EVENTS, Event
from dynamo_consistency.yamlfile import ClosedModel


def _no_url(text: str) -> str:
    if "://" in text:
        raise ValueError("must be the path of a file, with a URL in each line; a URL itself is a secret")
    return text


class NotifyOptions(ClosedModel):
    """What is sent to whom when a run on this machine ends."""

    urls_file: Annotated[str, AfterValidator(_no_url)] = Field(
        min_length=1, description="File with apprise URLs, one a line. They are secrets."
    )
    events: list[Event] = Field(list(EVENTS), description="What is sent; all of it by default.")
