"""Acting on the findings of a run: all gates once more, then file by file what nothing speaks against.

Requests are made in the order: mismatches and missing files (transfer), orphans, empty directories (deletion). Running
it again after a crash continues where the journal ends and asks for nothing twice.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from dynamo_consistency import paths
from dynamo_consistency.backend import adapt
from dynamo_consistency.backend.contract import Backend, Known
from dynamo_consistency.errors import InvalidRunError
from dynamo_consistency.listers.walk import Limits
from dynamo_consistency.run.action import objections, requests
from dynamo_consistency.run.action.journal import Journal
from dynamo_consistency.run.action.lock import site_lock
from dynamo_consistency.run.action.record import left_over_before, write_actions
from dynamo_consistency.run.action.sight import Sight, SiteView
from dynamo_consistency.run.confirmation import confirmed_findings
from dynamo_consistency.run.directory import RunDirectory, Store
from dynamo_consistency.run.gates import Facts, Gate, all_ready, evaluate, gather
from dynamo_consistency.run.history import read_summary
from dynamo_consistency.run.listing import open_lister

log = logging.getLogger(__name__)

BATCH = 100


def act(store: Store, run: RunDirectory, backend: Backend, approved_run: str | None = None) -> dict[str, Any]:
    """Act on the findings of `run` as far as the gates allow; returns what `summary.json` says of gates and actions.

    `approved_run`: the run that a person has approved, beside what the check says. Raises InvalidRunError for a run
    without findings, ConsistencyError when another action of the site is under way, BackendError when the registry or
    the inventory does not answer; what was asked until then stands in the journal.
    """
    if read_summary(run)["result"] != "Complete":
        raise InvalidRunError(f"run {run.run_id} of {run.site} is not complete and has no findings to act on")
    with site_lock(store, run.site):
        facts = gather(store, run, approved_run)
        gates = evaluate(facts)
        journal = Journal(run)
        if all_ready(gates):
            _carry_out(run, backend, facts, gates, journal)
        else:
            closed = ", ".join(gate.name for gate in gates if gate.state != "Ready")
            log.info("run %s of %s requests nothing: %s", run.run_id, run.site, closed)
        return {"gates": [gate.as_dict() for gate in gates], "actions": write_actions(run, facts, gates, journal)}


def _carry_out(run: RunDirectory, backend: Backend, facts: Facts, gates: list[Gate], journal: Journal) -> None:
    listing = run.check().spec.listing
    limits = Limits(listing.concurrency, listing.directory_timeout_seconds, listing.retries)
    source = open_lister(listing, backend, run.site)
    try:
        source.lister.prepare()
        view = SiteView(source.lister, limits, [paths.to_bytes(root.path) for root in listing.roots])
        for kind in facts.enforced:
            first = left_over_before(run, kind)
            task = _Task(run, backend, kind, view, gates, journal)
            task.work_off(_in_turn(facts.confirmed[kind].runs, kind, first, journal), facts.policy.max_requests_per_run)
    finally:
        source.lister.close()


def _in_turn(
    runs: Sequence[RunDirectory], kind: str, first: set[bytes], journal: Journal
) -> Iterator[objections.Finding]:
    """Confirmed findings of which nothing is settled yet: those that an earlier run left over, then the others."""
    if not runs:
        return
    settled = journal.settled
    for left_over in (True, False) if first else (False,):
        for finding in confirmed_findings(runs, kind):
            if (finding["path"] in first) == left_over and finding["path"] not in settled:
                yield finding


@dataclass
class _Task:
    """Working off the findings of one kind."""

    run: RunDirectory
    backend: Backend
    kind: str
    view: SiteView
    gates: list[Gate]
    journal: Journal

    def work_off(self, findings: Iterator[objections.Finding], budget: int) -> None:
        """Batch by batch until the findings or the budget, counted over all kinds of the run, are used up."""
        pending = set(self.backend.deletion_requests(self.run.site))
        protected = set(self.backend.inventory.protected_datasets(self.run.site))
        self._of_pending = self.backend.DatasetFilter(pending)
        self._of_protected = self.backend.DatasetFilter(pending | protected)
        self._pending = pending
        while (left := budget - len(self.journal.asked)) > 0:
            batch = list(islice(findings, min(BATCH, left)))
            if not batch:
                return
            self._settle(batch)

    def _settle(self, batch: list[objections.Finding]) -> None:
        """Look at each finding, write down what will be asked, ask, and write down what was answered."""
        spoken = dict(self._objections(batch))
        wanted = [path for path, objection in spoken.items() if objection is None]
        asked_at = self.journal.ask(self.kind, wanted, self.gates) if wanted else None
        outcomes = requests.request(self.backend, self.run.site, self.kind, wanted) if wanted else []
        answers = [(outcome.path, outcome.outcome, outcome.message) for outcome in outcomes]
        skipped = [(path, "skipped", objection) for path, objection in spoken.items() if objection is not None]
        self.journal.answer(self.kind, asked_at, [*answers, *skipped])  # type: ignore[list-item]

    def _objections(self, batch: list[objections.Finding]) -> Iterator[tuple[bytes, str | None]]:
        wanted = [finding["path"] for finding in batch]
        look = self.view.directories if self.kind == "emptyDirectories" else self.view.files
        sights = look(wanted)
        known = adapt.look_up(self.backend, self.run.site, wanted)
        requested = {entry.path for entry in self.journal.entries if entry.result in ("requested", "waiting")}
        for finding in batch:
            path = finding["path"]
            objection = self._objection(finding, sights[path], known.get(path), requested)
            if objection is None:
                requested.add(path)
            yield path, objection

    def _objection(
        self, finding: objections.Finding, sight: Sight, known: Known | None, requested: set[bytes]
    ) -> str | None:
        name = paths.to_text(finding["path"])
        if self.kind == "emptyDirectories":
            return objections.to_deletion_of_directory(finding, sight, known, requested)
        if self.kind == "orphans":
            return objections.to_deletion_of_orphan(finding, sight, known, self._of_protected.protected(name))
        dataset = known.dataset if known else None
        by_name = bool(self._pending) and self._of_pending.protected(name)
        deletion_pending = dataset in self._pending if dataset is not None else by_name
        if self.kind == "missing":
            return objections.to_transfer_of_missing(finding, sight, known, deletion_pending)
        return objections.to_transfer_of_mismatch(finding, sight, known, deletion_pending)
