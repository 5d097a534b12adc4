"""The spec of a `SiteConsistencyCheck` as a typed model: what a person writes, with every default.

The defaults live here and only here; the CustomResourceDefinition is generated from this file. Times are in seconds,
sizes in bytes, fractions are decimal strings between 0 and 1 (Kubernetes specs hold no floating point numbers).
"""

import re
import zoneinfo
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from cronsim import CronSim, CronSimError
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
    model_validator,
)

from dynamo_consistency import paths
from dynamo_consistency.yamlfile import ClosedModel

API_VERSION = "consistency.dynamo.io/v1alpha1"
KIND = "SiteConsistencyCheck"

CRON_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


def _fraction(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str):
        raise ValueError(f'must be a fraction between 0 and 1 in quotes, such as "{value if value else 0.01}"')
    if not re.fullmatch(r"0(\.\d+)?|1(\.0+)?", value):
        raise ValueError(f'must be a fraction between "0" and "1", such as "0.01" for one per cent; it is "{value}"')
    return Decimal(value)


def _plain(fraction: Decimal) -> str:
    """As `_fraction` reads it: without an exponent, however small."""
    return f"{fraction:f}"


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError(f"must be an absolute path such as /store/mc; it is {path!r}")
    if {".", ".."} & set(path.split("/")):
        raise ValueError(f"must not have . or .. as a component; it is {path!r}")
    return paths.to_text(paths.normalise(paths.to_bytes(path)))


def _relative(path: str) -> str:
    if path.startswith("/"):
        raise ValueError(f"must be relative, such as logs or logs/prod; it is {path!r}")
    return _absolute("/" + path)[1:]


def _prefix(path: str) -> str:
    return "" if path == "" else _absolute(path).rstrip("/")


def _pattern(pattern: str) -> str:
    paths.PatternFilter([pattern])
    return pattern


def _time_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r}; write a name such as Europe/Zurich or UTC") from None
    return name


def _schedule(line: str) -> str:
    try:
        next(CronSim(CRON_MACROS.get(line, line), datetime.now(UTC)))
    except CronSimError as error:
        reason = f"{line!r} is no cron line, or one that never fires ({error})"
        raise ValueError(f'{reason}; five fields such as "0 3 * * 0" are expected') from None
    except StopIteration:
        raise ValueError(f"the cron line {line!r} never fires: there is no such day") from None
    return line


def _date(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"must be a date or time such as 2026-11-22T03:00:00+00:00; it is {text!r}") from None
    return text


def columns_of_a_file(columns: dict[Any, str | int]) -> dict[Any, str | int]:
    """The columns of a dump, if they say where the paths are and do not contradict each other."""
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


Fraction = Annotated[Decimal, BeforeValidator(_fraction), PlainSerializer(_plain, return_type=str)]
LogicalPath = Annotated[str, AfterValidator(_absolute)]
RelativePath = Annotated[str, Field(min_length=1), AfterValidator(_relative)]
Prefix = Annotated[str, AfterValidator(_prefix)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Date = Annotated[str, AfterValidator(_date)]
SiteName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=64)]
_MOST = 2**31 - 1
Seconds = Annotated[int, Field(ge=0, le=_MOST)]
Count = Annotated[int, Field(ge=0, le=_MOST)]
Positive = Annotated[int, Field(ge=1, le=_MOST)]
Mode = Literal["Ignore", "Report", "Enforce"]


class XRootDSource(ClosedModel):
    """A site that is listed over XRootD."""

    servers: Annotated[list[str], Field(min_length=1)] = Field(
        description="Doors, asked in turn: root://host:port, roots://host, host:port, host or [IPv6]:port."
    )
    prefix: Prefix = Field("", description="What stands before the LFN in the path at the site.")


class PosixSource(ClosedModel):
    """A site that is mounted as a file system."""

    prefix: LogicalPath = Field(description="The mount point: prefix + LFN is the path there.")


