"""The kinds of finding: one row each, with every name and property that the rest of the project needs of them.

A new kind is a row here, its names in the two Literals, and a query in `run/comparison/`. A kind without a request is
reported and never acted on: it needs no policy in the check, no gate looks at it, and `run/action/requests.py` refuses
it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

KindName = Literal["missing", "orphans", "twins", "mismatches", "emptyDirectories", "unmerged"]
FileName = Literal["missing", "orphan", "twin", "mismatch", "empty_directory", "unmerged"]
RequestName = Literal["delete", "transfer"]

_PATH = ("path",)
_SAME_FILE = ("path", "site_size", "mtime")


@dataclass(frozen=True, kw_only=True, eq=False)
class FindingKind:
    """One kind of finding. Names in other places (counts, files, options) are written out, so that a search finds them.

    name: in the check, in counts, gates, actions, status and metrics; file_name: of its files.
    word: what people call it, on the command line and in what it prints.
    bytes_name: of its bytes in counts, None where sizes mean nothing; size_column: which size of a finding is counted.
    list_file, list_artifact: its text list in `reports/`, and what `artifacts` calls that.
    keeps_order: its findings have an order of their own, children before parents; all others are in byte order.
    """

    name: KindName
    file_name: FileName
    word: str
    bytes_name: str | None = None
    size_column: Literal["size", "site_size"] | None = None
    list_file: str
    list_artifact: str
    keeps_order: bool = False

    contents: Literal["files", "directories", "files and directories"] = "files"
    """Of files and directories, a finding says in its column `type` what it is."""
    of_unmerged_area: bool = False
    """It is looked for in the unmerged area, of which no inventory says what belongs there; not below the roots."""

    request: RequestName | None
    """What the registry is asked for; None: nothing, ever."""
    turn: int = 0
    """Place among the requests of a run: first what repairs, last what removes."""
    same_columns: tuple[str, ...] = _PATH
    """A finding of an earlier run confirms one of this run when these columns are the same; two nulls are the same."""
    fraction_of: Literal["expected", "listed", "directories"] = "expected"
    """What `maxFraction` is a fraction of: expected files, listed files, or listed directories."""
    needs_all_paths: bool = False
    """Not acted on while the inventory has files whose paths it does not know: any finding may be one of those."""

    singular: str
    """After the number 1."""
    plural: str
    """After any other number."""
    title: str
    meaning: str
    """Half a sentence about several of them, as it stands after a colon or in a table."""
    shown_columns: Mapping[str, str]
    """What a table for people shows: title → column of the findings."""

    @property
    def file(self) -> str:
        """The findings, relative to the run directory."""
        return f"findings/{self.file_name}.parquet"

    def word_for(self, number: int) -> str:
        """What stands after the number of them."""
        return self.singular if number == 1 else self.plural


MISSING = FindingKind(
    name="missing",
    file_name="missing",
    word="missing",
    bytes_name="missingBytes",
    size_column="size",
    list_file="missing.txt",
    list_artifact="missingList",
    request="transfer",
    turn=2,
    singular="missing",
    plural="missing",
    title="Missing files",
    meaning="the inventory expects them, the site lacks them",
    shown_columns={"File": "path", "Size": "size", "Dataset": "dataset", "Mark": "mark"},
)
ORPHAN = FindingKind(
    name="orphans",
    file_name="orphan",
    word="orphans",
    bytes_name="orphanBytes",
    size_column="site_size",
    list_file="orphan.txt",
    list_artifact="orphanList",
    request="delete",
    turn=3,
    same_columns=_SAME_FILE,
    fraction_of="listed",
    needs_all_paths=True,
    singular="orphan",
    plural="orphans",
    title="Orphans",
    meaning="at the site, unknown to the inventory",
    shown_columns={"File": "path", "Size": "site_size", "Changed": "mtime", "Dataset": "dataset", "Mark": "mark"},
)
TWIN = FindingKind(
    name="twins",
    file_name="twin",
    word="twins",
    bytes_name="twinBytes",
    size_column="site_size",
    list_file="twin.txt",
    list_artifact="twinList",
    request=None,
    fraction_of="listed",
    singular="twin",
    plural="twins",
    title="Twins",
    meaning="perhaps second names of files that the inventory knows: of the same name, size and time",
    shown_columns={"File": "path", "Size": "site_size", "Changed": "mtime"},
)
MISMATCH = FindingKind(
    name="mismatches",
    file_name="mismatch",
    word="mismatches",
    bytes_name="mismatchBytes",
    size_column="site_size",
    list_file="mismatch.txt",
    list_artifact="mismatchList",
    request="transfer",
    turn=1,
    same_columns=_SAME_FILE,
    singular="mismatch",
    plural="mismatches",
    title="Mismatches",
    meaning="both know them, sizes differ",
    shown_columns={"File": "path", "Inventory": "size", "Site": "site_size", "Dataset": "dataset", "Mark": "mark"},
)
EMPTY_DIRECTORY = FindingKind(
    name="emptyDirectories",
    file_name="empty_directory",
    word="empty-directories",
    list_file="empty_directories.txt",
    list_artifact="emptyDirectoryList",
    keeps_order=True,
    contents="directories",
    request="delete",
    turn=4,
    fraction_of="directories",
    needs_all_paths=True,
    singular="empty directory",
    plural="empty directories",
    title="Empty directories",
    meaning="no file in or below them",
    shown_columns={"Directory": "path", "Changed": "mtime"},
)
UNMERGED = FindingKind(
    name="unmerged",
    file_name="unmerged",
    word="unmerged",
    bytes_name="unmergedBytes",
    size_column="site_size",
    list_file="unmerged.txt",
    list_artifact="unmergedList",
    keeps_order=True,
    contents="files and directories",
    of_unmerged_area=True,
    request="delete",
    turn=5,
    same_columns=_SAME_FILE,
    fraction_of="listed",
    singular="old in the unmerged area",
    plural="old in the unmerged area",
    title="Old in the unmerged area",
    meaning="old in the unmerged area: files and logs, and directories without a file in or below them",
    shown_columns={"File": "path", "Size": "site_size", "Changed": "mtime"},
)

FINDING_KINDS = (MISSING, ORPHAN, TWIN, MISMATCH, EMPTY_DIRECTORY, UNMERGED)
"""In the order in which people see them."""
COMPARED_KINDS = tuple(kind for kind in FINDING_KINDS if not kind.of_unmerged_area)
"""What comparing inventory and site finds."""
ACTED_ON_KINDS = tuple(sorted((kind for kind in FINDING_KINDS if kind.request), key=lambda kind: kind.turn))
"""In the order in which the action takes them up."""
KIND_BY_NAME: Mapping[str, FindingKind] = {kind.name: kind for kind in FINDING_KINDS}
KIND_BY_WORD: Mapping[str, FindingKind] = {
    word: kind for kind in FINDING_KINDS for word in (kind.file_name, kind.name, kind.word)
}
"""Also by the names that a person finds in files and in JSON."""


def findings_text(counts: Mapping[str, int]) -> str:
    """The findings among `counts` in words."""
    numbers = {kind: counts[kind.name] for kind in FINDING_KINDS if counts.get(kind.name)}
    found = [f"{number} {kind.word_for(number)}" for kind, number in numbers.items()]
    return ", ".join(found) or "nothing found"
