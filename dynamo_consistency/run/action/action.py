"""Acting on the findings of a run: all gates once more, then file by file what nothing speaks against.

Running it again after a crash continues where the journal ends and asks for nothing twice.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

from dynamo_consistency import paths
from dynamo_consistency.backend import optional_features
from dynamo_consistency.backend.contract import Backend, Known, Registry
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.errors import BackendError, ConsistencyError, InvalidRunError
from dynamo_consistency.kinds import ACTED_ON_KINDS, EMPTY_DIRECTORY, MISSING, ORPHAN, UNMERGED
from dynamo_consistency.listers.walk import Limits
from dynamo_consistency.run.action import objections, requests
from dynamo_consistency.run.action.actions_file import write_actions
from dynamo_consistency.run.action.directory_removal import DirectoryRemoval
from dynamo_consistency.run.action.journal import Journal, JournalResult
from dynamo_consistency.run.action.objections import is_directory
from dynamo_consistency.run.action.scheduling import batches
from dynamo_consistency.run.action.site_lock import site_lock
from dynamo_consistency.run.action.site_view import Sight, SiteView
from dynamo_consistency.run.action.unmerged import UnmergedArea, sights_of
from dynamo_consistency.run.gates import Facts, Gate, all_ready, evaluate, gather
from dynamo_consistency.run.listing.source import open_lister
from dynamo_consistency.run.records.history import read_summary
from dynamo_consistency.run.store.run_directory import RunDirectory, RunStore

log = logging.getLogger(__name__)

ActionReport = dict[str, Any]
"""`gates` and `actions` of a summary."""

DIRECTORIES = frozenset(kind.name for kind in ACTED_ON_KINDS if kind.contents != "files")
"""Kinds by which directories go: of those above, it matters what was asked for."""


def act(
    store: RunStore, run: RunDirectory, backend: Backend, approved_run: str | None = None
) -> tuple[ActionReport, ConsistencyError | None]:
    """Act on the findings of `run` as far as the gates allow.

    Returns what `summary.json` says of gates and actions, and what ended it early: the site, the inventory or the
    registry did not answer; what was asked for until then is in the journal and in `actions.parquet`.
    `approved_run`: the run that a person has approved, beside what the check says. Raises InvalidRunError for a run
    without findings, ConsistencyError when another action of the site is under way.
    """
    if read_summary(run)["result"] != "Complete":
        raise InvalidRunError(f"run {run.run_id} of {run.site} is not complete and has no findings to act on")
    with site_lock(store, run.site):
        facts = gather(store, run, approved_run)
        gates = evaluate(facts)
        journal = Journal(run)
        ended_by = None
        if all_ready(gates):
            try:
                _carry_out(run, backend, facts, gates, journal)
            except ConsistencyError as error:
                ended_by = error
        else:
            closed = ", ".join(gate.name for gate in gates if gate.state != "Ready")
            log.info("run %s of %s requests nothing: %s", run.run_id, run.site, closed)
        actions = write_actions(run, facts, gates, journal)
        return {"gates": [gate.as_dict() for gate in gates], "actions": actions}, ended_by


def _carry_out(run: RunDirectory, backend: Backend, facts: Facts, gates: list[Gate], journal: Journal) -> None:
    if not backend.check_site(run.site):
        raise BackendError(f"the backend says that {run.site} is no longer ready; run the action again when it is")
    check = run.check()
    listing = check.spec.listing
    limits = Limits(
        listing.concurrency, listing.directory_timeout_seconds, listing.retries, listing.max_requests_per_second
    )
    lister, _, remover = open_lister(listing, backend, run.site)
    by_protocol = check.spec.policy.empty_directories.method == "protocol"
    removal = DirectoryRemoval(by_protocol, remover, requests.takes_directories(backend, run.site))
    try:
        lister.prepare()
        trees = [root.path for root in listing.roots] + (check.spec.unmerged.areas if check.spec.unmerged else [])
        view = SiteView(lister, limits, map(paths.to_bytes, trees))
        registry = requests.of_run(backend, run.run_id)
        action = _Action(check, backend, view, registry=registry, removal=removal, gates=gates, journal=journal)
        for kind, findings in batches(run, facts, journal, requests.is_idempotent(backend)):
            action.settle(kind, findings)
    finally:
        lister.close()


class _Action:
    """Settles batches of findings: looks at each, writes down what will be asked, asks, writes down the answers."""

    def __init__(
        self,
        check: SiteConsistencyCheck,
        backend: Backend,
        view: SiteView,
        *,
        registry: Registry,
        removal: DirectoryRemoval,
        gates: list[Gate],
        journal: Journal,
    ) -> None:
        self._site, self._ignore_age = check.spec.site, check.spec.comparison.ignore_age_seconds
        self._backend, self._view, self._gates, self._journal = backend, view, gates, journal
        self._registry, self._removal = registry, removal
        self._directories = {
            entry.path
            for entry in journal.entries
            if entry.kind in DIRECTORIES and entry.result in ("requested", "waiting")
        }
        self._unmerged_area = UnmergedArea(check)
        # Dynamo fetches a file anew by dropping it first: once one is asked for, all of its dataset seems to be pending
        self._pending_before = set(backend.deletion_requests(check.spec.site))

    def settle(self, kind: str, findings: Sequence[objections.Finding]) -> None:
        """`findings`: some of one kind, either all directories or all files."""
        wanted: list[bytes] = []
        unwanted: list[tuple[bytes, JournalResult, str]] = []
        for path, objection in self._objections(kind, findings):
            if objection is None:
                wanted.append(path)
            else:
                asked = self._journal.is_unanswered(kind, path)
                unwanted.append((path, "unanswered" if asked else "skipped", objection))
        if unwanted:
            self._journal.answer(kind, unwanted)
        directories = is_directory(kind, findings[0])
        for together in requests.calls(self._backend, wanted):
            self._ask(kind, together, directories)

    def _ask(self, kind: str, files: Sequence[bytes], directories: bool) -> None:
        """`directories`: all of `files` are."""
        self._journal.ask(kind, files, self._gates)
        if directories and self._removal.by_protocol:
            outcomes = self._removal.remove(files)
        else:
            outcomes = requests.request(self._registry, self._site, kind, files, directories=directories)
        self._journal.answer(kind, outcomes)
        if kind in DIRECTORIES:
            self._directories |= {outcome.path for outcome in outcomes if outcome.outcome != "refused"}

    def _objections(self, kind: str, findings: Sequence[objections.Finding]) -> Iterator[tuple[bytes, str | None]]:
        """For each finding what speaks against it, by what site and inventory say now."""
        if is_directory(kind, findings[0]) and (why_none := self._removal.objection):
            yield from ((finding["path"], why_none) for finding in findings)
            return
        if kind == UNMERGED.name and (why_none := self._unmerged_area.renew()):
            yield from ((finding["path"], why_none) for finding in findings)
            return
        files = [finding["path"] for finding in findings]
        pending = set(self._backend.deletion_requests(self._site))
        protected = pending | set(self._backend.inventory.protected_datasets(self._site))
        of_pending = self._backend.DatasetFilter(self._pending_before)
        of_protected = self._backend.DatasetFilter(protected)
        sights = sights_of(self._view, kind, findings)
        known = optional_features.look_up(self._backend, self._site, files)
        young_from = time.time() - self._ignore_age

        def deletion_is_pending(path: bytes, entry: Known | None) -> bool:
            if entry is not None and entry.dataset is not None:
                return entry.dataset in self._pending_before
            return bool(self._pending_before) and of_pending.protected(paths.to_text(path))

        def objection(finding: objections.Finding, sight: Sight, entry: Known | None) -> str | None:
            path = finding["path"]
            if kind == UNMERGED.name:
                return self._unmerged_area.objection(finding, sight, entry, self._directories)
            if kind == EMPTY_DIRECTORY.name:
                return objections.to_deletion_of_directory(finding, sight, entry, self._directories, young_from)
            if kind == ORPHAN.name:
                is_protected = of_protected.protected(paths.to_text(path))
                return objections.to_deletion_of_orphan(finding, sight, entry, is_protected, young_from)
            is_missing = kind == MISSING.name
            judge = objections.to_transfer_of_missing if is_missing else objections.to_transfer_of_mismatch
            return judge(finding, sight, entry, deletion_is_pending(path, entry), young_from)

        for finding in findings:
            yield finding["path"], objection(finding, sights[finding["path"]], known.get(finding["path"]))
