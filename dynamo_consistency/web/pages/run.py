"""The page of a run: what was found, how far it came, where it is, and how to approve it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dynamo_consistency.sizes import human_size
from dynamo_consistency.text import count
from dynamo_consistency.web.charts import icicle
from dynamo_consistency.web.charts.histogram import Class, histogram
from dynamo_consistency.web.charts.share import share_bar
from dynamo_consistency.web.models import Change, FindingsPage, Funnel, RunPage
from dynamo_consistency.web.pages.columns import Column, columns
from dynamo_consistency.web.pages.directories import drawn_roots, worth_telling
from dynamo_consistency.web.pages.links import Links
from dynamo_consistency.web.pages.render import render
from dynamo_consistency.web.queries.database import DamagedFileError
from dynamo_consistency.web.view import NotThereError

_WIDE, _HALF, _NARROW = 1080, 540, 330
_STAGES = {
    "found": "Found",
    "confirmed": "Confirmed",
    "within_limits": "Within limits",
    "approved": "Approved",
    "requested": "Requested",
    "answered": "Answered",
    "recovered": "Recovered",
}
_REQUESTS = {"transfer": "to be fetched anew", "delete": "to be deleted"}


@dataclass(frozen=True)
class _Cell:
    number: int | None
    bar: Markup


@dataclass(frozen=True)
class _FunnelLine:
    funnel: Funnel
    word: str
    cells: list[_Cell]


@dataclass(frozen=True)
class _ChangeLine:
    change: Change
    bar: Markup


@dataclass(frozen=True)
class _Twice:
    """A chart for a wide window and for a narrow one."""

    wide: Markup
    narrow: Markup


UNREADABLE = (NotThereError, DamagedFileError)
"""What is raised for a list that is not there, or whose file is damaged: the rest of the page is shown."""


def default_kind(page: RunPage) -> str | None:
    """The kind whose list is shown where none is asked for: the first that has findings."""
    kinds = [download.kind for download in page.downloads]
    return next((download.kind for download in page.downloads if download.total), kinds[0] if kinds else None)


@dataclass(frozen=True)
class _List:
    """Findings of a kind; bytes: of all of them; files: format → address, to download them."""

    findings: FindingsPage
    meaning: str
    columns: list[Column]
    bytes: int | None
    files: list[tuple[str, str]]


def run_page(page: RunPage, lists: Sequence[FindingsPage], links: Links) -> str:
    """`lists`: the first findings of a kind, or of several; none where they cannot be read."""
    return render(
        "run.html.j2",
        links,
        page=page,
        lists=[_list(page, findings, links) for findings in lists],
        tone=_tone(page),
        stages=list(_STAGES.values()),
        funnels=[_FunnelLine(funnel, _word(funnel), list(_cells(funnel))) for funnel in page.funnels],
        changes=[_ChangeLine(change, _bar(change)) for change in page.changes],
        icicle=_icicle(page, links),
        directories=list(worth_telling(page.roots)),
        key=icicle.key,
        ages=_ages(page),
    )


def _tone(page: RunPage) -> str:
    if page.run.result == "Unfinished":
        return "quiet"
    if page.run.result != "Complete":
        return "bad"
    return "attention" if any(gate.state != "Ready" for gate in page.gates) else "good"


def _word(funnel: Funnel) -> str:
    """What is done with the kind."""
    if funnel.request is None:
        return "only reported"
    return _REQUESTS.get(funnel.request, funnel.request) if funnel.mode == "Enforce" else f"mode {funnel.mode}"


def _cells(funnel: Funnel) -> Iterator[_Cell]:
    for name, title in _STAGES.items():
        number = getattr(funnel, name)
        told = f"{title}: {count(number)} of {count(funnel.found)}"
        bar = share_bar([(title, f"is-{funnel.kind}", number or 0)], funnel.found, told)
        yield _Cell(number, Markup("") if number is None else bar)


def _bar(change: Change) -> Markup:
    parts = [
        ("new", "is-new", change.new),
        ("standing", "is-standing", change.standing),
        ("gone", "is-gone", change.gone),
    ]
    whole = change.new + change.standing + change.gone
    return share_bar(parts, whole, f"{change.new:,} new, {change.standing:,} standing, {change.gone:,} gone")


def _icicle(page: RunPage, links: Links) -> _Twice | None:
    if not page.roots:
        return None
    roots = drawn_roots(page, links)
    title = f"Where the bytes of {page.site} are, and what is missing or an orphan there"
    return _Twice(icicle.icicle(roots, title, _WIDE), icicle.icicle(roots, title, _NARROW))


def _ages(page: RunPage) -> _Twice | None:
    if not any(band.files for band in page.ages):
        return None
    classes = [Class(band.title, band.files, count(band.files), human_size(band.bytes)) for band in page.ages]
    return _Twice(*(histogram(classes, "Orphans by age", "is-orphans", width) for width in (_HALF, _NARROW)))


def _list(page: RunPage, findings: FindingsPage, links: Links) -> _List:
    download = next((one for one in page.downloads if one.kind == findings.kind), None)
    names = download.names if download and download.total else {}
    files = [(form, links.download(page.site, page.run.run_id, name)) for form, name in names.items()]
    return _List(
        findings,
        f"{findings.meaning[:1].upper()}{findings.meaning[1:]}",
        columns(findings, links),
        download.bytes if download else None,
        [(form, address) for form, address in files if address],
    )
