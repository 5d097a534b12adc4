"""`stage …`: what the Jobs of a cluster run."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.checkfile import CHECK_SETTING, check_of_json, read_check
from dynamo_consistency.cli.groups import Commands
from dynamo_consistency.cli.parameters import (
    CHECK_FILE,
    FilePath,
    approve_option,
    backends_option,
    expanded,
    output_option,
)
from dynamo_consistency.cli.shared import backend_of, open_backend, print_rows, show
from dynamo_consistency.errors import ConfigurationError, ConsistencyError
from dynamo_consistency.run.store.owner import Owner
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.run.termination_message import TerminationMessage

_pass_message = click.make_pass_decorator(TerminationMessage, ensure=True)


@click.group(cls=Commands)
def stage() -> None:
    """Run one stage of a run by itself.

    The Jobs of a cluster use this. A stage that was interrupted can be run again.
    """


def _stage(function: Callable[..., Any]) -> Callable[..., Any]:
    run_dir = click.option("--run-dir", required=True, metavar="URL", help="Path or fsspec URL of the run directory.")
    return run_dir(backends_option(_pass_message(function)))


@stage.command()
@_stage
@click.option("-f", "file", type=FilePath(), help=f"{CHECK_FILE} Needed for a new run directory only.")
@output_option(default="json")
def snapshot(
    message: TerminationMessage, *, run_dir: str, backends_file: Path | None, file: Path | None, output: str
) -> None:
    """Take the first snapshot of the site's files in the inventory.

    A new run directory is made from the check that -f names or, without -f, from $DYNAMO_CONSISTENCY_CHECK, which holds
    a check as JSON.
    """
    from dynamo_consistency.run.snapshot import take_snapshot

    directory = _opened(message, "snapshot", run_dir, file)
    _begin_run(directory, backends_file, file)
    facts = take_snapshot(directory, backend_of(directory, backends_file), "before")
    message.counts({"inventoryFiles": facts["rows"], "inventoryBytes": facts["bytes"]})
    _print_facts(facts, output)


def _print_facts(facts: dict[str, Any], output: str) -> None:
    """What a stage has counted; CSV and text leave out its lists."""
    numbers = facts | facts.get("counts", {})
    columns = list(facts) if output == "json" else [name for name, value in numbers.items() if not _is_many(value)]
    print_rows(columns, [numbers], output, lambda row: "\n".join(f"{name}: {row[name]}" for name in columns))


def _is_many(value: Any) -> bool:
    return isinstance(value, list | dict)


def _opened(
    message: TerminationMessage, stage: str, run_dir: str, file: Path | None = None, **more: int
) -> RunDirectory:
    """The run directory that a stage works on, without what a killed process has left in it.

    Raises ConfigurationError when it is no place for one, or of another check than the one that was given.
    """
    url = _complete(run_dir)
    site, _, run_id = url.rstrip("/").rpartition("/")
    if not site or not run_id:
        raise ConfigurationError(f"--run-dir wants STORE/SITE/RUN, such as consistency-data/T2_X/1; it is {run_dir!r}")
    directory = RunDirectory(url)
    message.begin(stage, directory.run_id, **more)
    if directory.has_begun():
        if check := _given_check(file):
            _refuse_other_site(directory, check, file)
            directory.belongs_to(Owner.of(check))
        directory.remove_leftovers()
    return directory


def _complete(path_or_url: str) -> str:
    """The names of site and run are the last two of a path, also where a person has left them out."""
    if "://" in path_or_url:
        return path_or_url
    return os.path.abspath(expanded(path_or_url))  # noqa: PTH100 (a link has the name that counts)


def _refuse_other_site(directory: RunDirectory, check: SiteConsistencyCheck, file: Path | None) -> None:
    if check.spec.site != directory.site:
        raise ConfigurationError(
            f"{directory.url} is a run of {directory.site}, but {file or CHECK_SETTING} checks {check.spec.site}"
        )


def _given_check(file: Path | None) -> SiteConsistencyCheck | None:
    """The check of the command line or, without one, of the environment."""
    if file is not None:
        return read_check(file)
    given = os.environ.get(CHECK_SETTING)
    return check_of_json(given, CHECK_SETTING) if given else None


def _begin_run(directory: RunDirectory, backends_file: Path | None, file: Path | None) -> None:
    """Make the run directory, if it is new and there is a check for it."""
    from dynamo_consistency.run.pipeline import resolved

    check = _given_check(file)
    if check is None or directory.has_begun():
        return
    _refuse_other_site(directory, check, file)
    backend = open_backend(check.spec.backend, backends_file, directory.store)
    directory.store.create(resolved(check, backend), directory.run_id)


@stage.command()
@_stage
@click.option(
    "--shard",
    type=click.IntRange(min=0),
    default=0,
    envvar="JOB_COMPLETION_INDEX",
    show_envvar=True,
    show_default=True,
    help="Number of the shard to list, counted from 0.",
)
@output_option(default="json")
def listing(message: TerminationMessage, *, run_dir: str, backends_file: Path | None, shard: int, output: str) -> None:
    """List one shard of the site.

    Shard 0 also lists the unmerged area, if the check has one.
    """
    from dynamo_consistency.run.listing.progress import Progress
    from dynamo_consistency.run.listing.shard import list_shard
    from dynamo_consistency.run.unmerged import list_unmerged

    directory = _opened(message, "listing", run_dir, shard=shard)
    of_check = directory.check().spec.listing
    if shard >= of_check.shards:
        raise ConfigurationError(f"there is no shard {shard}: the check has {of_check.shards}, counted from 0")
    # a check that says what lists the site, as that of a run does, needs no backend: it would double the memory
    backend = backend_of(directory, backends_file) if of_check.source is None else None
    result = list_shard(directory, backend, shard, Progress(f"{directory.site}: listing of shard {shard}"))
    message.counts(result["counts"])
    message.holes(result["counts"]["holes"], result["holes"])
    if shard == 0:
        list_unmerged(directory, backend, Progress(f"{directory.site}: unmerged area"))
    _print_facts(result, output)


@stage.command()
@_stage
@output_option()
def comparison(message: TerminationMessage, run_dir: str, backends_file: Path | None, output: str) -> int:
    """Take the second snapshot, compare, and write the reports."""
    from dynamo_consistency.run.pipeline import conclude

    directory = _opened(message, "comparison", run_dir)
    summary = conclude(directory, backend_of(directory, backends_file))
    message.summary(summary)
    return show(directory, summary, output)


@stage.command()
@_stage
@output_option()
@approve_option
@click.option("-f", "file", type=FilePath(), help="Check file as it is now: what is stricter counts.")
def action(
    message: TerminationMessage,
    *,
    run_dir: str,
    backends_file: Path | None,
    output: str,
    approved: str | None,
    file: Path | None,
) -> int:
    """Request deletions and transfers, if all gates are open.

    All gates are checked again first. Only confirmed findings whose mode is Enforce are requested.

    Without -f the check of today is what $DYNAMO_CONSISTENCY_CHECK holds, as JSON; without both, that of the run.
    """
    from dynamo_consistency.run.pipeline import act_on
    from dynamo_consistency.run.records.history import full_run_id, read_summary

    directory = _opened(message, "action", run_dir, file)
    today = _given_check(file)
    approved = approved and full_run_id(directory.store, directory.site, approved)
    try:
        summary = act_on(directory, backend_of(directory, backends_file), approved, today)
    except ConsistencyError:
        message.summary(read_summary(directory))  # what was asked for until then
        raise
    message.summary(summary)
    return show(directory, summary, output)
