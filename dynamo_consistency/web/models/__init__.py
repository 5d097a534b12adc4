"""What each page shows, as data: frozen models, the same for the pages, for `/api/v1/` and for the static export.

Times are in UTC, sizes in bytes, ages and durations in seconds; None is unknown. Texts are safe for people's eyes (no
credentials, every character visible) and still have to be escaped for the language that they are put into.
"""

from dynamo_consistency.web.models.answer import Answer, Gate, Name, Problem, RunReference
from dynamo_consistency.web.models.files import FileFound, FilePage, Occurrence
from dynamo_consistency.web.models.findings import FindingRow, FindingsPage
from dynamo_consistency.web.models.run import (
    AgeBand,
    Change,
    DatasetRow,
    Directory,
    Download,
    Funnel,
    Hole,
    RunPage,
)
from dynamo_consistency.web.models.site import Point, Series, SitePage
from dynamo_consistency.web.models.sites import STATES, SiteRow, SitesPage, State, Trend

__all__ = [
    "STATES",
    "AgeBand",
    "Answer",
    "Change",
    "DatasetRow",
    "Directory",
    "Download",
    "FileFound",
    "FilePage",
    "FindingRow",
    "FindingsPage",
    "Funnel",
    "Gate",
    "Hole",
    "Name",
    "Occurrence",
    "Point",
    "Problem",
    "RunPage",
    "RunReference",
    "Series",
    "SitePage",
    "SiteRow",
    "SitesPage",
    "State",
    "Trend",
]
