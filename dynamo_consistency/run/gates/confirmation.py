"""Confirmation: which findings have stood in every one of the last complete runs, long enough."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dynamo_consistency.check import FindingPolicy
from dynamo_consistency.kinds import EMPTY_DIRECTORY, KIND_BY_NAME
from dynamo_consistency.run.database import open_database
from dynamo_consistency.run.records.damage import parquet_is_damaged
from dynamo_consistency.run.records.history import start_of
from dynamo_consistency.run.store.run_directory import RunDirectory


@dataclass(frozen=True)
class Confirmed:
    """The runs, oldest first, on which a confirmation rests (none: not enough of them yet), and what it confirms."""

    runs: tuple[RunDirectory, ...]
    span_seconds: int
    count: int


def confirm(
    run: RunDirectory, earlier: Sequence[RunDirectory], kind: str, policy: FindingPolicy, found: int
) -> Confirmed:
    """What `run` confirms of the findings of a kind, of which it has `found`.

    `earlier`: the complete runs before it that count, oldest first; one whose findings are damaged does not count.
    """
    runs, span = _enough([*earlier, run], policy)
    while damaged := [one for one in runs[:-1] if _is_damaged(one, kind)]:
        earlier = [one for one in earlier if one not in damaged]
        runs, span = _enough([*earlier, run], policy)
    count = sum(1 for _ in confirmed_findings(runs, kind)) if found else 0
    return Confirmed(tuple(runs), span, count)


def _is_damaged(run: RunDirectory, kind: str) -> bool:
    of = KIND_BY_NAME[kind]
    return parquet_is_damaged(run, of.file, of.same_columns)


def _enough(runs: list[RunDirectory], policy: FindingPolicy) -> tuple[list[RunDirectory], int]:
    """The fewest last runs, at least `confirm_runs`, whose first and last are `confirm_span_seconds` apart."""
    starts = [start_of(run) for run in runs]
    for number in range(max(2, policy.confirm_runs), len(runs) + 1):
        span = int(starts[-1] - starts[-number])
        if span >= policy.confirm_span_seconds:
            return runs[-number:], span
    return [], int(starts[-1] - starts[0])


def confirmed_findings(runs: Sequence[RunDirectory], kind: str) -> Iterator[dict[str, Any]]:
    """Findings of the last of `runs` that stand in all of them; a row as in the findings file.

    In the order of the file, but empty directories the deepest first. A file at the site that another has replaced
    under its name, or that has been written to, is another finding.
    """
    if not runs:
        return
    same = " AND ".join(f"e.{name} IS NOT DISTINCT FROM f.{name}" for name in KIND_BY_NAME[kind].same_columns)
    with contextlib.ExitStack() as files, open_database() as database:
        *before, last = [str(files.enter_context(run.reading(KIND_BY_NAME[kind].file))) for run in runs]
        conditions = " AND ".join(f"EXISTS (FROM read_parquet(?) AS e WHERE {same})" for _ in before) or "TRUE"
        order = "len(string_split(path::VARCHAR, '/')) DESC, " if kind == EMPTY_DIRECTORY.name else ""
        query = f"""SELECT * FROM read_parquet(?, file_row_number = true) AS f
                    WHERE {conditions} ORDER BY {order} file_row_number"""
        result = database.execute(query, [last, *before])
        columns = [column[0] for column in result.description]
        while rows := result.fetchmany(10_000):
            for row in rows:
                yield dict(zip(columns, row, strict=True))
