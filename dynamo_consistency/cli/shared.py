"""Options that commands share, and what they mean."""

import json
from pathlib import Path
from typing import Any

import click

from dynamo_consistency.backend import backends_file
from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

DEFAULT_STORE = "consistency-data"
CHECK_FILE = "YAML file with the check of a site (a SiteConsistencyCheck)."

store_option = click.option(
    "--store",
    "store_url",
    metavar="URL",
    help=f"Path or fsspec URL of the folder with all runs [{DEFAULT_STORE}].",
)
backends_option = click.option(
    "--backends",
    "backends_file",
    type=click.Path(path_type=Path),
    envvar="DYNAMO_CONSISTENCY_BACKENDS",
    help="YAML file that names the inventories (backends.yaml). Without it, an SQLite inventory in the store is used.",
)
backend_option = click.option(
    "--backend", "backend_name", default="default", show_default=True, help="Name of an entry of backends.yaml."
)
approve_option = click.option("--approve", "approved", metavar="RUN", help="Id of the run whose requests you approve.")
output_option = click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", help="How the result is printed."
)


def url_of_store(option: str | None, check: SiteConsistencyCheck | None = None) -> str:
    """The store: as the command line says, else as the check says, else a folder here."""
    of_check = check.spec.store.url if check is not None and check.spec.store else None
    return option or of_check or DEFAULT_STORE


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
    else:
        terminal.show_summary(directory, summary)
    return 0 if summary["result"] == "Complete" else 1


def print_json(data: Any) -> None:
    """Print `data` as JSON on stdout."""
    click.echo(json.dumps(data, indent=2))
