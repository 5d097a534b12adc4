"""The directories of a run, for its icicle."""

from collections.abc import Iterator, Sequence
from urllib.parse import unquote_to_bytes

from dynamo_consistency import paths
from dynamo_consistency.sizes import human_size
from dynamo_consistency.text import count
from dynamo_consistency.web.charts import icicle
from dynamo_consistency.web.models import Directory, RunPage
from dynamo_consistency.web.pages.links import Links

_MOST_TOLD = 60


def drawn_roots(page: RunPage, links: Links) -> list[icicle.Directory]:
    """The roots as the chart wants them; each directory leads to its findings where a server filters them."""
    has_list = {download.kind for download in page.downloads if download.total}

    def drawn(directory: Directory, above: str) -> icicle.Directory:
        unknown = bool(directory.holes) and directory.bytes is None and not directory.missing + directory.orphans
        children = [] if unknown else [drawn(child, directory.path.text) for child in directory.children]
        missing, orphans = shares(directory)
        kind = "missing" if missing >= orphans else "orphans"
        link = None
        if links.searches and not directory.is_rest and (missing or orphans) and kind in has_list:
            address = links.run(page.site, page.run.run_id, kind=kind, text=_beginning(directory))
            link = f"{address}#list-{kind}"
        return icicle.Directory(
            name=_name(directory, above),
            size=directory.width,
            told=list(_told(directory)),
            missing=missing,
            orphans=orphans,
            hole=unknown or (bool(directory.holes) and not any(child.holes for child in directory.children)),
            link=link,
            children=children,
        )

    return [drawn(root, "") for root in page.roots]


def shares(directory: Directory) -> tuple[float, float]:
    """What of the directory is missing and what are orphans, between 0 and 1: of its bytes or, without any, files."""
    whole = (directory.bytes or directory.width) + directory.missing_bytes
    parts = directory.missing_bytes, directory.orphan_bytes
    if not any(parts):
        whole = (directory.files or directory.missing + directory.orphans) + directory.missing
        parts = directory.missing, directory.orphans
    return _share(parts[0], whole), _share(parts[1], whole)


def worth_telling(directories: Sequence[Directory]) -> list[Directory]:
    """Those with findings or holes, in the order in which they are drawn; only so many as people read."""
    return list(_with_findings(directories))[:_MOST_TOLD]


def _with_findings(directories: Sequence[Directory]) -> Iterator[Directory]:
    for directory in directories:
        if directory.missing or directory.orphans or directory.holes:
            yield directory
            yield from _with_findings(directory.children)


def _beginning(directory: Directory) -> str:
    """What the paths below it have in them, with its bytes as they are."""
    return paths.to_text(unquote_to_bytes(directory.path.quoted).rstrip(b"/") + b"/")


def _name(directory: Directory, above: str) -> str:
    if directory.is_rest:
        return "the rest"
    text = directory.path.text
    return text[len(above.rstrip("/")) + 1 :] if above and text.startswith(f"{above.rstrip('/')}/") else text


def _told(directory: Directory) -> Iterator[str]:
    yield f"{directory.path.text}{': the rest' if directory.is_rest else ''}"
    if directory.files is not None:
        yield f"{count(directory.files)} files, {human_size(directory.bytes)}"
    if directory.missing:
        yield f"{count(directory.missing)} missing, {human_size(directory.missing_bytes)}"
    if directory.orphans:
        yield f"{count(directory.orphans)} orphans, {human_size(directory.orphan_bytes)}"
    if directory.holes:
        yield f"{count(directory.holes)} {'hole' if directory.holes == 1 else 'holes'}: sizes there are not known"


def _share(part: int, whole: int) -> float:
    return min(1.0, part / whole) if whole > 0 else float(part > 0)