class DumpSource(ClosedModel):
    """A site that publishes a list of its files."""

    url: str = Field(min_length=1, description="Path or fsspec URL of the dump; may be compressed (gz, bz2, zst).")
    format: Literal["tsv", "csv", "pipe", "ral", "paths", "parquet"] = Field(
        "tsv",
        description="tsv, csv and pipe: columns; ral: `lfn size days`; paths: bare paths; parquet: columns by name.",
    )
    columns: Annotated[dict[Literal["path", "size", "mtime"], str | int], AfterValidator(columns_of_a_file)] | None = (
        Field(None, description="Where the columns stand: numbers from 1, or names of the header or Parquet columns.")
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


class Source(ClosedModel):
    """What lists the site: exactly one of the protocols."""

    xrootd: XRootDSource | None = None
    posix: PosixSource | None = None
    dump: DumpSource | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise ValueError("must have exactly one of xrootd, posix, dump")
        return self


class Root(ClosedModel):
    """A directory tree that is checked."""

    path: LogicalPath = Field(description="LFN of the directory, such as /store/mc.")


class Listing(ClosedModel):
    """How the site is listed."""

    source: Source | None = Field(None, description="What lists the site; absent: the backend's get_listers decides.")
    roots: Annotated[list[Root], Field(min_length=1)] = Field(description="The directory trees that are checked.")
    exclude: list[LogicalPath] = Field([], description="Directories below a root that take no part at all.")
    shards: Positive = Field(4, description="Number of parts in which the site is listed, each by its own worker.")
    parallelism: Positive = Field(4, description="Number of shards that are listed at the same time.")
    concurrency: Positive = Field(256, description="Upper bound of the requests in flight in one shard.")
    split_depth: Positive = Field(3, description="Depth below a root at which directories are dealt to the shards.")
    directory_timeout_seconds: Positive = Field(60, description="Time that a door has to list one directory.")
    retries: Count = Field(3, description="How often a directory is asked for again before it becomes a hole.")
    max_requests_per_second: Count = Field(0, description="Upper bound of the request rate of a shard; 0: no bound.")

    @field_validator("roots")
    @classmethod
    def _roots_are_disjoint(cls, roots: list[Root]) -> list[Root]:
        for index, root in enumerate(roots):
            for other in roots[:index] + roots[index + 1 :]:
                if paths.is_in(paths.to_bytes(root.path), [paths.to_bytes(other.path)]):
                    relation = "stands twice" if root == other else f"lies inside the root {other.path}"
                    raise ValueError(f"the root {root.path} {relation}; a file must belong to one root")
        return roots

    @field_validator("exclude")
    @classmethod
    def _excluded_are_below_roots(cls, exclude: list[str], info: ValidationInfo) -> list[str]:
        roots = [paths.to_bytes(root.path) for root in info.data.get("roots", [])]
        for excluded in exclude:
            if roots and not any(paths.is_below(paths.to_bytes(excluded), root) for root in roots):
                raise ValueError(f"the excluded directory {excluded} is below none of the roots")
        return exclude


class Comparison(ClosedModel):
    """What the comparison leaves alone."""

    ignore_age_seconds: Seconds = Field(86400, description="Files and directories younger than this are left alone.")
    ignore: list[Pattern] = Field(
        [], description="Patterns of whole path components that are never orphans or empty directories: /RAW, /RAW*."
    )


class FindingPolicy(ClosedModel):
    """What is done with one kind of finding."""

    mode: Mode = Field("Report", description="Ignore, Report, or Enforce: request the correction from the registry.")
    max_count: Count = Field(description="More findings than this, in a root or the site, and nothing is requested.")
    max_fraction: Fraction | None = Field(None, description="The same as a fraction of the files.")
    confirm_runs: Positive = Field(description="Number of last complete runs in which a finding must stand.")
    confirm_span_seconds: Seconds = Field(description="Least time between the first and the last of these runs.")

    @model_validator(mode="after")
    def _the_first_run_never_acts(self) -> Self:
        if self.mode == "Enforce" and self.confirm_runs < 2:
            raise ValueError("confirmRuns must be at least 2 where mode is Enforce: the first run never acts")
        return self


class MissingPolicy(FindingPolicy):
    """Files that the inventory expects and the site lacks."""

    max_count: Count = 1000
    max_fraction: Fraction | None = Decimal("0.01")
    confirm_runs: Positive = 2
    confirm_span_seconds: Seconds = 518400


class OrphanPolicy(FindingPolicy):
    """Files that the site has and the inventory does not know."""

    max_count: Count = 10000
    max_fraction: Fraction | None = Decimal("0.01")
    confirm_runs: Positive = 3
    confirm_span_seconds: Seconds = 1209600


class MismatchPolicy(FindingPolicy):
    """Files that both know, with different sizes."""

    max_count: Count = 100
    max_fraction: Fraction | None = Decimal("0.001")
    confirm_runs: Positive = 2
    confirm_span_seconds: Seconds = 518400


class EmptyDirectoryPolicy(FindingPolicy):
    """Directories without a file in or below them."""

    max_count: Count = 10000
    max_fraction: Fraction | None = None
    confirm_runs: Positive = 3
    confirm_span_seconds: Seconds = 1209600


class Health(ClosedModel):
    """When a listing is too poor, or the inventory too different from last time, to act on."""

    min_listed_fraction: Fraction = Field(Decimal("0.9"), description="Least listed/expected files, root by root.")
    max_hole_fraction: Fraction = Field(Decimal("0.05"), description="Most unlisted/known directories.")
    max_inventory_change: Fraction = Field(Decimal("0.2"), description="Most change of the inventory between runs.")


class Policy(ClosedModel):
    """What may be done with findings, and what must hold before."""

    missing: MissingPolicy = MissingPolicy()
    orphans: OrphanPolicy = OrphanPolicy()
    mismatches: MismatchPolicy = MismatchPolicy()
    empty_directories: EmptyDirectoryPolicy = EmptyDirectoryPolicy()
    health: Health = Health()
    approval: Literal["Never", "Required", "OnlyAboveLimits"] = Field(
        "OnlyAboveLimits", description="When a person must approve a run before it may request anything."
    )
    max_requests_per_run: Count = Field(10000, description="Budget of requests to the registry in one run.")


class Retention(ClosedModel):
    """How long run directories are kept; what a confirmation rests on is never removed."""

    runs: Positive = Field(3, description="Last complete runs that keep their inventories and listings, however old.")
    days: Positive = Field(14, description="Days for which all other runs keep their inventories and listings.")
    findings_days: Positive = Field(400, description="Days for which findings, actions and reports are kept.")


class UnmergedLogs(ClosedModel):
    """Log files in a scratch area; they are kept longer."""

    path: RelativePath = Field("logs", description="Directory of the logs, relative to the scratch area.")
    additional: list[LogicalPath] = Field(
        [], description="Directories of logs elsewhere at the site, treated alike, such as /store/logs/prod/recent."
    )
    min_age_seconds: Seconds = Field(5184000, description="Logs younger than this stay.")


class ProtectedFrom(ClosedModel):
    """Where the list of protected directories comes from."""

    url: str = Field(
        min_length=1, description="Path or fsspec URL of a list of directories (LFNs), one a line; # begins a comment."
    )


class Unmerged(FindingPolicy):
    """A scratch area that only ages, without an inventory."""

    path: LogicalPath = Field(description="LFN of the scratch area, such as /store/unmerged.")
    max_count: Count = 100000
    max_fraction: Fraction | None = None
    confirm_runs: Positive = 2
    confirm_span_seconds: Seconds = 0
    min_age_seconds: Seconds = Field(2419200, description="Files and empty directories younger than this stay.")
    logs: UnmergedLogs = UnmergedLogs()
    exclude: list[Pattern] = Field(
        ["data", "express", "tier0_harvest"], description="Path components below the area that protect what has them."
    )
    protected_from: ProtectedFrom

    @property
    def areas(self) -> list[str]:
        """The directory trees that are cleaned: the scratch area, and further directories of logs."""
        return [self.path, *self.logs.additional]

    @model_validator(mode="after")
    def _areas_are_disjoint(self) -> Self:
        for index, area in enumerate(self.areas):
            for other in self.areas[:index] + self.areas[index + 1 :]:
                if paths.is_in(paths.to_bytes(area), [paths.to_bytes(other)]):
                    raise ValueError(f"{area} lies in {other}: every directory must be cleaned by one rule only")
        return self


class Trigger(ClosedModel):
    """A run on demand."""

    manual: str | None = Field(None, description="One run starts when this differs from status.lastManualTrigger.")


class Approve(ClosedModel):
    """The approval of one run's action."""

    run: str = Field(min_length=1, description="Id of the run whose findings may be acted on.")


class Store(ClosedModel):
    """Where the run directories are kept."""

    claim_name: str | None = Field(None, description="Name of a PersistentVolumeClaim.")
    url: str | None = Field(None, description="A path or an fsspec URL such as s3://bucket/folder.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.claim_name is None) == (self.url is None):
            raise ValueError("must have exactly one of claimName, url")
        return self


class Spec(ClosedModel):
    """The check of one site."""

    site: SiteName = Field(description="Name of the site in the inventory.")
    backend: str = Field("default", min_length=1, description="Name of an entry of backends.yaml.")
    schedule: Annotated[str, AfterValidator(_schedule)] | None = Field(None, description="Cron line; absent: manual.")
    time_zone: Annotated[str, AfterValidator(_time_zone)] | None = Field(None, description="Time zone of the schedule.")
    suspend: bool = Field(False, description="True: no new run starts; a running one goes on.")
    jitter_seconds: Seconds = Field(0, description="Runs start up to this much later, by the same amount each time.")
    starting_deadline_seconds: Positive | None = Field(None, description="A run not started by then is missed.")
    run_deadline_seconds: Positive = Field(172800, description="A run that takes longer fails.")
    trigger: Trigger = Trigger()
    listing: Listing
    comparison: Comparison = Comparison()
    policy: Policy = Policy()
    unmerged: Unmerged | None = None
    approve: Approve | None = None
    store: Store | None = None
    retention: Retention = Retention()
    successful_runs_history_limit: Count = Field(3, description="Finished Jobs of successful runs that are kept.")
    failed_runs_history_limit: Count = Field(3, description="Finished Jobs of failed runs that are kept.")
    pod_template: dict[str, Any] = Field({}, description="Laid over every worker pod: resources, node selector, …")

    @field_validator("unmerged")
    @classmethod
    def _an_area_is_no_part_of_a_root(cls, unmerged: Unmerged | None, info: ValidationInfo) -> Unmerged | None:
        listing = info.data.get("listing")
        if unmerged is None or listing is None:
            return unmerged
        roots = [paths.to_bytes(root.path) for root in listing.roots]
        excluded = [paths.to_bytes(path) for path in listing.exclude]
        for area in map(paths.to_bytes, unmerged.areas):
            overlaps = paths.is_in(area, roots) or any(paths.is_in(root, [area]) for root in roots)
            if overlaps and not paths.is_in(area, excluded):
                raise ValueError(
                    f"{paths.to_text(area)} overlaps with a root of listing.roots; a file must be judged by one rule "
                    "only: choose other roots, or name the area in listing.exclude"
                )
        return unmerged

    @field_validator("time_zone")
    @classmethod
    def _time_zone_needs_a_schedule(cls, time_zone: str | None, info: ValidationInfo) -> str | None:
        if time_zone and "schedule" in info.data and not info.data["schedule"]:
            raise ValueError("has a meaning only together with schedule")
        return time_zone


class Metadata(ClosedModel):
    """The resource's name; whatever else Kubernetes keeps there is allowed and ignored."""

    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=40)] = Field(
        description="At most 40 characters: the names of the Jobs derive from it."
    )


class SiteConsistencyCheck(ClosedModel):
    """One resource per site, the same in a cluster and on a laptop."""

    api_version: Literal["consistency.dynamo.io/v1alpha1"]
    kind: Literal["SiteConsistencyCheck"]
    metadata: Metadata
    spec: Spec
    status: dict[str, Any] | None = Field(None, exclude=True)
