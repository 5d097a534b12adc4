"""The tables of the page: the first findings of each kind, the holes, and where most of the trouble is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dynamo_consistency import paths, secrets
from dynamo_consistency.run.report import text
from dynamo_consistency.run.report.lists import AS_FOUND, LISTS, UNLISTED
from dynamo_consistency.run.report.tables import Tables
from dynamo_consistency.sizes import UNKNOWN, human_size

SHOWN = 100  # rows of a list on the page; the whole list is a file
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


@dataclass(frozen=True)
class _Kind:
    title: str
    meaning: str
    columns: dict[str, str]  # title → column of the findings


_KINDS = {
    "missing": _Kind(
        "Missing files",
        "The inventory expects them at the site, and the site does not have them.",
        {"File": "path", "Size": "size", "Dataset": "dataset"},
    ),
    "orphan": _Kind(
        "Orphans",
        "They are at the site, and the inventory does not know them.",
        {"File": "path", "Size": "site_size", "Changed": "mtime", "Dataset": "dataset"},
    ),
    "mismatch": _Kind(
        "Mismatches",
        "Both sides know them, with different sizes.",
        {"File": "path", "Inventory": "size", "Site": "site_size", "Dataset": "dataset"},
    ),
    "empty_directory": _Kind(
        "Empty directories", "No file is in or below them.", {"Directory": "path", "Changed": "mtime"}
    ),
    "unmerged": _Kind(
        "Old in the scratch area",
        "Files and logs that are old enough to go, then directories without a file in or below them.",
        {"File": "path", "Size": "site_size", "Changed": "mtime"},
    ),
}

_SHOW: dict[str, Callable[..., str]] = {
    "path": paths.visible,
    "size": human_size,
    "site_size": human_size,
    "mtime": text.moment,
    "dataset": lambda name: UNKNOWN if name is None else paths.visible(name),
}

# The directory that a finding is counted for: its own, cut at _TOP_DEPTH components below its root.
_TOP_DIRECTORY = f"array_to_string(parts[1 : least(len(parts) - 1, depth + {_TOP_DEPTH})], '/')::BLOB"
_TOPS = f"""
    SELECT {{key}} AS name, count(*) AS files, sum({{size}})::BIGINT AS used
    FROM (SELECT dataset, {{size}}, string_split(path::VARCHAR, '/') AS parts, len(string_split(root, '/')) AS depth
          FROM {{kind}})
    WHERE {{key}} IS NOT NULL GROUP BY name ORDER BY files DESC, name LIMIT {_TOP}
"""


def findings(tables: Tables) -> Iterator[Section]:
    """A section for each kind of findings that the run has; a column in which no value is known is left out."""
    for name, kind in _KINDS.items():
        if name not in tables.names:
            continue
        order = "" if name in AS_FOUND else "ORDER BY path"
        found = tables.rows(f"SELECT {', '.join(kind.columns.values())} FROM {name} {order} LIMIT {SHOWN}")
        known = [column for column in range(len(kind.columns)) if any(row[column] is not None for row in found)]
        titles, show = list(kind.columns), [_SHOW[column] for column in kind.columns.values()]
        rows = [[show[column](row[column]) for column in known] for row in found]
        total = tables.rows(f"SELECT count(*) FROM {name}")[0][0]
        yield Section(kind.title, kind.meaning, [titles[column] for column in known], rows, total, LISTS[name])


def holes(tables: Tables) -> Iterator[Section]:
    """What could not be listed, and why."""
    if "listing" in tables.names:
        found = tables.rows(f"SELECT path, reason FROM hole ORDER BY path LIMIT {SHOWN}")
        rows = [(paths.visible(path), paths.visible(secrets.redact(reason))) for path, reason in found]
        meaning = "They could not be listed wholly: nothing in or below them is called missing or an orphan."
        total = tables.rows("SELECT count(*) FROM hole")[0][0]
        yield Section("Holes", meaning, ("Directory", "Reason"), rows, total, UNLISTED)


def tops(tables: Tables) -> Iterator[Section]:
    """Where most of the missing files and orphans are, by directory and by dataset."""
    for kind, size, title in (("missing", "size", "missing files"), ("orphan", "site_size", "orphans")):
        for by, key in (("Directory", _TOP_DIRECTORY), ("Dataset", "dataset")):
            if kind not in tables.names:
                continue
            top = tables.rows(_TOPS.format(kind=kind, key=key, size=size))
            rows = [(paths.visible(name), text.count(files), human_size(used)) for name, files, used in top]
            if rows:
                yield Section(f"Most {title}, by {by.lower()}", "", (by, "Files", "Size"), rows, len(rows))
