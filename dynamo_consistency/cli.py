"""The command line: `dynamo-consistency`.

Data goes to stdout; progress, logs and complaints to stderr. Exit codes: 0 the run is complete, whatever it found; 1 it
is invalid or failed; 2 wrong usage or configuration; 130 interrupted, with nothing half-written.
"""

import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_args

import click

from dynamo_consistency import secrets
from dynamo_consistency.backend import config
from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.checkfile import read_check, read_checks
from dynamo_consistency.errors import ConfigurationError, ConsistencyError
from dynamo_consistency.run.directory import CHECK, RunDirectory, Store

if TYPE_CHECKING:
    from dynamo_consistency.backend.dynamo import DynamoBackend

log = logging.getLogger("dynamo_consistency")

DEFAULT_STORE = "consistency-data"
INTERRUPTED = 130

_store = click.option(
    "--store", "store_url", metavar="URL", help=f"Path or fsspec URL of the run directories [{DEFAULT_STORE}]."
)
_backends = click.option(
    "--backends",
    "backends_file",
    type=click.Path(path_type=Path),
    envvar="DYNAMO_CONSISTENCY_BACKENDS",
    help="backends.yaml; without it, an SQLite inventory in the store.",
)
_backend_name = click.option("--backend", "backend_name", default="default", show_default=True, help="Entry to use.")
_approve = click.option("--approve", "approved", metavar="RUN", help="The run that may act, by its id.")
_output = click.option("--output", type=click.Choice(["text", "json"]), default="text", help="What stdout gets.")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Entry point of the command: every end of it is one of the documented exit codes."""
    sys.exit(_run_to_exit_code(arguments))


def _run_to_exit_code(arguments: Sequence[str] | None) -> int:
    try:
        result = command.main(args=arguments, standalone_mode=False)
    except click.exceptions.Abort:
        return _complain("interrupted; nothing half-written is left, and the stage can be run again", INTERRUPTED)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except ConsistencyError as error:
        return _complain(str(error), error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read stdout has gone, and the interpreter must not complain about it
        return 1
    except Exception as error:
        log.debug("unexpected", exc_info=True)
        how = "run `dynamo-consistency --debug …` and report what it says"
        return _complain(f"unexpected {type(error).__name__}: {error}; {how}", 1)
    return result if isinstance(result, int) else 0


def _complain(sentence: str, exit_code: int) -> int:
    click.echo(secrets.redact(sentence), err=True)
    return exit_code


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dynamo-consistency")
@click.option("--debug", is_flag=True, help="Log every step.")
def command(debug: bool) -> None:
    """Compares a storage site with its inventory, and says what is missing, orphaned, different or empty."""
    handler = logging.StreamHandler()
    handler.setFormatter(secrets.RedactingFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, handlers=[handler], force=True)
    log.setLevel(logging.DEBUG if debug else logging.INFO)


# ------------------------------------------------------------------------------------------------------------ a check


@command.command()
@click.option("-f", "files", multiple=True, required=True, type=click.Path(path_type=Path), help="Check file.")
@click.argument("more", nargs=-1, type=click.Path(path_type=Path))
def validate(files: tuple[Path, ...], more: tuple[Path, ...]) -> None:
    """Read check files and report every error in all of them at once."""
    problems = []
    for file in files + more:
        try:
            names = ", ".join(check.metadata.name for check in read_checks(file))
            click.echo(f"{file}: valid: {names}")
        except ConfigurationError as error:
            problems.append(str(error))
    if problems:
        raise ConfigurationError("\n".join(problems))


@command.command()
@click.option("-f", "file", required=True, type=click.Path(path_type=Path), help="Check file.")
@_backends
@_store
@_output
@_approve
def run(file: Path, backends_file: Path | None, store_url: str | None, output: str, approved: str | None) -> int:
    """Check a site: snapshot, listing, second snapshot, comparison, reports and, behind all gates, requests.

    With --approve nothing is listed anew: it is that run that may act, as long as its findings are the latest.
    """
    from dynamo_consistency.run.history import find_run
    from dynamo_consistency.run.pipeline import act_on, run_check

    check = read_check(file)
    store = Store(_store_url(store_url, check))
    backend = _open_backend(check.spec.backend, backends_file, store)
    if approved is not None:
        directory = find_run(store, check.spec.site, approved)
        return _show(directory, act_on(directory, backend, approved), output)
    directory, summary = run_check(check, backend, store)
    return _show(directory, summary, output)


@command.group()
def stage() -> None:
    """Run one stage of a run, as the Jobs of a cluster do; a stage that died can simply be run again."""


def _stage(function: Callable[..., Any]) -> Callable[..., Any]:
    run_dir = click.option("--run-dir", required=True, metavar="URL", help="The run directory.")
    return run_dir(_backends(function))


@stage.command()
@_stage
@click.option("-f", "file", type=click.Path(path_type=Path), help="Check file; makes the run directory when it is new.")
def snapshot(run_dir: str, backends_file: Path | None, file: Path | None) -> None:
    """Write down what the inventory says of the site."""
    from dynamo_consistency.run.pipeline import resolved
    from dynamo_consistency.run.snapshot import take_snapshot

    directory = RunDirectory(run_dir)
    if file is not None and not directory.exists(CHECK):
        store, site, run_id = _parts(directory)
        check = read_check(file)
        if check.spec.site != site:
            raise ConfigurationError(f"{run_dir} is a run of {site}, but {file} checks {check.spec.site}")
        store.create(resolved(check, _open_backend(check.spec.backend, backends_file, store)), run_id)
    _print_json(take_snapshot(directory, _backend_of(directory, backends_file), "before"))


@stage.command()
@_stage
@click.option("--shard", type=click.IntRange(min=0), default=0, envvar="JOB_COMPLETION_INDEX", show_default=True)
def listing(run_dir: str, backends_file: Path | None, shard: int) -> None:
    """List one shard of the site; shard 0 lists the scratch area as well."""
    from dynamo_consistency.run.listing import list_shard
    from dynamo_consistency.run.progress import Progress
    from dynamo_consistency.run.unmerged import list_unmerged

    directory = RunDirectory(run_dir)
    shards = directory.check().spec.listing.shards
    if shard >= shards:
        raise ConfigurationError(f"there is no shard {shard}: the check has {shards}, counted from 0")
    # a check that says what lists the site, as that of a run does, needs no backend: it would double the memory
    named = directory.check().spec.listing.source is not None
    backend = None if named else _backend_of(directory, backends_file)
    result = list_shard(directory, backend, shard, Progress(f"listing {directory.site}, shard {shard}"))
    if shard == 0:
        list_unmerged(directory, backend, Progress(f"listing the scratch area of {directory.site}"))
    _print_json(result)


@stage.command()
@_stage
@_output
def comparison(run_dir: str, backends_file: Path | None, output: str) -> int:
    """Take the second snapshot, compare, and write findings, reports and summary."""
    from dynamo_consistency.run.pipeline import conclude

    directory = RunDirectory(run_dir)
    return _show(directory, conclude(directory, _backend_of(directory, backends_file)), output)


@stage.command()
@_stage
@_output
@_approve
def action(run_dir: str, backends_file: Path | None, output: str, approved: str | None) -> int:
    """Look at all gates once more and, where they are open, request what the confirmed findings need."""
    from dynamo_consistency.run.pipeline import act_on

    directory = RunDirectory(run_dir)
    return _show(directory, act_on(directory, _backend_of(directory, backends_file), approved), output)


# ------------------------------------------------------------------------------------------------------ earlier runs


@command.command()
@click.argument("site")
@click.option("--run", "run_id", metavar="ID", help="The run; without it, the last complete one.")
@click.option(
    "--kind", type=click.Choice(["missing", "orphan", "mismatch", "empty_directory", "unmerged"]), required=True
)
@click.option("--format", "format_", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True)
@_store
def findings(site: str, run_id: str | None, kind: str, format_: str, store_url: str | None) -> None:
    """Print all findings of one kind."""
    from dynamo_consistency.run.findings import Format, Kind, write_findings
    from dynamo_consistency.run.history import find_run

    directory = find_run(Store(_store_url(store_url)), site, run_id)
    kinds = {name: name for name in get_args(Kind)}
    formats = {name: name for name in get_args(Format)}
    write_findings(directory, kinds[kind], formats[format_], sys.stdout.buffer)


class _HistoryGroup(click.Group):
    """`history SITE [PATH]` beside `history prune SITE`: what is no subcommand is a site."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        return super().resolve_command(ctx, args if args[0] in self.commands else ["show", *args])


