"""The entry of a file backend in `backends.yaml`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from dynamo_consistency.check import ListFile, ListFormat, Positive, SiteName, Source, columns_of_a_file
from dynamo_consistency.yamlfile import ClosedModel

Meaning = Literal[
    "path", "size", "time", "dataset", "block", "group", "complete", "state", "rse", "scope", "name", "checksum", "kind"
]
DumpFormat = ListFormat | Literal["list", "rucio"]
DatasetNames = Literal["cms", "none", "contents"]
FilePath = Annotated[str, Field(min_length=1)]


class InventorySource(ListFile):
    """A dump of what the inventory has at one site."""

    format: DumpFormat = Field(
        "tsv",
        description="As of a site's own dump; list: what `inventory export` writes; rucio: a replica dump with its "
        "nine columns.",
    )
    columns: Annotated[dict[Meaning, str | int], AfterValidator(columns_of_a_file)] | None = Field(
        None, description="Where the columns are: numbers from 1, or names of the header or Parquet columns."
    )
    rse: str | None = Field(None, min_length=1, description="Rows of this RSE count. Default: the name of the site.")
    max_age_seconds: Positive = Field(
        86400,
        description="An older dump is refused: files written since would look like orphans as soon as they are older "
        "than the check's ignoreAgeSeconds, which must not be less than this.",
    )


class SiteOptions(ClosedModel):
    """The files of one site."""

    inventory: InventorySource = Field(description="What the inventory has at the site.")
    listing: Source | None = Field(None, description="What lists the site, in the words of a check's listing.source.")
    protected: FilePath | None = Field(
        None, description="File of datasets whose files are never orphans. Default: all datasets of the inventory."
    )
    deletion_requests: FilePath | None = Field(None, description="File of datasets that are being deleted.")
    ready: bool = Field(True, description="False: no run starts.")


class Options(ClosedModel):
    """Where the dumps of each site are, and where requests are written down."""

    type: Literal["file"] = "file"
    sites: Annotated[dict[SiteName, SiteOptions], Field(min_length=1)]
    dataset_names: DatasetNames = Field(
        "cms",
        description="What tells the dataset of a file that the site's inventory does not know. cms: its name, by the "
        "convention of CMS; none: nothing; contents: the column dataset of all inventories here.",
    )
    requests: FilePath | None = Field(None, description="Folder for the lists of requests. Default: none are taken.")
