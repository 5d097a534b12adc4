"""What commands share: stores, backends and runs that options name, and the printing of results."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from dynamo_consistency import paths
from dynamo_consistency.backend import backends_file
from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.cli.parameters import DEFAULT_STORE, expanded
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore


def url_of_store(option: str | None, check: SiteConsistencyCheck | None = None) -> str:
    """The store: as the command line or the environment says, else as the check says, else a folder here."""
    of_check = check.spec.store.url if check is not None and check.spec.store else None
    return expanded(option or of_check or DEFAULT_STORE)


def store_to_show(option: str | None) -> RunStore:
    """The store whose pages are asked for. Raises ConfigurationError where its folder is not there."""
    store = RunStore(url_of_store(option))
    if (folder := store.local_path()) is not None and not folder.is_dir():
        raise ConfigurationError(f"there is no folder {folder} with runs; say with --store where they are")
    return store


def open_backend(name: str, file: Path | None, store: RunStore) -> Backend:
    """The backend `name` of the file or, without a file, the default: an SQLite inventory in the store."""
    if file is None and "://" in store.url:
        raise ConfigurationError(f"the store {store.url} cannot hold an inventory; say with --backends where one is")
    entries = backends_file.embedded(Path(store.url) / "inventory.sqlite") if file is None else backends_file.read(file)
    return backends_file.open_backend(entries, name)


def backend_of(directory: RunDirectory, file: Path | None) -> Backend:
    """The backend of the check that a run directory holds."""
    return open_backend(directory.check().spec.backend, file, directory.store)


def show(directory: RunDirectory, summary: dict[str, Any], output: str) -> int:
    """Print a summary; returns the exit code that it means."""
    from dynamo_consistency import terminal

    if output == "json":
        print_json(summary)
    elif output == "csv":
        print_csv(terminal.RUN_COLUMNS, [terminal.run_row(summary)])
    else:
        terminal.show_summary(directory, summary)
    return 0 if summary["result"] == "Complete" else 1


def print_rows(
    columns: Sequence[str], rows: Iterable[dict[str, Any]], output: str, text: Callable[[dict[str, Any]], str]
) -> None:
    """Print `rows`, which have `columns`, as JSON or CSV, or each as the line that `text` makes of it."""
    if output == "json":
        print_json([{column: row[column] for column in columns} for row in rows])
    elif output == "csv":
        print_csv(columns, rows)
    else:
        for row in rows:
            click.echo(text(row))


def print_csv(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    """Print the `columns` of `rows` as CSV: true and false as in JSON, several values with blanks between them."""
    table = csv.writer(_BytesOut(), lineterminator="\n")
    table.writerow(columns)
    for row in rows:
        table.writerow([_cell(row[column]) for column in columns])


class _BytesOut:
    """Stdout for names that need not be UTF-8."""

    def write(self, text: str) -> int:
        return sys.stdout.buffer.write(paths.to_bytes(text))


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else value


def print_json(data: Any) -> None:
    """Print `data` as JSON on stdout."""
    click.echo(json.dumps(data, indent=2))