@command.group(cls=_HistoryGroup, subcommand_metavar="SITE [PATH] | prune SITE")
def history() -> None:
    """List the runs of a site or, with PATH, the runs in which that file was found as what."""


@history.command("show", hidden=True)
@click.argument("site")
@click.argument("path", required=False)
@_store
@_output
def history_show(site: str, path: str | None, store_url: str | None, output: str) -> None:
    """List the runs of SITE: when, result, counts, requests. With PATH: what was found and done about that file."""
    from dynamo_consistency import terminal
    from dynamo_consistency.run.history import history_of_path, read_summary

    store = Store(_store_url(store_url))
    runs = store.runs(site)
    rows = [read_summary(run) for run in runs] if path is None else list(history_of_path(store, site, path))
    if not runs:
        raise ConfigurationError(f"there is no run of {site} in {store.url}")
    if output == "json":
        _print_json(rows)
    elif path is None:
        terminal.show_runs(rows)
    else:
        terminal.show_file(path, rows)


@history.command("prune")
@click.argument("site")
@_store
def history_prune(site: str, store_url: str | None) -> None:
    """Remove what the last check of SITE says need not be kept; runs that a confirmation rests on stay."""
    import time

    from dynamo_consistency.run.retention import prune

    store = Store(_store_url(store_url))
    runs = store.runs(site)
    if not runs:
        raise ConfigurationError(f"there is no run of {site} in {store.url}")
    spec = runs[-1].check().spec
    for removal in prune(store, site, spec.retention, spec.policy, time.time(), unmerged=spec.unmerged):
        click.echo(f"{removal.run.run_id}: {'removed' if removal.what == 'run' else 'inventories and listing removed'}")


