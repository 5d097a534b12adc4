"""`findings` on a terminal: a line for each, its path last and whole."""

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow.parquet as pq
from rich.text import Text

from dynamo_consistency.kinds import FindingKind
from dynamo_consistency.paths import visible
from dynamo_consistency.run.comparison.export import reading_findings
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.sizes import human_size
from dynamo_consistency.terminal.console import console
from dynamo_consistency.text import timestamp


def show_findings(run: RunDirectory, kind: FindingKind) -> None:
    """All findings of a kind, with flat memory: sizes, times and marks where any is known, then the path.

    Raises as `reading_findings`.
    """
    out = console()
    with reading_findings(run, kind) as file:
        number = file.metadata.num_rows
        out.print(Text(f"{number:,} {kind.word_for(number)} in run {run.run_id}", style="bold"), soft_wrap=True)
        columns = {name: title for title, name in kind.shown_columns.items() if name in _SHOW and _is_known(file, name)}
        if columns:
            heads = [f"{title:{_ALIGN[name]}}" for name, title in columns.items()]
            out.print(Text("  ".join([*heads, _title_of_path(kind)]), style="bold"), soft_wrap=True)
        for batch in file.iter_batches(columns=["path", *columns]):
            for row in batch.to_pylist():
                cells = [f"{_SHOW[name](row[name]):{_ALIGN[name]}}" for name in columns]
                out.print(Text("  ".join([*cells, visible(row["path"])])), soft_wrap=True)


_SHOW: Mapping[str, Callable[[Any], str]] = {
    "size": human_size,
    "site_size": human_size,
    "mtime": lambda seconds: timestamp(seconds, "%Y-%m-%d %H:%M"),
    "mark": lambda mark: mark or "",
}
_ALIGN = {"size": ">10", "site_size": ">10", "mtime": "16", "mark": "15"}


def _title_of_path(kind: FindingKind) -> str:
    return next(title for title, name in kind.shown_columns.items() if name == "path")


def _is_known(file: pq.ParquetFile, name: str) -> bool:
    """Has any row a value in the column `name`? Also True where the file does not say."""
    names = file.schema_arrow.names
    if name not in names:
        return False
    groups = [file.metadata.row_group(group) for group in range(file.metadata.num_row_groups)]
    facts = [(group.column(names.index(name)).statistics, group.num_rows) for group in groups]
    return any(known is None or not known.has_null_count or known.null_count < rows for known, rows in facts)
