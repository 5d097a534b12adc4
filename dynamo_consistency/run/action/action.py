"""Acting on the findings of a run: all gates once more, then file by file what nothing speaks against.

Running it again after a crash continues where the journal ends and asks for nothing twice.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from dynamo_consistency import paths
from dynamo_consistency.backend.contract import Backend, Known, Registry
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import BackendError, ConsistencyError, InvalidRunError
from dynamo_consistency.kinds import ACTED_ON_KINDS, EMPTY_DIRECTORY, MISMATCH, MISSING, ORPHAN, UNMERGED
from dynamo_consistency.listers.walk import Limits
from dynamo_consistency.run.action import objections, requests
from dynamo_consistency.run.action.actions_file import write_actions
from dynamo_consistency.run.action.directory_removal import DirectoryRemoval
from dynamo_consistency.run.action.inventory_now import InventoryNow
from dynamo_consistency.run.action.journal import Journal, JournalResult
from dynamo_consistency.run.action.objections import is_directory
from dynamo_consistency.run.action.scheduling import batches
from dynamo_consistency.run.action.site_lock import SiteLock, site_lock
from dynamo_consistency.run.action.site_view import Absent, Sight, SiteView
from dynamo_consistency.run.action.unmerged import UnmergedArea, sights_of
from dynamo_consistency.run.gates import Facts, Gate, all_ready, evaluate, gather
from dynamo_consistency.run.listing.source import open_lister
from dynamo_consistency.run.progress import StageProgress
from dynamo_consistency.run.records.history import ACTIONS, read_summary
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

log = logging.getLogger(__name__)

ActionReport = dict[str, Any]
"""`gates` and `actions` of a summary."""

DIRECTORIES = frozenset(kind.name for kind in ACTED_ON_KINDS if kind.contents != "files")
"""Kinds by which directories go: of those above, it matters what was asked for."""
FETCHED = frozenset({MISSING.name, MISMATCH.name})
"""Kinds whose files are asked for, and not to go."""


def act(
    store: RunStore,
    run: RunDirectory,
    backend: Backend,
    approved_run: str | None = None,
    today: SiteConsistencyCheck | None = None,
) -> tuple[ActionReport, ConsistencyError | None]:
    """Act on the findings of `run` as far as the gates allow.

    Returns what `summary.json` says of gates and actions, and what ended it early: the site, the inventory or the
    registry did not answer; what was asked for until then is in the journal and in `actions.parquet`.
    `approved_run`: the run that a person has approved, beside what the check says. `today`: the check as it is now; the
    stricter of it and the run's counts. Raises InvalidRunError for a run without findings, ConsistencyError when
    another action of the site is under way.
    """
    if read_summary(run)["result"] != "Complete":
        raise InvalidRunError(f"run {run.run_id} of {run.site} is not complete and has no findings to act on")
    with site_lock(store, run.site) as lock:
        facts = gather(store, run, approved_run, today)
        gates = evaluate(facts)
        journal = Journal(run)
        ended_by = None
        if all_ready(gates):
            run.remove(ACTIONS)  # one of an earlier action would not tell what is asked for until this one may die
            try:
                _carry_out(run, backend, facts, _Record(journal, gates, lock))
            except ConsistencyError as error:
                ended_by = error
        else:
            closed = ", ".join(gate.name for gate in gates if gate.state != "Ready")
            log.info("run %s of %s requests nothing: %s", run.run_id, run.site, closed)
        actions = write_actions(run, facts, gates, journal)
        return {"gates": [gate.as_dict() for gate in gates], "actions": actions}, ended_by


def _carry_out(run: RunDirectory, backend: Backend, facts: Facts, record: "_Record") -> None:
    if not backend.check_site(run.site):
        raise BackendError(f"the backend says that {run.site} is no longer ready; run the action again when it is")
    check = facts.tightening.check if facts.tightening else run.check()
    listing = check.spec.listing
    limits = Limits(
        listing.concurrency, listing.directory_timeout_seconds, listing.retries, listing.max_requests_per_second
    )
    source = open_lister(listing, backend, run.site)
    by_protocol = check.spec.policy.empty_directories.method == "protocol"
    removal = DirectoryRemoval(by_protocol, source.remove_directory, requests.takes_directories(backend, run.site))
    try:
        source.lister.prepare()
        trees = [root.path for root in listing.roots] + (check.spec.unmerged.areas if check.spec.unmerged else [])
        view = SiteView(source.lister, limits, map(paths.to_bytes, trees), source.look)
        action = _Action(
            check,
            backend,
            view,
            inventory=InventoryNow(run, backend),
            unmerged_area=UnmergedArea(run, check),
            registry=requests.of_run(backend, run.run_id),
            removal=removal,
            approved=facts.approval_lifts,
            record=record,
        )
        most = min(facts.actionable, facts.policy.max_requests_per_run)
        with StageProgress(f"{run.site}: requests", "files", most) as progress:
            for kind, findings in batches(run, facts, record.journal, requests.is_idempotent(backend)):
                action.settle(kind, findings)
                progress.advance(len(findings))
    finally:
        source.lister.close()


class _Record(NamedTuple):
    """Where requests are written down, and what says that no other action of the site is under way."""

    journal: Journal
    gates: list[Gate]
    lock: SiteLock


class _Action:
    """Settles batches of findings: looks at each, writes down what will be asked, asks, writes down the answers."""

    def __init__(
        self,
        check: SiteConsistencyCheck,
        backend: Backend,
        view: SiteView,
        *,
        inventory: InventoryNow,
        unmerged_area: UnmergedArea,
        registry: Registry,
        removal: DirectoryRemoval,
        approved: bool,
        record: _Record,
    ) -> None:
        self._site, self._ignore_age = check.spec.site, check.spec.comparison.ignore_age_seconds
        self._backend, self._view, self._inventory = backend, view, inventory
        self._registry, self._removal, self._approved = registry, removal, approved
        self._record = record
        self._directories = {
            entry.path
            for entry in record.journal.entries
            if entry.kind in DIRECTORIES and entry.result in ("requested", "waiting")
        }
        self._unmerged_area = unmerged_area

    def settle(self, kind: str, findings: Sequence[objections.Finding]) -> None:
        """`findings`: some of one kind, either all directories or all files."""
        journal = self._record.journal
        wanted: list[bytes] = []
        unwanted: list[tuple[bytes, JournalResult, str]] = []
        for path, objection in self._objections(kind, findings):
            if objection is None:
                wanted.append(path)
            else:
                asked = journal.is_unanswered(kind, path)
                unwanted.append((path, "unanswered" if asked else "skipped", objection))
        if unwanted:
            journal.answer(kind, unwanted)
        directories = is_directory(kind, findings[0])
        for together in requests.calls(self._backend, wanted):
            self._ask(kind, together, directories)

    def _ask(self, kind: str, files: Sequence[bytes], directories: bool) -> None:
        """`directories`: all of `files` are."""
        journal, gates, lock = self._record
        lock.confirm()
        journal.ask(kind, files, gates)
        if directories and self._removal.by_protocol:
            outcomes = self._removal.remove(files)
        else:
            outcomes = requests.request(self._registry, self._site, kind, files, directories=directories)
        journal.answer(kind, outcomes)
        if kind in DIRECTORIES:
            self._directories |= {outcome.path for outcome in outcomes if outcome.outcome != "refused"}

    def _known(self, kind: str, files: Sequence[bytes], directories: bool) -> dict[bytes, Known]:
        """What the inventory has of `files`, or has that keeps them from being deleted; `directories`: all are."""
        if directories:
            return self._inventory.directories(files)
        return self._inventory.entries(files) if kind in FETCHED else self._inventory.claims(files)

    def _objections(self, kind: str, findings: Sequence[objections.Finding]) -> Iterator[tuple[bytes, str | None]]:
        """For each finding what speaks against it, by what site and inventory say now."""
        directories = is_directory(kind, findings[0])
        if directories and (why_none := self._removal.objection):
            yield from ((finding["path"], why_none) for finding in findings)
            return
        if kind == UNMERGED.name and (why_none := self._unmerged_area.renew()):
            yield from ((finding["path"], why_none) for finding in findings)
            return
        is_protected = self._inventory.protection()
        sights = sights_of(self._view, kind, findings)
        known = self._known(kind, [finding["path"] for finding in findings], directories)
        young_from = time.time() - self._ignore_age

        def objection(finding: objections.Finding, sight: Sight, entry: Known | None) -> str | None:
            path = finding["path"]
            if kind == UNMERGED.name:
                return self._unmerged_area.objection(finding, sight, entry, self._directories)
            if kind == EMPTY_DIRECTORY.name:
                return objections.to_deletion_of_directory(finding, sight, entry, self._directories, young_from)
            if kind == ORPHAN.name:
                return objections.to_deletion_of_orphan(finding, sight, entry, is_protected(path), young_from)
            if kind == MISSING.name and isinstance(sight, Absent) and sight.bare and not self._approved:
                return objections.BARE
            is_missing = kind == MISSING.name
            judge = objections.to_transfer_of_missing if is_missing else objections.to_transfer_of_mismatch
            pending = self._inventory.deletion_is_pending(path, entry)
            return judge(finding, sight, entry, pending, young_from)

        for finding in findings:
            yield finding["path"], objection(finding, sights[finding["path"]], known.get(finding["path"]))
