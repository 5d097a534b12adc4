"""Tables for a person at a terminal; on stdout, plain where stdout is no terminal."""

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dynamo_consistency.kinds import FINDING_KINDS
from dynamo_consistency.paths import visible
from dynamo_consistency.run.action.followup import FOLLOWED_COUNTS, WITHDRAWN_COUNTS
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.sizes import human_size

_ACTION_NUMBERS = (("waiting", "waiting already"), ("unanswered", "unanswered"), ("leftOver", "left for the next run"))


def _console() -> Console:
    """Where stdout is no terminal a line is as long as it must be: scripts and logs cut nothing off."""
    return Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 1000)


def show_summary(run: RunDirectory, summary: dict[str, Any]) -> None:
    """The run in a few lines: what was compared, what was found, where everything is."""
    console = _console()
    if summary["result"] != "Complete":
        console.print(f"{summary['site']}: the run is {summary['result'].lower()}: {escape(summary['reason'])}")
        console.print(f"It counts for nothing; the findings of the run before stay in force. Files: {escape(run.url)}")
        _show_notes(console, summary)
        return
    counts = summary["counts"]
    console.print(
        f"{summary['site']}: {counts['listedFiles']} files listed ({human_size(counts['listedBytes'])}), "
        f"{counts['inventoryFiles']} in the inventory ({human_size(counts['inventoryBytes'])}), "
        f"{counts['holes']} directories not listed"
    )
    table = Table(box=None, pad_edge=False)
    for column, justify in (("finding", "left"), ("number", "right"), ("size", "right"), ("meaning", "left")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for kind in (kind for kind in FINDING_KINDS if kind.name in counts):
        size = human_size(counts[kind.bytes_name]) if kind.bytes_name else ""
        table.add_row(kind.name, str(counts[kind.name]), size, kind.meaning)
    console.print(table)
    if problem := summary.get("unmerged", {}).get("trouble"):
        console.print(f"nothing of the unmerged area is deleted: {escape(problem)}")
    for gate in summary["gates"]:
        console.print(f"gate {gate['name']}: {gate['state']}: {escape(gate['message'])}")
    for kind, action in summary["actions"].items():
        console.print(f"{kind}: {escape(_reported(action))}")
    became = FOLLOWED_COUNTS | {"withdrawn": WITHDRAWN_COUNTS["withdrawn"], "outliving": WITHDRAWN_COUNTS["cannot"]}
    followed = [f"{counts[name]} {word}" for word, name in became.items() if counts.get(name)]
    if followed:
        console.print(f"earlier requests: {', '.join(followed)}")
    for hole in summary["holes"]:
        console.print(f"not listed: {escape(hole['path'])}: {escape(hole['reason'])}")
    _show_notes(console, summary)
    console.print(f"run {summary['runId']}, files in {escape(run.url)}")
    page = summary["artifacts"].get("report")
    if page:
        console.print(f"page to look at or mail: {escape(run.url)}/{page}")


def _show_notes(console: Console, summary: dict[str, Any]) -> None:
    for note in summary.get("notes", []):
        console.print(f"note: {escape(visible(note))}")


def _reported(action: dict[str, Any]) -> str:
    """What was requested of one kind, and what was not and why."""
    parts = [f"{action['requested']} requested ({action['request']}) of {action['confirmed']} confirmed"]
    parts += [f"{action[key]} {said}" for key, said in _ACTION_NUMBERS if action[key]]
    for outcome in ("refused", "skipped"):
        parts += [f"{number} {outcome}: {reason}" for reason, number in action[outcome].items()]
    parts += [f"{number} held back: {reason}" for reason, number in action.get("heldBack", {}).items()]
    return "; ".join(parts)


_HISTORY_COLUMNS: dict[str, str] = {
    "listed": "listedFiles",
    **{kind.name: kind.name for kind in FINDING_KINDS},
    "holes": "holes",
}


def show_runs(summaries: Iterable[dict[str, Any]]) -> None:
    """One line for each run: when it began, its result, counts, closed gates and number of requests."""
    table = Table(box=None, pad_edge=False)
    for column in ("run", "started", "result", *_HISTORY_COLUMNS, "closed gates", "requested", "reason"):
        table.add_column(column)
    for summary in summaries:
        closed = [gate["name"] for gate in summary["gates"] if gate["state"] != "Ready"]
        requested = sum(action["requested"] for action in summary["actions"].values())
        table.add_row(
            summary["runId"],
            summary.get("startTime", ""),
            summary["result"],
            *(str(summary["counts"].get(key, "")) for key in _HISTORY_COLUMNS.values()),
            ", ".join(closed),
            str(requested) if summary["actions"] else "",
            escape(summary["reason"]),
        )
    _console().print(table)


def _request(row: dict[str, Any]) -> str:
    if not row["request"]:
        return ""
    return ", ".join(word for word in (f"{row['request']}: {row['outcome']}", row["became"]) if word)


def show_file(path: str, rows: list[dict[str, Any]]) -> None:
    """One line for each run that found something about the file `path`: as which kind, sizes in bytes, its request."""
    console = _console()
    if not rows:
        console.print(f"{escape(path)}: no run has found anything about it")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("run", "started", "found as", "inventory size", "site size", "dataset", "request", "why not"):
        table.add_column(column)
    for row in rows:
        table.add_row(
            row["runId"],
            row["startTime"],
            row["kind"],
            *("" if row[name] is None else str(row[name]) for name in ("size", "siteSize")),
            escape(row["dataset"] or ""),
            _request(row),
            escape(row["reason"] or ""),
        )
    console.print(table)
