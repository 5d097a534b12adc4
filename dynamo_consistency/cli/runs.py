"""`findings` and `history`: earlier runs."""

import sys
from typing import Any, get_args

import click

from dynamo_consistency.cli.shared import output_option, print_json, store_option, url_of_store
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.kinds import FINDING_KINDS, KIND_BY_FILE_NAME
from dynamo_consistency.run.store.run_directory import RunStore


@click.command()
@click.argument("site")
@click.option("--run", "run_id", metavar="ID", help="Id of the run. Without it, the last complete run is used.")
@click.option(
    "--kind",
    type=click.Choice([kind.file_name for kind in FINDING_KINDS]),
    required=True,
    help="Kind of the findings to print.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "csv"]),
    default="text",
    show_default=True,
    help="How the findings are printed: paths only, or with size, dataset and more as JSON or CSV.",
)
@store_option
def findings(site: str, run_id: str | None, kind: str, format_: str, store_url: str | None) -> None:
    """Print all findings of one kind in a run of SITE."""
    from dynamo_consistency.run.comparison.export import FindingsFormat, write_findings
    from dynamo_consistency.run.records.history import find_run

    directory = find_run(RunStore(url_of_store(store_url)), site, run_id)
    formats = {name: name for name in get_args(FindingsFormat)}
    write_findings(directory, KIND_BY_FILE_NAME[kind], formats[format_], sys.stdout.buffer)


class _HistoryGroup(click.Group):
    """`history SITE [PATH]` beside `history prune SITE`: what is no subcommand is a site."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        return super().resolve_command(ctx, args if args[0] in self.commands else ["show", *args])


@click.group(cls=_HistoryGroup, subcommand_metavar="SITE [PATH] | prune SITE")
def history() -> None:
    """List the runs of a site, or what they found about one file.

    SITE alone lists all its runs. SITE PATH lists the runs that reported the file or directory PATH, as which kind
    (missing, orphan, …), and what was requested for it. prune SITE removes what old runs need not keep.
    """


@history.command("show", hidden=True)
@click.argument("site")
@click.argument("path", required=False)
@store_option
@output_option
def history_show(site: str, path: str | None, store_url: str | None, output: str) -> None:
    """List the runs of SITE with their results, or what they found about one file.

    With PATH, an LFN, only the runs that reported that file or directory are listed, with what was requested for it.
    """
    from dynamo_consistency import terminal
    from dynamo_consistency.run.records.history import read_summary
    from dynamo_consistency.run.records.path_history import history_of_path

    store = RunStore(url_of_store(store_url))
    runs = store.runs(site)
    rows = [read_summary(run) for run in runs] if path is None else list(history_of_path(store, site, path))
    if not runs:
        raise ConfigurationError(f"there is no run of {site} in {store.url}")
    if output == "json":
        print_json(rows)
    elif path is None:
        terminal.show_runs(rows)
    else:
        terminal.show_file(path, rows)


@history.command("prune")
@click.argument("site")
@store_option
def history_prune(site: str, store_url: str | None) -> None:
    """Remove what each check of SITE says need not be kept; runs that a confirmation rests on stay."""
    import time

    from dynamo_consistency.run.records.retention import prune_site

    store = RunStore(url_of_store(store_url))
    if not store.runs(site):
        raise ConfigurationError(f"there is no run of {site} in {store.url}")
    for removal in prune_site(store, site, time.time()):
        click.echo(f"{removal.run.run_id}: {'removed' if removal.what == 'run' else 'inventories and listing removed'}")
