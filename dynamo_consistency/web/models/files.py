"""The page that answers for a path: in which runs it was found as what, and what was done."""

from datetime import datetime

from dynamo_consistency.web.models.answer import Answer, Name, Problem


class Occurrence(Answer):
    """A run that found the path. kind: as in counts; title: for people.

    request: transfer or delete, None: nothing was asked for. outcome: what was answered. became: what a later run saw
    of it. reason: why nothing was asked for, or why it was refused. size: in the inventory; site_size: at the site.
    """

    run_id: str
    start_time: datetime | None
    kind: str
    title: str
    size: int | None
    site_size: int | None
    dataset: str | None
    request: str | None
    outcome: str | None
    became: str | None
    reason: str | None
    asked_at: datetime | None


class FileFound(Answer):
    """A path, with the runs that found it, oldest first."""

    path: Name
    occurrences: list[Occurrence]


class FilePage(Answer):
    """What the complete runs of a site say of a path, or of all paths that begin with it.

    query: what was asked for, as text. is_prefix: it ended in `*` or `/`, and files whose path begins with what is
    before the `*` are shown, at most 200 in byte order; is_cut: there are more. runs_searched: complete runs that were
    looked into.
    """

    site: str
    query: str
    is_prefix: bool
    files: list[FileFound]
    is_cut: bool
    runs_searched: int
    problems: list[Problem]
