"""What speaks against acting on a finding now: pure, file by file. What has changed since the run is left alone."""

from collections.abc import Mapping, Set
from typing import Any

from dynamo_consistency.backend.contract import Known
from dynamo_consistency.run.action.sight import Absent, Directory, File, Sight, Unknown

Finding = Mapping[str, Any]


def to_transfer_of_missing(finding: Finding, sight: Sight, known: Known | None, deletion_pending: bool) -> str | None:
    """Why a missing file is not asked for; None when nothing speaks against it."""
    if isinstance(sight, Unknown):
        return f"it cannot be told whether it is there: {sight.reason}"
    if not isinstance(sight, Absent):
        return "reappeared"
    return _inventory_objection(finding, known, deletion_pending)


def to_transfer_of_mismatch(finding: Finding, sight: Sight, known: Known | None, deletion_pending: bool) -> str | None:
    """Why a file of the wrong size is not fetched anew; None when nothing speaks against it."""
    if isinstance(sight, Unknown):
        return f"it cannot be told whether it is there: {sight.reason}"
    if not isinstance(sight, File):
        return "gone"
    if sight.size == finding["size"]:
        return "reappeared: it has the right size now"
    if sight.size != finding["site_size"] or sight.mtime != finding["mtime"]:
        return "grew: it has changed since the run"
    return _inventory_objection(finding, known, deletion_pending)


def to_deletion_of_orphan(finding: Finding, sight: Sight, known: Known | None, protected: bool) -> str | None:
    """Why an orphan is not deleted; None when nothing speaks against it."""
    if isinstance(sight, Unknown):
        return f"it cannot be told whether it is there: {sight.reason}"
    if not isinstance(sight, File):
        return "gone"
    if sight.size != finding["site_size"] or sight.mtime != finding["mtime"]:
        return "grew: it has changed since the run"
    if known is not None:
        return "now registered"
    if protected:
        return "deletion pending, or its dataset is protected now"
    return None


def to_deletion_of_directory(finding: Finding, sight: Sight, known: Known | None, requested: Set[bytes]) -> str | None:
    """Why an empty directory is not deleted. `requested`: directories whose deletion is asked for already."""
    if isinstance(sight, Unknown):
        return f"it cannot be told what is in it: {sight.reason}"
    if not isinstance(sight, Directory):
        return "gone"
    inside = {finding["path"] + b"/" + name for name in sight.subdirectories}
    if not sight.bare or not inside <= requested:
        return "no longer empty, or a directory in it stays"
    if known is not None:
        return "now registered"
    return None


def _inventory_objection(finding: Finding, known: Known | None, deletion_pending: bool) -> str | None:
    if known is None:
        return "no longer registered"
    if known.in_flight:
        return "now in flight"
    if known.size != finding["size"]:
        return "the inventory has another size now"
    if deletion_pending:
        return "deletion pending"
    return None
