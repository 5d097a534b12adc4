"""Scratch areas of both tools as `spec.unmerged` of a check."""

from typing import Any

from dynamo_consistency.check import Unmerged, UnmergedLogs
from dynamo_consistency.convert.limits import at_least, days_at_least, without_nothing
from dynamo_consistency.convert.roots import DEFAULT_TOP, SCRATCH, is_in, normalised
from dynamo_consistency.convert.settings import Settings

_SAY_WHERE = "Nothing in the file tells where the list of protected directories is: say it with --protected-from"
_NOT_NEEDED = {
    "ListDeletable.UNMERGED_DIR_LOCATION": "the source's prefix says where it is",
    "ListDeletable.WHICH_LIST": "files are what is removed, and directories that are empty then",
    "ListDeletable.DELETION_FILE": "what is removed is in the run directory",
    "ListDeletable.SLEEP_TIME": "maxRequestsPerRun bounds what a run removes",
    "ListDeletable.STORAGE_TYPE": "listing.source says it",
}
_READ = (
    *_NOT_NEEDED,
    "ListDeletable.LFN_TO_CLEAN",
    "ListDeletable.AlternateRoot",
    "ListDeletable.MIN_AGE",
    "ListDeletable.DIRS_TO_AVOID",
    "UnmergedLogsAge",
    "AdditionalLogDeletions",
)


def scratch_area(
    settings: Settings, path: str, ignored: list[str], protected_from: str | None
) -> dict[str, Any] | None:
    """`spec.unmerged` for a root at `path`, with what was `ignored` there; None, with a note, where it cannot be."""
    if is_in(path, [one for one in ignored if one.strip("/")]):
        settings.note("unmerged", f"{path} is ignored as a whole: left out")
        return None
    if path.rpartition("/")[2].lower() != SCRATCH:
        settings.note("unmerged", f"{path} is a part of a scratch area: say the whole area in the part unmerged")
        return None
    if protected_from is None:
        settings.note("unmerged", f"{path} is a scratch area, no root. {_SAY_WHERE}")
        return None
    below = [normal[len(path) :] for one in ignored if is_in(normal := normalised(one), [path])]
    exclude = list(dict.fromkeys([*_default("exclude"), *below])) if below else None
    why = f"{path} is a scratch area, no root: it becomes the part unmerged of the check"
    settings.note("unmerged", why)
    return without_nothing(
        {"path": path, "mode": "Report", "exclude": exclude, "protectedFrom": {"url": protected_from}}
    )


def unmerged(settings: Settings, root: str, area: str | None, protected_from: str | None) -> dict[str, Any] | None:
    """`spec.unmerged`; None where the site's area was not cleaned, or no list says what is protected there.

    `root`: the site's `RootPath`, an LFN. `area`: the scratch area, where it is among the directories that are checked.
    `protected_from`: path or URL of the list of protected directories.
    """
    if not settings.flag("Unmerged", in_doubt=False) and area is None:
        for key in _READ:
            settings.tree(key)
        return None
    for key, why in _NOT_NEEDED.items():
        if settings.take(key) is not None:
            settings.note(key, f"not needed: {why}")
    path = settings.text("ListDeletable.LFN_TO_CLEAN") or area or f"{DEFAULT_TOP if root == '/' else root}/{SCRATCH}"
    if alternate := settings.text("ListDeletable.AlternateRoot"):
        path = f"{alternate.rstrip('/')}/{SCRATCH}"
    ages = (
        at_least(settings, "ListDeletable.MIN_AGE", _default("min_age_seconds"), "unmerged.minAgeSeconds"),
        days_at_least(settings, "UnmergedLogsAge", UnmergedLogs().min_age_seconds, "unmerged.logs.minAgeSeconds"),
    )
    avoided = [f"*{text.strip('/')}*" for text in _avoided(settings) if text.strip("/*")]
    further = [f"{root}/{each}" for each in settings.texts("AdditionalLogDeletions")]
    if protected_from is None:
        settings.note("Unmerged", f"{path} is left out. {_SAY_WHERE}")
        return None
    exclude = list(dict.fromkeys([*_default("exclude"), *avoided])) if avoided else None
    return without_nothing(
        {
            "path": path,
            "mode": "Report",
            "minAgeSeconds": ages[0],
            "logs": without_nothing({"minAgeSeconds": ages[1], "additional": further}),
            "exclude": exclude,
            "protectedFrom": {"url": protected_from},
        }
    )


def _avoided(settings: Settings) -> list[str]:
    """Texts that protected what had them anywhere in its path; logs were cleaned all the same, by their own age."""
    key = "ListDeletable.DIRS_TO_AVOID"
    texts = settings.texts(key, protects=True)
    if UnmergedLogs().path in texts:
        settings.note(key, f"not needed: {UnmergedLogs().path} have an age of their own, unmerged.logs.minAgeSeconds")
    return [text for text in texts if text != UnmergedLogs().path]


def _default(field: str) -> Any:
    return Unmerged.model_fields[field].default
