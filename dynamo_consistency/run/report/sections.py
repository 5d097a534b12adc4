"""The tables of the page: the first findings of each kind, the holes, and where most of the findings are."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dynamo_consistency import paths, text
from dynamo_consistency.kinds import FINDING_KINDS, MISSING, ORPHAN
from dynamo_consistency.run.database import byte_sum
from dynamo_consistency.run.finding_queries import directory_of
from dynamo_consistency.run.report.lists import UNLISTED
from dynamo_consistency.run.report.tables import Tables
from dynamo_consistency.sizes import UNKNOWN, human_size

ROWS_SHOWN = 100  # rows of a list on the page; all of them are in a file
_TOP = 10
_TOP_DEPTH = 3  # directories are ranked down to this depth below a root


@dataclass(frozen=True)
class Section:
    """The first rows of something, how many there are in all, and the file that has them all."""

    title: str
    meaning: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    total: int
    file: str = ""


_SHOW: dict[str, Callable[..., str]] = {
    "path": paths.visible,
    "size": human_size,
    "site_size": human_size,
    "mtime": text.timestamp,
    "dataset": lambda name: UNKNOWN if name is None else paths.visible(name),
    "mark": lambda mark: mark or "",
}

_TOPS = f"""
    SELECT *, count(*) OVER () AS among FROM (
        SELECT {{key}} AS name, count(*) AS files, {{used}} AS used
        FROM {{kind}} WHERE {{known}} IS NOT NULL GROUP BY 1 QUALIFY rank() OVER (ORDER BY count(*) DESC) <= {_TOP})
    ORDER BY files DESC, name LIMIT {_TOP}
"""


def findings(tables: Tables) -> Iterator[Section]:
    """A section for each kind of findings that the run has; a column in which no value is known is left out."""
    for kind in FINDING_KINDS:
        if kind.file_name not in tables.names:
            continue
        order = "" if kind.keeps_order else "ORDER BY path"
        shown = {title: name for title, name in kind.shown_columns.items() if name in tables.columns(kind)}
        titles, columns = list(shown), list(shown.values())
        found = tables.rows(f"SELECT {', '.join(columns)} FROM {kind.file_name} {order} LIMIT {ROWS_SHOWN}")
        known = [column for column in range(len(columns)) if any(row[column] is not None for row in found)]
        rows = [[_SHOW[columns[column]](row[column]) for column in known] for row in found]
        total = tables.rows(f"SELECT count(*) FROM {kind.file_name}")[0][0]
        meaning = f"{kind.meaning[0].upper()}{kind.meaning[1:]}."
        yield Section(kind.title, meaning, [titles[column] for column in known], rows, total, kind.list_file)


def holes(tables: Tables) -> Iterator[Section]:
    """What could not be listed, and why."""
    if "listing" in tables.names:
        found = tables.rows(f"SELECT path, reason FROM hole ORDER BY path LIMIT {ROWS_SHOWN}")
        rows = [(paths.visible(path), text.said(reason)) for path, reason in found]
        meaning = "They could not be listed completely: nothing in or below them is called missing or an orphan."
        total = tables.rows("SELECT count(*) FROM hole")[0][0]
        yield Section("Holes", meaning, ("Directory", "Reason"), rows, total, UNLISTED)


def tops(tables: Tables) -> Iterator[Section]:
    """Where most of the missing files and orphans are, by directory and by dataset."""
    for kind in (MISSING, ORPHAN):
        for by, known, key in (("Directory", "path", directory_of(_TOP_DEPTH)), ("Dataset", "dataset", "dataset")):
            if kind.file_name not in tables.names:
                continue
            used = byte_sum(kind.size_column or "NULL")
            top = tables.rows(_TOPS.format(kind=kind.file_name, known=known, key=key, used=used))
            rows = [(paths.visible(name), text.count(files), human_size(used)) for name, files, used, _ in top]
            if rows:
                title = f"Most {kind.title.lower()}, by {by.lower()}"
                yield Section(title, _ties(rows[-1][1], top[-1][3] - len(top)), (by, "Files", "Size"), rows, len(rows))


def _ties(files: str, more: int) -> str:
    """What is said of those that have as many as the last one that is shown."""
    if not more:
        return ""
    return f"{text.count(more)} more {'has' if more == 1 else 'have'} {files} as well."
