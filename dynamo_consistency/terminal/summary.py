"""What `run` prints of a run: what was compared, what was found, which gates are closed, where everything is."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dynamo_consistency.kinds import FINDING_KINDS, KIND_BY_NAME
from dynamo_consistency.paths import visible
from dynamo_consistency.run.action.followup import FOLLOWED_COUNTS, WITHDRAWN_COUNTS
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.sizes import human_size
from dynamo_consistency.terminal.console import TONES, console
from dynamo_consistency.text import outcomes


def show_summary(run: RunDirectory, summary: dict[str, Any]) -> None:
    """The run in a few lines; a place, which somebody may copy, is never broken."""
    out = console()
    if summary["result"] != "Complete":
        result = Text(summary["result"].lower(), style=TONES.get(summary["result"], ""))
        reason = f": {visible(summary['reason'])}" if summary["reason"] else ""
        _say(out, Text.assemble(f"{summary['site']}: the run is ", result, reason))
        _say(out, "It counts for nothing; the findings of the run before stay in force.")
        _say_notes(out, summary)
        _say_where(out, run, summary)
        return
    _say(out, _compared(summary))
    out.print(_findings(summary["counts"]))
    if problem := summary.get("unmerged", {}).get("trouble"):
        _say(out, f"nothing of the unmerged area is deleted: {visible(problem)}")
    for gate in summary["gates"]:
        state = Text(gate["state"], style=TONES.get(gate["state"], ""))
        _say(out, Text.assemble(f"gate {gate['name']}: ", state, f": {visible(gate['message'])}"))
    for line in _requests(summary):
        _say(out, line)
    for hole in summary["holes"]:
        _say(out, f"not listed: {visible(hole['path'])}: {visible(hole['reason'])}")
    _say_notes(out, summary)
    _say_where(out, run, summary)


def _say(out: Console, line: Text | str) -> None:
    """On a terminal further lines of a sentence are indented."""
    text = Text(line) if isinstance(line, str) else line
    if not out.is_terminal:
        out.print(text, soft_wrap=True)
        return
    first, *further = text.wrap(out, out.width - 2)
    for number, part in enumerate((first, *further)):
        part.rstrip()
        out.print(Text("  " if number else "") + part, soft_wrap=True)


def _compared(summary: dict[str, Any]) -> str:
    counts = summary["counts"]
    return (
        f"{summary['site']}: {counts['listedFiles']} files listed ({human_size(counts['listedBytes'])}), "
        f"{counts['inventoryFiles']} in the inventory ({human_size(counts['inventoryBytes'])}), "
        f"{counts['holes']} {'directory' if counts['holes'] == 1 else 'directories'} not listed"
    )


def _findings(counts: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column, justify in (("finding", "left"), ("number", "right"), ("size", "right"), ("meaning", "left")):
        table.add_column(column, justify=justify, no_wrap=column != "meaning", overflow="fold")  # type: ignore[arg-type]
    for kind in (kind for kind in FINDING_KINDS if kind.name in counts):
        size = human_size(counts[kind.bytes_name]) if kind.bytes_name else ""
        found = counts[kind.name] and not kind.of_unmerged_area
        table.add_row(kind.word, Text(str(counts[kind.name]), style="yellow" if found else ""), size, kind.meaning)
    return table


def _requests(summary: dict[str, Any]) -> Iterator[str]:
    """What was asked for, kind by kind, and what became of what earlier runs have asked for."""
    for name, action in summary["actions"].items():
        kind = KIND_BY_NAME.get(name)
        yield f"{kind.word if kind else name}: {visible('; '.join(outcomes(action)))}"
    counts = summary["counts"]
    became = FOLLOWED_COUNTS | {"withdrawn": WITHDRAWN_COUNTS["withdrawn"], "outliving": WITHDRAWN_COUNTS["cannot"]}
    followed = [f"{counts[name]} {word}" for word, name in became.items() if counts.get(name)]
    if followed:
        yield f"earlier requests: {', '.join(followed)}"


def _say_notes(out: Console, summary: dict[str, Any]) -> None:
    for note in summary.get("notes", []):
        _say(out, f"note: {visible(note)}")


def _say_where(out: Console, run: RunDirectory, summary: dict[str, Any]) -> None:
    out.print(f"run {summary['runId']}, files in {run.url}", soft_wrap=True)
    page = summary.get("artifacts", {}).get("report")
    if page:
        out.print(f"page to look at or mail: {run.url}/{page}", soft_wrap=True)
