"""What speaks against acting on a finding now: pure, file by file. What has changed since the run is left alone."""

from collections.abc import Mapping, Set
from math import inf
from typing import Any

from dynamo_consistency.backend.contract import Known
from dynamo_consistency.kinds import KIND_BY_NAME
from dynamo_consistency.run.action.site_view import Absent, SeenDirectory, SeenFile, Sight, Unknown

Finding = Mapping[str, Any]
BARE = (
    "its directory shows no entry at all now, or one above it shows none: "
    "it waits for an approval of a run that has seen that"
)
REGISTERED = "now registered, it or a directory that it lies in"


def is_directory(kind: str, finding: Finding) -> bool:
    """Is a finding of this kind a directory? In the unmerged area each says what it is."""
    contents = KIND_BY_NAME[kind].contents
    return contents == "directories" or (contents != "files" and finding["type"] == "directory")


def to_transfer_of_missing(
    finding: Finding, sight: Sight, known: Known | None, deletion_pending: bool, young_from: float
) -> str | None:
    """Why a missing file is not asked for; None when nothing speaks against it.

    `young_from`, here and below: what has changed at this time (seconds since 1970) or later is too young to judge.
    """
    if isinstance(sight, Unknown):
        return f"it is not known whether it is there: {sight.reason}"
    if not isinstance(sight, Absent):
        return "reappeared"
    return _inventory_objection(finding, known, deletion_pending, young_from)


def to_transfer_of_mismatch(
    finding: Finding, sight: Sight, known: Known | None, deletion_pending: bool, young_from: float
) -> str | None:
    """Why a file of the wrong size is not fetched anew; None when nothing speaks against it."""
    if isinstance(sight, SeenFile) and _bytes(sight.size) == _bytes(finding["size"]):
        return "reappeared: it has the right size now"
    return _file_objection(finding, sight, young_from) or _inventory_objection(
        finding, known, deletion_pending, young_from
    )


def to_deletion_of_orphan(
    finding: Finding, sight: Sight, known: Known | None, protected: bool, young_from: float
) -> str | None:
    """Why an orphan is not deleted; None when nothing speaks against it."""
    if objection := _file_objection(finding, sight, young_from):
        return objection
    if known is not None:
        return REGISTERED
    if protected:
        return "deletion pending, or its dataset is protected now"
    return None


def to_deletion_of_old_file(finding: Finding, sight: Sight, known: Known | None) -> str | None:
    """Why a file of the unmerged area is not deleted, but for its age and its protection (`unmerged.py`)."""
    return _file_objection(finding, sight, inf) or (None if known is None else REGISTERED)


def to_deletion_of_directory(
    finding: Finding, sight: Sight, known: Known | None, requested: Set[bytes], young_from: float
) -> str | None:
    """Why an empty directory is not deleted; None when nothing speaks against it.

    `requested`: directories whose deletion this run has asked for. One that is gone changes its parent, and no more.
    """
    if isinstance(sight, Unknown):
        return f"it is not known what is in it: {sight.reason}"
    if not isinstance(sight, SeenDirectory):
        return "gone"
    inside = {finding["path"] + b"/" + name for name in sight.subdirectories}
    if not sight.bare or not inside <= requested:
        return "no longer empty, or a directory in it stays"
    time_then, time_now = finding["mtime"], sight.mtime
    changed = time_then is None or time_now is None or time_now > time_then or time_now >= young_from
    if changed and not any(path.rsplit(b"/", 1)[0] == finding["path"] for path in requested):
        return "it has changed since the run"
    if known is not None:
        return "now registered, or something in it or above it is"
    return None


def _file_objection(finding: Finding, sight: Sight, young_from: float) -> str | None:
    """A file that is to go must be the one that was found."""
    if isinstance(sight, Unknown):
        return f"it is not known whether it is there: {sight.reason}"
    if not isinstance(sight, SeenFile):
        return "gone"
    if sight.size != finding["site_size"] or sight.mtime != finding["mtime"]:
        return "grew: it has changed since the run"
    if sight.mtime is not None and sight.mtime >= young_from:
        return "too young to judge; is the clock right?"
    return None


def _inventory_objection(
    finding: Finding, known: Known | None, deletion_pending: bool, young_from: float
) -> str | None:
    """A file that is to be fetched must still be wanted as it was."""
    if known is None:
        return "no longer registered"
    if known.in_flight or (known.time is not None and known.time >= young_from):
        return "now in flight"
    if _bytes(known.size) != _bytes(finding["size"]):
        return "the inventory has another size now"
    if deletion_pending:
        return "deletion pending"
    return None


def _bytes(size: int | None) -> int | None:
    """A size, or None: inventories write a negative one where they do not know it."""
    return None if size is None or size < 0 else size