# --------------------------------------------------------------------------------------------------------- inventory


@command.group("site")
def sites() -> None:
    """Sites that the backend knows."""


@sites.command("list")
@_backends
@_backend_name
@_store
def site_list(backends_file: Path | None, backend_name: str, store_url: str | None) -> None:
    """Print the sites, and whether each is ready."""
    backend = _open_backend(backend_name, backends_file, Store(_store_url(store_url)))
    ready = backend.siteinfo.ready_sites()
    for name in backend.siteinfo.site_list():
        click.echo(f"{name}\t{'ready' if name in ready else 'not ready'}")


@command.group()
def inventory() -> None:
    """A small inventory of one's own, to try things out; a real Dynamo database is never written to by these."""


def _with_inventory(function: Callable[..., Any]) -> Callable[..., Any]:
    return _backends(_backend_name(_store(function)))


@inventory.command("init")
@_with_inventory
def inventory_init(backends_file: Path | None, backend_name: str, store_url: str | None) -> None:
    """Make the tables, in a new SQLite file or in empty MariaDB or MySQL databases."""
    dynamo = _dynamo(backend_name, backends_file, store_url)
    dynamo.init()
    click.echo(f"ready: {dynamo.describe()}")


@inventory.command("import")
@click.argument("site")
@click.argument("file", type=click.Path(path_type=Path))
@_with_inventory
def inventory_import(
    site: str, file: Path, backends_file: Path | None, backend_name: str, store_url: str | None
) -> None:
    """Make FILE what the inventory says of SITE: name, size and, if you like, dataset, block, group, complete."""
    number = _dynamo(backend_name, backends_file, store_url).import_files(site, file)
    click.echo(f"{number} files imported for {site}")


@inventory.command("export")
@click.argument("site")
@click.argument("file", type=click.Path(path_type=Path))
@_with_inventory
def inventory_export(
    site: str, file: Path, backends_file: Path | None, backend_name: str, store_url: str | None
) -> None:
    """Write the files that the inventory has at SITE to FILE, in the form that `import` reads."""
    number = _dynamo(backend_name, backends_file, store_url).export_files(site, file)
    click.echo(f"{number} files exported for {site}")


# ------------------------------------------------------------------------------------------------------ what is shared


def _store_url(option: str | None, check: SiteConsistencyCheck | None = None) -> str:
    """The store: as the command line says, else as the check says, else a folder here."""
    of_check = check.spec.store.url if check is not None and check.spec.store else None
    return option or of_check or DEFAULT_STORE


def _open_backend(name: str, file: Path | None, store: Store) -> Backend:
    """The backend `name` of the file or, without a file, the default: an SQLite inventory in the store."""
    if file is None and "://" in store.url:
        raise ConfigurationError(f"the store {store.url} cannot hold an inventory; say with --backends where one is")
    entries = config.embedded(Path(store.url) / "inventory.sqlite") if file is None else config.read(file)
    return config.open_backend(entries, name)


def _backend_of(directory: RunDirectory, file: Path | None) -> Backend:
    """The backend of the check that a run directory holds."""
    store, _, _ = _parts(directory)
    return _open_backend(directory.check().spec.backend, file, store)


def _dynamo(name: str, file: Path | None, store_url: str | None) -> "DynamoBackend":
    from dynamo_consistency.backend.dynamo import DynamoBackend

    store = Store(_store_url(store_url))
    if file is None and "://" not in store.url:
        Path(store.url).mkdir(parents=True, exist_ok=True)
    backend = _open_backend(name, file, store)
    if not isinstance(backend, DynamoBackend):
        raise ConfigurationError(f"the backend {name} is not of type dynamo; only that has an inventory to write to")
    return backend


def _parts(directory: RunDirectory) -> tuple[Store, str, str]:
    """`<store>/<site>/<run id>`."""
    url = directory.url.rsplit("/", 2)[0] if directory.url.count("/") >= 2 else "."
    return Store(url), directory.site, directory.run_id


def _show(directory: RunDirectory, summary: dict[str, Any], output: str) -> int:
    from dynamo_consistency import terminal

    if output == "json":
        _print_json(summary)
    else:
        terminal.show_summary(directory, summary)
    return 0 if summary["result"] == "Complete" else 1


def _print_json(data: Any) -> None:
    click.echo(json.dumps(data, indent=2))


if __name__ == "__main__":
    main()
