"""What speaks against deleting something of the unmerged area now."""

import time
from collections.abc import Mapping, Sequence, Set
from math import inf

from dynamo_consistency.backend.contract import Known
from dynamo_consistency.check import SiteConsistencyCheck
from dynamo_consistency.kinds import MISMATCH, MISSING, UNMERGED
from dynamo_consistency.run.action import objections
from dynamo_consistency.run.action.objections import Finding, is_directory
from dynamo_consistency.run.action.site_view import Sight, SiteView
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.run.unmerged import UnmergedRules, cleaned, load_protected


class UnmergedArea:
    """The rules of a check's unmerged area, with the list of protected directories as it is now.

    `run`: whose findings are acted on; a list much shorter than the one that they were found by is not believed.
    """

    def __init__(self, run: RunDirectory, check: SiteConsistencyCheck) -> None:
        self._run, self._check = run, check
        self._rules: UnmergedRules | None = None
        self._problem = ""

    def renew(self) -> str:
        """Load the list again; why nothing may be deleted, empty when it was loaded.

        A list that failed once is not asked for again by this action: all that is left waits for the next run.
        """
        unmerged = cleaned(self._check)
        if unmerged is None:
            return "the check has no unmerged area"
        if not self._problem:
            (protected, _, _), problem = load_protected(unmerged, [self._run])
            self._rules = None if problem else UnmergedRules(self._check, unmerged, protected)
            self._problem = problem and f"it is not known what is protected: {problem}"
        return self._problem

    def objection(self, finding: Finding, sight: Sight, known: Known | None, requested: Set[bytes]) -> str | None:
        """Why a file or directory is not deleted; None when nothing speaks against it. Only after `renew`."""
        if self._rules is None:
            return "it is not known what is protected"
        if is_directory(UNMERGED.name, finding):
            objection = objections.to_deletion_of_directory(finding, sight, known, requested, young_from=inf)
        else:
            objection = objections.to_deletion_of_old_file(finding, sight, known)
        if objection:
            return objection
        if keeper := self._rules.keeper(finding["path"]):
            return f"{keeper} now"
        if self._rules.is_young(finding["path"], finding["mtime"], time.time()):
            return "too young to go; is the clock right?"
        return None


def sights_of(view: SiteView, kind: str, findings: Sequence[Finding]) -> Mapping[bytes, Sight]:
    """What the site shows of each finding, a directory with what is in it; what is to be fetched is asked by name."""
    if kind == MISSING.name:
        return view.missing_files([finding["path"] for finding in findings])
    if kind == MISMATCH.name:
        return view.mismatched_files([finding["path"] for finding in findings])
    directories = [finding["path"] for finding in findings if is_directory(kind, finding)]
    files = [finding["path"] for finding in findings if not is_directory(kind, finding)]
    return (view.directories(directories) if directories else {}) | (view.files(files) if files else {})
