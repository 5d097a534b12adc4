"""`history SITE PATH`: a line for each run that found something about a file."""

from typing import Any

from dynamo_consistency.kinds import KIND_BY_NAME
from dynamo_consistency.paths import visible
from dynamo_consistency.terminal.console import console
from dynamo_consistency.terminal.folding import Column, show_table, wrapped

FILE_COLUMNS = (
    "runId",
    "startTime",
    "kind",
    "size",
    "siteSize",
    "dataset",
    "request",
    "outcome",
    "became",
    "reason",
    "askedAt",
)
"""What JSON and CSV tell, in this order."""

_COLUMNS = {
    "runId": Column("run"),
    "startTime": Column("started", 2),
    "kind": Column("found as"),
    "size": Column("inventory size", 3, right=True),
    "siteSize": Column("site size", 3, right=True),
    "dataset": Column("dataset", 5),
    "request": Column("request", 1),
    "reason": Column("why not", 6, sentence=True),
}


def show_file(path: str, rows: list[dict[str, Any]]) -> None:
    """One line for each run that found something about the file `path`: as which kind, sizes in bytes, its request."""
    out = console()
    if not rows:
        out.print(wrapped(f"{visible(path)}: no run has found anything about it", out.width))
        return
    show_table(out, _COLUMNS, [_shown(row) for row in rows])


def _shown(row: dict[str, Any]) -> dict[str, str]:
    return {
        "runId": row["runId"],
        "startTime": row["startTime"],
        "kind": KIND_BY_NAME[row["kind"]].word,
        **{name: "" if row[name] is None else str(row[name]) for name in ("size", "siteSize")},
        "dataset": visible(row["dataset"] or ""),
        "request": _request(row),
        "reason": visible(row["reason"] or ""),
    }


def _request(row: dict[str, Any]) -> str:
    if not row["request"]:
        return ""
    return ", ".join(word for word in (f"{row['request']}: {row['outcome']}", row["became"]) if word)
