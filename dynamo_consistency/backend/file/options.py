"""The entry of a file backend in `backends.yaml`."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from dynamo_consistency.check import (
    Date,
    Positive,
    Prefix,
    SiteName,
    Source,
    columns_of_a_file,
    columns_suit_the_format,
)
from dynamo_consistency.yamlfile import ClosedModel

Meaning = Literal[
    "path", "size", "time", "dataset", "block", "group", "complete", "state", "rse", "scope", "name", "checksum"
]
DumpFormat = Literal["tsv", "csv", "pipe", "ral", "paths", "parquet", "list", "rucio"]
FilePath = Annotated[str, Field(min_length=1)]


class InventorySource(ClosedModel):
    """A dump of what the inventory has at one site."""

    url: str = Field(min_length=1, description="Path or fsspec URL of the dump; may be compressed (gz, bz2, zst).")
    format: DumpFormat = Field(
        "tsv",
        description="tsv, csv and pipe: columns; ral: `lfn size days`; paths: bare paths; parquet: columns by name; "
        "list: what `inventory export` writes; rucio: a replica dump with its nine columns.",
    )
    columns: Annotated[dict[Meaning, str | int], AfterValidator(columns_of_a_file)] | None = Field(
        None, description="Where the columns are: numbers from 1, or names of the header or Parquet columns."
    )
    prefix: Prefix = Field("", description="What precedes the LFN in the paths of the dump.")
    rse: str | None = Field(None, min_length=1, description="Rows of this RSE count. Default: the name of the site.")
    date: Date | None = Field(
        None, description="When the dump was taken (ISO 8601). Default: a date in its name, else its modification time."
    )
    max_age_seconds: Positive = Field(
        86400,
        description="An older dump is refused: files written since would look like orphans as soon as they are older "
        "than the check's ignoreAgeSeconds, which must not be less than this.",
    )

    @model_validator(mode="after")
    def _columns_suit_the_format(self) -> Self:
        if self.format == "list" and self.columns is not None:
            raise ValueError("columns must not be given where format is list: it says where the columns are")
        columns_suit_the_format(self.format, self.columns)
        return self


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
    requests: FilePath | None = Field(None, description="Folder for the lists of requests. Default: none are taken.")
