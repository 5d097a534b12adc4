"""`site` and `inventory`: what the backend has."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dynamo_consistency.cli.groups import Commands
from dynamo_consistency.cli.parameters import FilePath, backend_option, backends_option, output_option, store_option
from dynamo_consistency.cli.shared import open_backend, print_rows, url_of_store
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.run.store.disk_errors import disk_errors_explained
from dynamo_consistency.run.store.run_directory import RunStore
from dynamo_consistency.text import word_for

if TYPE_CHECKING:
    from dynamo_consistency.backend.dynamo import DynamoBackend


def _with_inventory(function: Callable[..., Any]) -> Callable[..., Any]:
    return backends_option(backend_option(store_option(function)))


@click.group("site", cls=Commands)
def sites() -> None:
    """List the sites of an inventory."""


@sites.command("list")
@_with_inventory
@output_option()
def site_list(backends_file: Path | None, backend_name: str, store_url: str | None, output: str) -> None:
    """Print each site of the inventory, and whether it is ready to be checked."""
    backend = open_backend(backend_name, backends_file, RunStore(url_of_store(store_url)))
    ready = backend.siteinfo.ready_sites()
    rows = [{"site": name, "ready": name in ready} for name in backend.siteinfo.site_list()]
    print_rows(
        ("site", "ready"), rows, output, lambda row: f"{row['site']}\t{'ready' if row['ready'] else 'not ready'}"
    )


@click.group(cls=Commands)
def inventory() -> None:
    """Make and fill an inventory of your own, to try a check.

    These commands never write to a production Dynamo database.
    """


@inventory.command("init")
@_with_inventory
def inventory_init(backends_file: Path | None, backend_name: str, store_url: str | None) -> None:
    """Create the tables of an inventory.

    They are created in a new SQLite file, or in MariaDB or MySQL databases that are empty.
    """
    store = url_of_store(store_url)
    if backends_file is None and "://" not in store:
        with disk_errors_explained(Path(store)):
            Path(store).mkdir(parents=True, exist_ok=True)
    dynamo = _dynamo(backend_name, backends_file, store_url)
    dynamo.init()
    click.echo(f"ready: {dynamo.describe()}")


@inventory.command("import")
@click.argument("site")
@click.argument("file", type=FilePath())
@click.option("--force", is_flag=True, help="Take a list without a file, too: the inventory of the site is then empty.")
@_with_inventory
def inventory_import(
    *, site: str, file: Path, force: bool, backends_file: Path | None, backend_name: str, store_url: str | None
) -> None:
    """Replace the files that the inventory has at SITE by those in FILE.

    FILE has a line for each file: name, size and, if you like, dataset, block, group, complete and time.
    """
    if not file.exists() or file.is_dir():
        why = "Is a directory" if file.exists() else "No such file or directory"
        raise ConfigurationError(f"{file}: cannot be read: {why}")
    number = _dynamo(backend_name, backends_file, store_url).import_files(site, file, even_none=force)
    click.echo(f"{number} {word_for(number, 'file')} imported for {site}")


@inventory.command("export")
@click.argument("site")
@click.argument("file", type=FilePath())
@_with_inventory
def inventory_export(
    site: str, file: Path, backends_file: Path | None, backend_name: str, store_url: str | None
) -> None:
    """Write the files that the inventory has at SITE to FILE; - is stdout.

    The command import reads such a file.
    """
    number = _dynamo(backend_name, backends_file, store_url).export_files(site, file)
    click.echo(f"{number} {word_for(number, 'file')} exported for {site}", err=str(file) == "-")


def _dynamo(name: str, file: Path | None, store_url: str | None) -> "DynamoBackend":
    from dynamo_consistency.backend.dynamo import DynamoBackend

    backend = open_backend(name, file, RunStore(url_of_store(store_url)))
    if not isinstance(backend, DynamoBackend):
        raise ConfigurationError(f"the backend {name} is not of type dynamo; only that has an inventory to write to")
    return backend
