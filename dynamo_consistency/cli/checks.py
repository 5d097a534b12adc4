"""`validate` and `run`: a check file."""

import logging
from pathlib import Path
from typing import Any

import click

from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.check.overlap import namesakes_among, overlaps_among
from dynamo_consistency.checkfile import is_kustomization, read_check, read_checks
from dynamo_consistency.cli.notices import Notices
from dynamo_consistency.cli.parameters import (
    CHECK_FILE,
    FilePath,
    approve_option,
    backends_option,
    output_option,
    store_option,
)
from dynamo_consistency.cli.shared import backend_of, open_backend, print_rows, show, url_of_store
from dynamo_consistency.errors import ConfigurationError
from dynamo_consistency.run.store.owner import Owner
from dynamo_consistency.run.store.run_directory import RunStore
from dynamo_consistency.yamlfile import shown_name

log = logging.getLogger(__name__)


@click.command()
@click.option("-f", "files", multiple=True, required=True, type=FilePath(), help=CHECK_FILE)
@click.argument("more", nargs=-1, type=FilePath())
@output_option()
def validate(files: tuple[Path, ...], more: tuple[Path, ...], output: str) -> None:
    """Read check files and report every error in them at once.

    MORE are further check files, so that a shell pattern works: -f checks/*.yaml. Checks of one name, and checks of
    one site whose roots overlap, are reported as well; a kustomization.yaml among them is passed over. Nothing is run.
    """
    rows: list[dict[str, Any]] = []
    checks: list[SiteConsistencyCheck] = []
    for file in files + more:
        name = {"file": shown_name(file)}
        try:
            of_file = [] if is_kustomization(file) else read_checks(file)
            rows.append(name | {"checks": [check.metadata.name for check in of_file], "problem": None})
            checks += of_file
        except ConfigurationError as error:
            rows += [name | {"checks": [], "problem": line} for line in str(error).splitlines()]
    problems = [row["problem"] for row in rows if row["problem"]]
    shown = [row for row in rows if output != "text" or not row["problem"]]  # as text they are on stderr, below
    print_rows(("file", "checks", "problem"), shown, output, _verdict)
    for warning in (*namesakes_among(checks), *overlaps_among(checks)):
        click.echo(f"warning: {warning}", err=True)
    if problems:
        raise ConfigurationError("\n".join(problems))


def _verdict(row: dict[str, Any]) -> str:
    valid = f"valid: {', '.join(row['checks'])}"
    return f"{row['file']}: {valid if row['checks'] else 'no check, but a list of files for kustomize'}"


@click.command()
@click.option("-f", "file", required=True, type=FilePath(), help=CHECK_FILE)
@backends_option
@store_option
@output_option()
@approve_option
def run(file: Path, backends_file: Path | None, store_url: str | None, output: str, approved: str | None) -> int:
    """Compare a site with its inventory, and report what differs.

    Takes a snapshot of the inventory, lists the site, takes a second snapshot, compares them and writes reports.
    Deletions and transfers are requested only for findings whose mode is Enforce, and only if all gates are open.

    With --approve the site is not listed again: the findings of that earlier run are requested, if they are still the
    latest, and as far as the check file allows it now.
    """
    from dynamo_consistency.run.pipeline import act_on, run_check
    from dynamo_consistency.run.records.history import find_run, read_summary

    check = read_check(file)
    store = RunStore(url_of_store(store_url, check))
    notices = Notices(check, file, backends_file, store)
    if approved is not None:
        directory = find_run(store, check.spec.site, approved, Owner.of(check))
        before = read_summary(directory)
        with notices.of_failure():
            summary = act_on(directory, backend_of(directory, backends_file), directory.run_id, check)
        notices.of_run(directory, summary, before)
        return show(directory, summary, output) or _says_why_not(summary, output)
    with notices.of_failure():
        directory, summary = run_check(check, open_backend(check.spec.backend, backends_file, store), store)
    notices.of_run(directory, summary)
    return show(directory, summary, output)


def _says_why_not(summary: dict[str, Any], output: str) -> int:
    """The exit code of an approved action: 1, with the reason, for one that could not act.

    As text, the summary has said already why each gate is closed.
    """
    closed = [gate for gate in summary["gates"] if gate["state"] != "Ready"]
    reasons = [f"{gate['name']}: {gate['message']}" for gate in closed]
    if output == "text" and closed:
        reasons = [f"closed gates: {', '.join(gate['name'] for gate in closed)}"]
    if not reasons and not any(action["confirmed"] for action in summary["actions"].values()):
        reasons = ["no finding of a kind that is enforced is confirmed"]
    if reasons:
        log.error("run %s was approved and cannot act: %s", summary["runId"], "; ".join(reasons))
    return 1 if reasons else 0
