"""Actions that died before they could write `actions.parquet`: what they asked for is written from their journals.

Else nobody would follow those requests, nor take them back when their reason is gone: a Job is not run again once its
action has begun.
"""

import logging

from dynamo_consistency.errors import ConsistencyError
from dynamo_consistency.run.action.actions_file import write_from_journal
from dynamo_consistency.run.action.journal import FOLDER, Journal
from dynamo_consistency.run.action.site_lock import site_lock
from dynamo_consistency.run.records.history import ACTIONS, complete_before
from dynamo_consistency.run.store.run_directory import RunDirectory

log = logging.getLogger(__name__)


def complete_records(run: RunDirectory) -> None:
    """Of the complete runs of the same check before `run`. What cannot be read, or is under way, waits for the next."""
    for earlier in complete_before(run.store, run):
        if earlier.exists(ACTIONS) or not earlier.names(FOLDER):
            continue
        try:
            with site_lock(run.store, run.site):
                write_from_journal(earlier, Journal(earlier))
        except ConsistencyError as error:
            log.warning("what became of the action of run %s is not known now: %s", earlier.run_id, error)
