"""The first findings of a kind, sorted and filtered by the server."""

from datetime import datetime

from dynamo_consistency.web.models.answer import Answer, Name

ROWS_SHOWN = 200


class FindingRow(Answer):
    """A finding. size: in the inventory; site_size: at the site, in bytes. modified: last change at the site.

    mark: why it is not acted on like others, else None. outcome: what became of it in this run (requested, skipped,
    …), None where it was not taken up; reason: why.
    """

    path: Name
    size: int | None
    site_size: int | None
    modified: datetime | None
    dataset: str | None
    root: str | None
    mark: str | None
    outcome: str | None
    reason: str | None


class FindingsPage(Answer):
    """At most 200 rows. total: of the kind; matching: that the filter lets through.

    sort: path, size, site_size, modified or dataset (None: the findings' own order); text: bytes that the path has in
    it, as text.
    """

    site: str
    run_id: str
    kind: str
    title: str
    meaning: str
    total: int
    matching: int
    sort: str | None
    descending: bool
    text: str
    rows: list[FindingRow]
