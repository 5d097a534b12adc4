"""Saying that something of a run is damaged."""

import logging

from dynamo_consistency.run.store.run_directory import RunDirectory

log = logging.getLogger(__name__)

_told: set[str] = set()


def tell_damage(run: RunDirectory, what: str) -> None:
    """Tell people, once, that something of `run` is damaged, so that it counts as not complete."""
    if what not in _told:
        _told.add(what)
        log.warning("run %s of %s counts as not complete: %s", run.run_id, run.site, what)
