"""The page that finds a path: in which runs it was what, and what was asked and answered."""

from collections.abc import Sequence

from dynamo_consistency.web.models import FilePage
from dynamo_consistency.web.pages.links import Links
from dynamo_consistency.web.pages.render import render


def file_page(
    sites: Sequence[str],
    links: Links,
    *,
    site: str = "",
    asked: str = "",
    page: FilePage | None = None,
    message: str = "",
) -> str:
    """`asked`: the path as text; `page`: what was found; `message`: why nothing was looked for."""
    return render("file.html.j2", links, sites=sites, site=site, asked=asked, page=page, message=message)


def message_page(title: str, message: str, links: Links) -> str:
    """In place of a page that cannot be shown."""
    return render("message.html.j2", links, title=title, message=message)
