"""What lists a site: a protocol, and where."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from dynamo_consistency.check.doors import WebDavDoorName, XRootDDoorName
from dynamo_consistency.check.fields import Fraction, LogicalPath, Prefix
from dynamo_consistency.check.list_file import ListFile, ListFormat, columns_of_a_file
from dynamo_consistency.check.rules import LfnRules, path_rules
from dynamo_consistency.path_rules import PathRules
from dynamo_consistency.yamlfile import ClosedModel, pattern

_COLUMN = {"anyOf": [{"type": "string", "minLength": 1, "maxLength": 253}, {"type": "integer", "minimum": 1}]}
Columns = Annotated[
    dict[Literal["path", "size", "mtime", "kind"], str | int],
    AfterValidator(columns_of_a_file),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                "path": {"description": "Where the path stands: a number from 1, or a name.", **_COLUMN},
                "size": {"description": "Where the size in bytes stands: a number from 1, or a name.", **_COLUMN},
                "mtime": {"description": "Where the time of the last change stands.", **_COLUMN},
                "kind": {"description": "Where it stands whether the line is of a directory (d).", **_COLUMN},
            },
            "required": ["path"],
        }
    ),
]


_RULES = "Rules from LFN to path, where a prefix is not enough; the first one that matches decides."


class XRootDSource(ClosedModel):
    """A site that is listed over XRootD."""

    servers: Annotated[list[XRootDDoorName], Field(min_length=1, max_length=64)] = Field(
        description="Doors, asked in turn: root://host:port, roots://host, host:port, host or [IPv6]:port."
    )
    prefix: Prefix = Field("", description="What stands before the LFN in the path at the site.")
    rules: LfnRules | None = Field(None, description=_RULES)
    client: Literal["wire", "bindings"] = Field(
        "wire",
        description="What speaks the protocol: wire, this program itself; bindings, the XRootD library. "
        "Doors that let only the library in (krb5, sss, signed requests) are asked by it in any case.",
    )


class WebDavSource(ClosedModel):
    """A site that is listed over WebDAV."""

    servers: Annotated[list[WebDavDoorName], Field(min_length=1, max_length=64)] = Field(
        description="Doors, asked in turn: davs://host:port or https://host:port; dav:// or http:// without TLS."
    )
    prefix: Prefix = Field("", description="What stands before the LFN in the path at the site.")
    rules: LfnRules | None = Field(None, description=_RULES)


class PosixSource(ClosedModel):
    """A site that is mounted as a file system."""

    prefix: LogicalPath = Field(description="The mount point: prefix + LFN is the path there.")
    rules: LfnRules | None = Field(None, description=_RULES)


class DumpSource(ListFile):
    """A site that publishes a list of its files."""

    format: ListFormat = Field(
        "tsv",
        description="tsv, csv and pipe: columns; ral: `lfn size days`; paths: bare paths; parquet, jsonl: columns by "
        "name; syncat: XML; the others are what the program of that name prints.",
    )
    columns: Columns | None = Field(
        None, description="Where the columns stand: numbers from 1, or names of the header or Parquet columns."
    )
    rules: LfnRules | None = Field(None, description=_RULES)
    max_bad_line_fraction: Fraction = Field(
        Decimal("0.001"), description="A dump with more unreadable lines than this fraction is not believed at all."
    )


_S3_URL = pattern(
    r"^s3://[A-Za-z0-9][A-Za-z0-9._-]{1,62}(/[^/]+)*/?$", "s3://bucket or s3://bucket/prefix, without a double slash"
)
_ENDPOINT = pattern(
    r"^https?://[^/@]+(/[^@]*)?$", "an address such as https://s3.example.org, without a user name or password"
)
_GFAL_URL = pattern(
    r"^(srm|gsiftp|davs?|https?|root|xroot|sftp|file)://[^@#]*$",
    "an address such as srm://door:8443/prefix (or gsiftp, dav, davs, http, https, root, xroot, sftp, file), "
    "without a user name or password",
)


class S3Source(ClosedModel):
    """A site that is an object store; its credentials are in the usual variables or files."""

    url: Annotated[str, Field(pattern=_S3_URL, max_length=512)] = Field(
        description="s3://bucket or s3://bucket/prefix: prefix + LFN is the key there."
    )
    endpoint: Annotated[str, Field(pattern=_ENDPOINT, max_length=512)] | None = Field(
        None, description="Address of the store, such as https://s3.example.org; absent: AWS_ENDPOINT_URL, or Amazon's."
    )


class GfalSource(ClosedModel):
    """A site that is listed by gfal2, which a worker must have: SRM, GridFTP and what else it speaks."""

    url: Annotated[str, Field(pattern=_GFAL_URL, max_length=512)] = Field(
        description="scheme://door:port/prefix: url + LFN is the file there."
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

    @property
    def path_rules(self) -> PathRules | None:
        """The rules from LFN to path of what it names; None where it has none."""
        named = next((getattr(self, name) for name in type(self).model_fields if getattr(self, name, None)), None)
        rules = getattr(named, "rules", None)
        return path_rules(rules) if rules else None
