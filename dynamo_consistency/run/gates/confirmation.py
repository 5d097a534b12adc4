"""Confirmation: which findings have stood in every one of the last complete runs, long enough."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from dynamo_consistency.check import FindingPolicy, Unmerged
from dynamo_consistency.kinds import EMPTY_DIRECTORY, KIND_BY_NAME, UNMERGED
from dynamo_consistency.run.database import columns_of, literal, open_database
from dynamo_consistency.run.records.damage import parquet_is_damaged
from dynamo_consistency.run.records.history import start_of
from dynamo_consistency.run.store.run_directory import RunDirectory

RENAMED, OTHER_NAME, IN_EMPTY_DIRECTORY = "renamed", "other-name", "empty-directory"
"""What a finding's column `mark` may say: the last is acted on only when this very run is approved."""
NEVER_ACTED_ON = (RENAMED, OTHER_NAME)
UNMARKED = f"mark IS NULL OR mark NOT IN {NEVER_ACTED_ON}"
"""In SQL: what it does not say of a finding that may be acted on."""


@dataclass(frozen=True)
class Confirmed:
    """The runs, oldest first, on which a confirmation rests (none: not enough of them yet), and what it confirms.

    waiting: how many of `count` are missing from directories that answered empty, and wait for approval of the run.
    log_runs: in the unmerged area, the runs that confirm a log; a directory there needs both.
    """

    runs: tuple[RunDirectory, ...]
    span_seconds: int
    count: int
    waiting: int = 0
    log_runs: tuple[RunDirectory, ...] = ()

    @property
    def is_enough(self) -> bool:
        """Are there runs that can confirm something?"""
        return bool(self.runs or self.log_runs)

    def findings(self, kind: str) -> Iterator[dict[str, Any]]:
        """The confirmed findings, a row as in the findings file. See `confirmed_findings`."""
        return confirmed_findings(self.runs, kind, self.log_runs)


def confirm(
    run: RunDirectory, earlier: Sequence[RunDirectory], kind: str, policy: FindingPolicy, found: int
) -> Confirmed:
    """What `run` confirms of the findings of a kind, of which it has `found`.

    `earlier`: the complete runs before it that count, oldest first; one whose findings are damaged does not count.
    """
    runs, span = _enough_whole(run, earlier, kind, policy)
    log_runs = _enough_whole(run, earlier, kind, _of_logs(policy))[0] if isinstance(policy, Unmerged) else []
    count = waiting = 0
    for finding in confirmed_findings(runs, kind, log_runs) if found else ():
        count += 1
        waiting += finding.get("mark") == IN_EMPTY_DIRECTORY
    return Confirmed(tuple(runs), span, count, waiting, tuple(log_runs))


def _of_logs(policy: Unmerged) -> FindingPolicy:
    return policy.model_copy(update={"confirm_span_seconds": policy.log_span_seconds})


def _enough_whole(
    run: RunDirectory, earlier: Sequence[RunDirectory], kind: str, policy: FindingPolicy
) -> tuple[list[RunDirectory], int]:
    """As `_enough` of the runs before and this one, without those whose findings are damaged."""
    runs, span = _enough([*earlier, run], policy)
    while damaged := [one for one in runs[:-1] if _is_damaged(one, kind)]:
        earlier = [one for one in earlier if one not in damaged]
        runs, span = _enough([*earlier, run], policy)
    return runs, span


def _is_damaged(run: RunDirectory, kind: str) -> bool:
    of = KIND_BY_NAME[kind]
    return parquet_is_damaged(run, of.file, of.same_columns)


def _enough(runs: list[RunDirectory], policy: FindingPolicy) -> tuple[list[RunDirectory], int]:
    """The fewest last runs, at least `confirm_runs` and two, whose first and last are far enough apart; how far."""
    starts = [start_of(run) for run in runs]
    for number in range(max(2, policy.confirm_runs), len(runs) + 1):
        span = int(starts[-1] - starts[-number])
        if span >= policy.span_seconds:
            return runs[-number:], span
    return [], int(starts[-1] - starts[0])


def confirmed_findings(
    runs: Sequence[RunDirectory], kind: str, log_runs: Sequence[RunDirectory] = ()
) -> Iterator[dict[str, Any]]:
    """Findings of the last of `runs` that stand in all of them; a row as in the findings file.

    In the order of the file, but empty directories the deepest first. A file at the site that another has replaced
    under its name, or that has been written to, is another finding. One that is marked as never acted on is not
    confirmed, and confirms nothing.
    In the unmerged area logs must stand in all of `log_runs`, directories in both.
    """
    if not runs and not log_runs:
        return
    with contextlib.ExitStack() as files, open_database(tables=False) as database:
        file = {run.url: str(files.enter_context(run.reading(KIND_BY_NAME[kind].file))) for run in (*runs, *log_runs)}
        last = file[(runs or log_runs)[-1].url]
        condition = _stands_in(database, [file[run.url] for run in runs], kind)
        if kind == UNMERGED.name:
            as_log = _stands_in(database, [file[run.url] for run in log_runs], kind)
            condition = f"(type = 'log' OR {condition}) AND (type = 'file' OR {as_log})"
        if "mark" in columns_of(database, last):
            condition += f" AND ({UNMARKED})"
        order = "len(string_split(path::VARCHAR, '/')) DESC, " if kind == EMPTY_DIRECTORY.name else ""
        query = f"""SELECT * FROM read_parquet(?, file_row_number = true) AS f
                    WHERE {condition} ORDER BY {order} file_row_number"""
        result = database.execute(query, [last])
        names = [column[0] for column in result.description]
        while rows := result.fetchmany(10_000):
            for row in rows:
                yield dict(zip(names, row, strict=True))


def _stands_in(database: duckdb.DuckDBPyConnection, files: Sequence[str], kind: str) -> str:
    """The condition that a finding `f` of the last of `files` is in all others as well; of no files at all, none is."""
    same = " AND ".join(f"e.{name} IS NOT DISTINCT FROM f.{name}" for name in KIND_BY_NAME[kind].same_columns)
    unmarked = f"{same} AND ({UNMARKED})"
    before = [
        f"EXISTS (FROM read_parquet({literal(file)}) AS e "
        f"WHERE {unmarked if 'mark' in columns_of(database, file) else same})"
        for file in files[:-1]
    ]
    return " AND ".join(before) or ("TRUE" if files else "FALSE")
