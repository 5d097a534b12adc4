"""`validate` and `run`: a check file."""

import logging
from pathlib import Path
from typing import Any

import click

from dynamo_consistency.checkfile import read_check, read_checks
from dynamo_consistency.cli.shared import (
    approve_option,
    backend_of,
    backends_option,
    open_backend,
    output_option,
    show,
    store_option,
    url_of_store,
)
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.run.store.run_directory import RunStore

log = logging.getLogger(__name__)


@click.command()
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


@click.command()
@click.option("-f", "file", required=True, type=click.Path(path_type=Path), help="Check file.")
@backends_option
@store_option
@output_option
@approve_option
def run(file: Path, backends_file: Path | None, store_url: str | None, output: str, approved: str | None) -> int:
    """Check a site: snapshot, listing, second snapshot, comparison, reports and, behind all gates, requests.

    With --approve nothing is listed anew: it is that run that may act, as long as its findings are the latest, and as
    far as the check file allows it now.
    """
    from dynamo_consistency.run.pipeline import act_on, run_check
    from dynamo_consistency.run.records.history import find_run

    check = read_check(file)
    store = RunStore(url_of_store(store_url, check))
    if approved is not None:
        directory = find_run(store, check.spec.site, approved)
        summary = act_on(directory, backend_of(directory, backends_file), directory.run_id, check)
        return show(directory, summary, output) or _says_why_not(summary)
    directory, summary = run_check(check, open_backend(check.spec.backend, backends_file, store), store)
    return show(directory, summary, output)


def _says_why_not(summary: dict[str, Any]) -> int:
    """The exit code of an approved action: 1, with the reason, for one that could not act."""
    closed = [gate for gate in summary["gates"] if gate["state"] != "Ready"]
    if closed:
        reasons = "; ".join(f"{gate['name']}: {gate['message']}" for gate in closed)
        log.error("run %s was approved and cannot act: %s", summary["runId"], reasons)
    return 1 if closed else 0
