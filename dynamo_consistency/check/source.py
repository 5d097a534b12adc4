"""What lists a site: a protocol, and where."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from dynamo_consistency.check.doors import WebDavDoorName, XRootDDoorName
from dynamo_consistency.check.fields import Date, Fraction, LogicalPath, Prefix, Url
from dynamo_consistency.yamlfile import ClosedModel


def columns_of_a_file(columns: dict[Any, str | int]) -> dict[Any, str | int]:
    """`columns` (meaning → number from 1, or name) of a file, if they name the paths and do not contradict each other.

    Raises ValueError otherwise.
    """
    places = list(columns.values())
    if "path" not in columns:
        raise ValueError("must say where the path is")
    if len({type(place) for place in places}) > 1:
        raise ValueError("must be all numbers, for a file without a header, or all names, for a file with one")
    if any(place in ("", 0) or (isinstance(place, int) and place < 0) for place in places):
        raise ValueError("must be numbers from 1, or names")
    if len(set(places)) < len(places):
        raise ValueError("must not give one column two meanings")
    return columns


def columns_suit_the_format(format_: str, columns: dict[Any, str | int] | None) -> None:
    """Raises ValueError for columns that a dump of this format cannot have."""
    if columns is None:
        return
    if format_ in ("ral", "paths", "rucio"):
        raise ValueError(f"columns must not be given where format is {format_}: it says where the columns are")
    if format_ == "parquet" and any(isinstance(place, int) for place in columns.values()):
        raise ValueError("columns must be names where format is parquet")


_COLUMN = {"anyOf": [{"type": "string", "minLength": 1, "maxLength": 253}, {"type": "integer", "minimum": 1}]}
Columns = Annotated[
    dict[Literal["path", "size", "mtime"], str | int],
    AfterValidator(columns_of_a_file),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                "path": {"description": "Where the path stands: a number from 1, or a name.", **_COLUMN},
                "size": {"description": "Where the size in bytes stands: a number from 1, or a name.", **_COLUMN},
                "mtime": {"description": "Where the time of the last change stands, in seconds since 1970.", **_COLUMN},
            },
            "required": ["path"],
        }
    ),
]


class XRootDSource(ClosedModel):
    """A site that is listed over XRootD."""

    servers: Annotated[list[XRootDDoorName], Field(min_length=1, max_length=64)] = Field(
        description="Doors, asked in turn: root://host:port, roots://host, host:port, host or [IPv6]:port."
    )
    prefix: Prefix = Field("", description="What stands before the LFN in the path at the site.")


class WebDavSource(ClosedModel):
    """A site that is listed over WebDAV."""

    servers: Annotated[list[WebDavDoorName], Field(min_length=1, max_length=64)] = Field(
        description="Doors, asked in turn: davs://host:port or https://host:port; dav:// or http:// without TLS."
    )
    prefix: Prefix = Field("", description="What stands before the LFN in the path at the site.")


class PosixSource(ClosedModel):
    """A site that is mounted as a file system."""

    prefix: LogicalPath = Field(description="The mount point: prefix + LFN is the path there.")


class DumpSource(ClosedModel):
    """A site that publishes a list of its files."""

    url: Url = Field(description="Path or fsspec URL of the dump; may be compressed (gz, bz2, zst).")
    format: Literal["tsv", "csv", "pipe", "ral", "paths", "parquet"] = Field(
        "tsv",
        description="tsv, csv and pipe: columns; ral: `lfn size days`; paths: bare paths; parquet: columns by name.",
    )
    columns: Columns | None = Field(
        None, description="Where the columns stand: numbers from 1, or names of the header or Parquet columns."
    )
    prefix: Prefix = Field("", description="What stands before the LFN in the paths of the dump.")
    date: Date | None = Field(
        None, description="When the dump was taken (ISO 8601). Default: a date in its name, else its modification time."
    )
    max_bad_line_fraction: Fraction = Field(
        Decimal("0.001"), description="A dump with more unreadable lines than this fraction is not believed at all."
    )

    @model_validator(mode="after")
    def _columns_suit_the_format(self) -> Self:
        columns_suit_the_format(self.format, self.columns)
        return self


class S3Source(ClosedModel):
    """A site that is an object store; its credentials are in the usual variables or files."""

    url: Annotated[str, Field(pattern=r"^s3://[A-Za-z0-9][A-Za-z0-9._-]{1,62}(/[^/]+)*/?$", max_length=512)] = Field(
        description="s3://bucket or s3://bucket/prefix: prefix + LFN is the key there."
    )
    endpoint: Annotated[str, Field(pattern=r"^https?://[^/@]+(/[^@]*)?$", max_length=512)] | None = Field(
        None, description="Address of the store, such as https://s3.example.org; absent: AWS_ENDPOINT_URL, or Amazon's."
    )


class GfalSource(ClosedModel):
    """A site that is listed by gfal2, which a worker must have: SRM, GridFTP and what else it speaks."""

    url: Annotated[str, Field(pattern=r"^(srm|gsiftp|davs?|https?|root|xroot|sftp|file)://[^@#]*$", max_length=512)] = (
        Field(description="scheme://door:port/prefix: url + LFN is the file there.")
    )


class Source(ClosedModel):
    """What lists the site: exactly one of the protocols."""

    xrootd: XRootDSource | None = None
    posix: PosixSource | None = None
    dump: DumpSource | None = None
    webdav: WebDavSource | None = None
    s3: S3Source | None = None
    gfal: GfalSource | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise ValueError("must name exactly one protocol, such as xrootd")
        return self
