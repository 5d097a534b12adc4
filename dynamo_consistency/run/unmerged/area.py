"""What a run found in its unmerged area, and whether its list of protected directories is believed."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from dynamo_consistency.check import Unmerged
from dynamo_consistency.errors import DamagedError
from dynamo_consistency.run.store.damage import tell_damage
from dynamo_consistency.run.store.run_directory import RunDirectory
from dynamo_consistency.run.unmerged.protected_list import ProtectedList, ProtectionError, protected_list
from dynamo_consistency.secrets import redact

AREA_FILE = "findings/unmerged.json"
_NEEDED = {"protectedDirectories", "trouble", "fingerprint"}
_BELIEVED_FRACTION = 0.75
"""A list that is shorter than so much of the last one is not believed: over HTTP without a length a break at the end of
a line cannot be seen in another way. The run after it compares with this one."""


def read_area(run: RunDirectory) -> dict[str, Any] | None:
    """What a compared run found in its unmerged area; None where it has none. Raises DamagedError."""
    if not run.exists(AREA_FILE):
        return None
    area = run.read_json(AREA_FILE)
    if not isinstance(area, dict) or not area.keys() >= _NEEDED:
        raise DamagedError(f"{redact(run.url)}/{AREA_FILE} is damaged: it is not what a comparison writes")
    return area


def _readable(runs: Iterable[RunDirectory]) -> Iterator[dict[str, Any]]:
    """What they found; one that is damaged is told, and passed over."""
    for run in runs:
        try:
            area = read_area(run)
        except DamagedError as error:
            tell_damage(run, str(error))
        else:
            if area:
                yield area


def load_protected(unmerged: Unmerged, earlier: Sequence[RunDirectory]) -> tuple[ProtectedList, str]:
    """The list of protected directories as it is now, and why it is not believed; empty when it is.

    `earlier`: the runs with which its length is compared, oldest first.
    """
    try:
        protected = protected_list(unmerged)
    except ProtectionError as error:
        return ProtectedList(frozenset()), str(error)
    return protected, _problem_of_length(len(protected.directories), earlier, announced=protected.announced)


def _problem_of_length(now: int, earlier: Sequence[RunDirectory], *, announced: bool) -> str:
    """Why a list of `now` protected directories is not believed; empty when it is.

    One whose length was not `announced` is compared with the last that was believed, however often it comes short.
    """
    last = next(
        (
            area["protectedDirectories"]
            for area in _readable(reversed(earlier))
            if area["protectedDirectories"] and (announced or not area["trouble"])
        ),
        0,
    )
    if now >= _BELIEVED_FRACTION * last:
        return ""
    return (
        f"the list of protected directories has {now} where the last run that could read it had {last}: is it whole? "
        + ("the next run compares with this one" if announced else "its server does not say how long it is")
    )
