"""What a run found in its unmerged area, and whether the length of its list of protected directories is believed."""

from collections.abc import Sequence
from typing import Any

from dynamo_consistency.run.store.run_directory import RunDirectory

AREA_FILE = "findings/unmerged.json"
_BELIEVED_FRACTION = 0.75
"""A list that is shorter than so much of the last one is not believed: over HTTP without a length a break at the end of
a line cannot be seen in another way. The run after it compares with this one."""


def read_area(run: RunDirectory) -> dict[str, Any] | None:
    """What a compared run found in its unmerged area; None where it has none."""
    return dict(run.read_json(AREA_FILE)) if run.exists(AREA_FILE) else None


def problem_of_length(now: int, earlier: Sequence[RunDirectory], *, announced: bool) -> str:
    """Why a list of `now` protected directories is not believed; empty when it is.

    One whose length was not `announced` is compared with the last that was believed, however often it comes short.
    """
    areas = (read_area(run) for run in reversed(earlier))
    last = next(
        (
            area["protectedDirectories"]
            for area in areas
            if area and area["protectedDirectories"] and (announced or not area["trouble"])
        ),
        0,
    )
    if now >= _BELIEVED_FRACTION * last:
        return ""
    return (
        f"the list of protected directories has {now} where the last run that could read it had {last}: is it whole? "
        + ("the next run compares with this one" if announced else "its server does not say how long it is")
    )
