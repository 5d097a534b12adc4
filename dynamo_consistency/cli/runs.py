"""`report`, `findings` and `history`: earlier runs."""

import contextlib
import os
import sys
from collections.abc import Callable
from typing import get_args

import click
from click.shell_completion import CompletionItem

from dynamo_consistency.cli.groups import Commands
from dynamo_consistency.cli.parameters import STORE_SETTING, KindName, output_option, store_option
from dynamo_consistency.cli.shared import print_csv, print_json, print_rows, show, url_of_store
from dynamo_consistency.errors import ConfigurationError, ConsistencyError
from dynamo_consistency.kinds import FindingKind
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore


def _complete_site(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """For shells: sites that have runs in the store."""
    return _beginning_with(incomplete, lambda: _store_of(ctx).sites())


def _complete_run(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """For shells: the runs of the site that stands before; click has not yet come to it when --run lacks its value."""
    sites = [site for site in (ctx.params.get("site"), *ctx.args) if site]
    return _beginning_with(incomplete, lambda: [run.run_id for run in _store_of(ctx).runs(sites[0])] if sites else [])


def _store_of(ctx: click.Context) -> RunStore:
    return RunStore(url_of_store(ctx.params.get("store_url")))


def _beginning_with(incomplete: str, names: Callable[[], list[str]]) -> list[str]:
    """A shell that completes must not be told of errors."""
    with contextlib.suppress(ConsistencyError, OSError):
        return [name for name in names() if name.startswith(incomplete)]
    return []


site_argument = click.argument("site", shell_complete=_complete_site)


run_option = click.option(
    "--run",
    "run_id",
    metavar="ID",
    shell_complete=_complete_run,
    help="Id of the run, or the beginning of it. Without it, the last complete run is used.",
)


@click.command()
@site_argument
@run_option
@store_option
@output_option()
def report(site: str, run_id: str | None, store_url: str | None, output: str) -> None:
    """Print what a run of SITE has found and done, as `run` does at its end, and where its page is."""
    from dynamo_consistency.run.records.history import named_run, read_summary

    directory = named_run(RunStore(url_of_store(store_url)), site, run_id)
    show(directory, read_summary(directory), output)


@click.command()
@site_argument
@run_option
@click.option("--kind", type=KindName(), required=True, help="Kind of the findings to print.")
@output_option("--format")
@store_option
def findings(site: str, run_id: str | None, kind: FindingKind, output: str, store_url: str | None) -> None:
    """Print all findings of one kind in a run of SITE.

    As text, that is one path a line, and on a terminal sizes and times as well. JSON and CSV have all columns.
    """
    from dynamo_consistency.run.comparison.export import FindingsFormat, write_findings
    from dynamo_consistency.run.records.history import find_run

    directory = find_run(RunStore(url_of_store(store_url)), site, run_id)
    if output == "text" and sys.stdout.isatty():
        from dynamo_consistency import terminal

        terminal.show_findings(directory, kind)
        return
    formats = {name: name for name in get_args(FindingsFormat)}
    write_findings(directory, kind, formats[output], sys.stdout.buffer)


class _HistoryGroup(Commands):
    """`history SITE [PATH]` beside `history prune SITE`: what is no subcommand is a site, or an option before it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = not args or args[0] in (*self.commands, *ctx.help_option_names)
        return super().parse_args(ctx, args if own else ["show", *args])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        sites = _beginning_with(incomplete, lambda: RunStore(url_of_store(os.environ.get(STORE_SETTING))).sites())
        return [*super().shell_complete(ctx, incomplete), *map(CompletionItem, sites)]


@click.group(cls=_HistoryGroup, subcommand_metavar="SITE [PATH] | prune SITE")
def history() -> None:
    """List the runs of a site, or what they found about one file.

    SITE alone lists all its runs. SITE PATH lists the runs that reported the file or directory PATH, as which kind
    (missing, orphans, …), and what was requested for it. prune SITE removes what old runs need not keep. SITE --help
    shows the options.
    """


@history.command("show", hidden=True)
@site_argument
@click.argument("path", required=False)
@store_option
@output_option()
def history_show(site: str, path: str | None, store_url: str | None, output: str) -> None:
    """List the runs of SITE with their results, or what they found about one file.

    With PATH, an LFN, only the runs that reported that file or directory are listed, with what was requested for it.
    On a terminal, the part of a run's id that stands out is enough to name that run.
    """
    from dynamo_consistency.run.records.history import runs_of

    store = RunStore(url_of_store(store_url))
    runs = runs_of(store, site)
    if path is None:
        _show_runs(runs, output)
    else:
        _show_file(store, site, path, output)


def _show_runs(runs: list[RunDirectory], output: str) -> None:
    from dynamo_consistency import terminal
    from dynamo_consistency.run.records.history import read_summary

    summaries = [read_summary(run) for run in runs]
    if output == "text":
        terminal.show_runs(summaries)
        return
    rows = [terminal.run_row(summary) for summary in summaries]
    if output == "csv":
        print_csv(terminal.RUN_COLUMNS, rows)
        return
    derived = ("closedGates", "requested")
    pairs = zip(summaries, rows, strict=True)
    print_json([summary | {name: row[name] for name in derived} for summary, row in pairs])


def _show_file(store: RunStore, site: str, path: str, output: str) -> None:
    from dynamo_consistency import terminal
    from dynamo_consistency.run.records.path_history import history_of_path

    if not path.startswith("/"):
        raise ConfigurationError(f"an LFN begins with /, such as /store/mc/file; it is {path!r}")
    rows = list(history_of_path(store, site, path))
    if output == "json":
        print_json(rows)
    elif output == "csv":
        print_csv(terminal.FILE_COLUMNS, rows)
    else:
        terminal.show_file(path, rows)


@history.command("prune")
@site_argument
@store_option
@output_option()
def history_prune(site: str, store_url: str | None, output: str) -> None:
    """Remove what each check of SITE says need not be kept; runs that a confirmation rests on stay."""
    import time

    from dynamo_consistency.run.records.history import runs_of
    from dynamo_consistency.run.records.retention import prune_site

    store = RunStore(url_of_store(store_url))
    runs_of(store, site)
    words = {"run": "removed", "data": "inventories and listing removed"}
    removed = [
        {"runId": removal.run.run_id, "removed": removal.what} for removal in prune_site(store, site, time.time())
    ]
    print_rows(("runId", "removed"), removed, output, lambda row: f"{row['runId']}: {words[row['removed']]}")
