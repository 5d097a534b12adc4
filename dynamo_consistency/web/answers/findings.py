"""The first findings of a kind, sorted and filtered."""

from typing import Any

from dynamo_consistency import paths
from dynamo_consistency.finding_columns import COLUMNS
from dynamo_consistency.kinds import FindingKind
from dynamo_consistency.run.records.history import ACTIONS
from dynamo_consistency.web.answers.run.source import RunSource
from dynamo_consistency.web.answers.sites import moment
from dynamo_consistency.web.index.digest import safe
from dynamo_consistency.web.models import FindingRow, FindingsPage, Name
from dynamo_consistency.web.models.findings import ROWS_SHOWN

SORTS = {"path": "path", "size": "size", "site_size": "site_size", "modified": "mtime", "dataset": "dataset"}
"""By what a person may sort, and the column."""
_COLUMNS = ("path", "size", "site_size", "mtime", "dataset", "root", "mark")
_TYPES = {column.name: column.type for column in COLUMNS}

# Both as text in which all that is not printable ASCII is an escape: alike on both sides.
_MATCHES = "(octet_length(?::BLOB) = 0 OR contains(f.path::VARCHAR, (?::BLOB)::VARCHAR))"


def page_of(
    source: RunSource, kind: FindingKind, *, sort: str | None, descending: bool, wanted: bytes
) -> FindingsPage | None:
    """`sort`: a key of SORTS. `wanted`: what the path must have in it. None where the run has no such findings."""
    with source.findings(kind) as file, source.parquet(ACTIONS) as actions:
        if file is None:
            return None
        query, numbers = _queries(source, file, sort, descending)
        (number,) = source.question.rows(numbers, [wanted, wanted, file])
        rows = source.question.rows(query, [file, wanted, wanted])
        outcomes = _outcomes(source, actions, kind, [row["path"] for row in rows])
    return FindingsPage(
        site=source.site,
        run_id=source.run_id,
        kind=kind.name,
        title=kind.title,
        meaning=kind.meaning,
        total=number["total"],
        matching=number["matching"],
        sort=sort,
        descending=descending,
        text=paths.visible(wanted),
        rows=[_row(row, outcomes.get(row["path"], {})) for row in rows],
    )


def _queries(source: RunSource, file: str, sort: str | None, descending: bool) -> tuple[str, str]:
    known = source.question.columns(file)
    columns = ", ".join(name if name in known else f"NULL::{_TYPES[name]} AS {name}" for name in _COLUMNS)
    direction = "DESC" if descending else "ASC"
    order = f"{SORTS[sort]} {direction} NULLS LAST, file_row_number" if sort else f"file_row_number {direction}"
    rows = f"""
        SELECT {columns} FROM read_parquet(?, file_row_number = true) AS f
        WHERE {_MATCHES} ORDER BY {order} LIMIT {ROWS_SHOWN}
    """
    numbers = f"SELECT count(*) AS total, count(*) FILTER ({_MATCHES}) AS matching FROM read_parquet(?) AS f"
    return rows, numbers


_ACTED = """
    SELECT path, outcome, reason FROM read_parquet(?)
    WHERE kind = ? AND path IN (SELECT unnest(?::BLOB[]))
"""


def _outcomes(
    source: RunSource, actions: str | None, kind: FindingKind, shown: list[bytes]
) -> dict[bytes, dict[str, Any]]:
    if actions is None or not shown:
        return {}
    with source.shown_as_far_as_possible("what was requested"):
        return {row["path"]: row for row in source.question.rows(_ACTED, [actions, kind.name, shown])}
    return {}


def _row(row: dict[str, Any], action: dict[str, Any]) -> FindingRow:
    return FindingRow(
        path=Name.of(row["path"]),
        size=row["size"],
        site_size=row["site_size"],
        modified=moment(row["mtime"]),
        dataset=None if row["dataset"] is None else paths.visible(row["dataset"]),
        root=None if row["root"] is None else paths.visible(row["root"]),
        mark=row["mark"],
        outcome=action.get("outcome"),
        reason=safe(action["reason"]) if action.get("reason") else None,
    )
