"""`history SITE`: a line for each run."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, takewhile
from typing import Any

from rich.text import Text

from dynamo_consistency.kinds import FINDING_KINDS
from dynamo_consistency.paths import visible
from dynamo_consistency.terminal.console import TONES, console
from dynamo_consistency.terminal.folding import Column, show_table

_SHORTEST = 4
_COUNTS = {"listedFiles": "listed", "inventoryFiles": "expected"}
_COUNTS |= {kind.name: kind.word for kind in FINDING_KINDS} | {"holes": "holes"}
_FOLD_LAST = ("missing", "orphans", "listedFiles", "mismatches", "holes")

RUN_COLUMNS = ("runId", "startTime", "result", *_COUNTS, "closedGates", "requested", "reason")
"""What is told of a run in a table, in this order: keys of its row, of CSV, and of its JSON or the `counts` in that."""


def run_row(summary: Mapping[str, Any]) -> dict[str, Any]:
    """`RUN_COLUMNS` of a summary; None for what it does not say."""
    actions = summary["actions"]
    return {
        "runId": summary["runId"],
        "startTime": summary.get("startTime"),
        "result": summary["result"],
        **{key: summary["counts"].get(key) for key in _COUNTS},
        "closedGates": [gate["name"] for gate in summary["gates"] if gate["state"] != "Ready"],
        "requested": sum(action["requested"] for action in actions.values()) if actions else None,
        "reason": summary["reason"],
    }


def show_runs(summaries: Iterable[Mapping[str, Any]]) -> None:
    """One line for each run: when it began, its result, counts, closed gates and number of requests.

    The beginning of an id that is enough to name the run stands out.
    """
    rows = [run_row(summary) for summary in summaries]
    needed = _lengths_needed([row["runId"] for row in rows])
    out = console()
    lines = [_shown(row, length, out.is_terminal) for row, length in zip(rows, needed, strict=True)]
    show_table(out, _columns(), lines)


def _columns() -> dict[str, Column]:
    """What of the counts is folded first: what is seldom asked for."""
    counts = [key for key in _COUNTS if key not in _FOLD_LAST] + list(reversed(_FOLD_LAST))
    folds = {key: len(counts) - place for place, key in enumerate(counts)}
    return {
        "runId": Column("run"),
        "startTime": Column("started", 30),
        "result": Column("result"),
        **{key: Column(heading, folds[key], right=True) for key, heading in _COUNTS.items()},
        "closedGates": Column("closed gates", 40, sentence=True),
        "requested": Column("requested", 9, right=True),
        "reason": Column("reason", 50, sentence=True),
    }


def _shown(row: Mapping[str, Any], length: int, on_terminal: bool) -> dict[str, Text | str]:
    """On a terminal without the start where the id tells it to the hour."""
    says_start = on_terminal and row["runId"].startswith(str(row["startTime"])[:13].replace("-", ""))
    numbers = {key: "" if row[key] is None else str(row[key]) for key in (*_COUNTS, "requested")}
    run_id = Text.assemble((row["runId"][:length], "bold"), (row["runId"][length:], "dim"))
    return {
        **numbers,
        "runId": run_id,
        "startTime": "" if says_start else row["startTime"] or "",
        "result": Text(row["result"], style=TONES.get(row["result"], "")),
        "closedGates": ", ".join(row["closedGates"]),
        "reason": visible(row["reason"]),
    }


def _lengths_needed(ids: Sequence[str]) -> list[int]:
    """How much of each id is the beginning of no other one."""
    needed = dict.fromkeys(ids, _SHORTEST)
    for one, after in pairwise(sorted(ids)):
        enough = 1 + _shared(one, after)
        needed[one], needed[after] = max(needed[one], enough), max(needed[after], enough)
    return [needed[one] for one in ids]


def _shared(one: str, other: str) -> int:
    """The number of characters with which both begin."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return sum(1 for _ in same)
