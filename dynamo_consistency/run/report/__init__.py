"""Reports: what a person, or another program, reads of a run."""

from typing import Any

from dynamo_consistency.backend.contract import Backend
from dynamo_consistency.run.progress import StageProgress
from dynamo_consistency.run.report.blocks import write_blocks
from dynamo_consistency.run.report.lists import write_lists
from dynamo_consistency.run.report.page import write_page
from dynamo_consistency.run.report.storage import write_storage
from dynamo_consistency.run.report.tables import open_tables
from dynamo_consistency.run.store.run_directory import RunDirectory


def write_reports(run: RunDirectory, backend: Backend, summary: dict[str, Any]) -> dict[str, str]:
    """Write `reports/` from what the run has; artifact name → file relative to the run directory.

    Reports of an earlier attempt are removed first, and what the run does not have (an invalid run has no findings)
    gives no file: a list is either complete or not there. Memory stays flat whatever the number of findings.
    """
    run.remove("reports")
    with open_tables(run) as tables, StageProgress(f"{run.site}: reports", "lines", tables.lines()) as progress:
        tables.tell = progress.advance
        artifacts = write_lists(run, tables) | write_blocks(run, backend, tables) | write_storage(run, tables)
        return artifacts | write_page(run, tables, summary, artifacts)
