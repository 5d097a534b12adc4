"""`validate` and `run`: a check file."""

from pathlib import Path

import click

from dynamo_consistency.check.overlap import overlaps_among
from dynamo_consistency.checkfile import read_check, read_checks
from dynamo_consistency.cli.shared import (
    approve_option,
    backends_option,
    open_backend,
    output_option,
    show,
    store_option,
    url_of_store,
)
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.run.store.owner import Owner
from dynamo_consistency.run.store.run_directory import RunStore


@click.command()
@click.option("-f", "files", multiple=True, required=True, type=click.Path(path_type=Path), help="Check file.")
@click.argument("more", nargs=-1, type=click.Path(path_type=Path))
def validate(files: tuple[Path, ...], more: tuple[Path, ...]) -> None:
    """Read check files and report every error in all of them at once, and which checks of a site overlap."""
    problems, checks = [], []
    for file in files + more:
        try:
            of_file = read_checks(file)
            click.echo(f"{file}: valid: {', '.join(check.metadata.name for check in of_file)}")
            checks += of_file
        except ConfigurationError as error:
            problems.append(str(error))
    for overlap in overlaps_among(checks):
        click.echo(f"warning: {overlap}", err=True)
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

    With --approve nothing is listed anew: it is that run that may act, as long as its findings are the latest.
    """
    from dynamo_consistency.run.pipeline import act_on, run_check
    from dynamo_consistency.run.records.history import find_run

    check = read_check(file)
    store = RunStore(url_of_store(store_url, check))
    backend = open_backend(check.spec.backend, backends_file, store)
    if approved is not None:
        directory = find_run(store, check.spec.site, approved, Owner.of(check))
        return show(directory, act_on(directory, backend, directory.run_id), output)
    directory, summary = run_check(check, backend, store)
    return show(directory, summary, output)
