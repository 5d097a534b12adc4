"""The columns of a list of findings, by which the server sorts."""

from collections.abc import Iterator
from dataclasses import dataclass

from dynamo_consistency.web.models import FindingsPage
from dynamo_consistency.web.pages.links import Links

_TITLES = {
    "path": "Path",
    "size": "In the inventory",
    "site_size": "At the site",
    "modified": "Changed",
    "dataset": "Dataset",
    "mark": "Mark",
    "outcome": "Outcome",
    "reason": "Why",
}
_SORTED = ("path", "size", "site_size", "modified", "dataset")


@dataclass(frozen=True)
class Column:
    """link: sorts by it, the other way round if that is done already. order: as `aria-sort` calls it, or empty."""

    name: str
    title: str
    numeric: bool
    link: str | None
    order: str


def columns(page: FindingsPage, links: Links) -> list[Column]:
    """Those in which a row has something; the path always."""
    return list(_columns(page, links))


def _columns(page: FindingsPage, links: Links) -> Iterator[Column]:
    for name, title in _TITLES.items():
        if name not in ("path", page.sort) and all(getattr(row, name) is None for row in page.rows):
            continue
        link = _link(page, links, name) if links.searches and name in _SORTED else None
        order = ("descending" if page.descending else "ascending") if page.sort == name else ""
        yield Column(name, title, name in ("size", "site_size"), link, order)


def _link(page: FindingsPage, links: Links, name: str) -> str:
    down = page.sort == name and not page.descending
    query = {"kind": page.kind, "sort": name, "order": "down" if down else "", "text": page.text}
    return f"{links.run(page.site, page.run_id, **query)}#list-{page.kind}"
