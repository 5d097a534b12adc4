"""The complete check, from its parts."""

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from dynamo_consistency import paths
from dynamo_consistency.check.fields import Count, Name, Pattern, Positive, Schedule, Seconds, SiteName, TimeZone, Url
from dynamo_consistency.check.listing import Listing
from dynamo_consistency.check.policy import Policy, Retention
from dynamo_consistency.check.unmerged import Unmerged
from dynamo_consistency.yamlfile import ClosedModel, pattern

API_VERSION = "consistency.dynamo.io/v1alpha1"
KIND = "SiteConsistencyCheck"


NAMES_OF_SERVERS = (
    "/.sys.v#.*",  # EOS: the folder with the versions of a file
    "/.sys.a#.*",  # EOS: an upload that is not at its end
    "/upload/*/*-*-*-*-*",  # dCache: its folder for an upload, below upload/NUMBER; the last part is a UUID
)
"""Patterns of what storage servers make for themselves; no inventory ever knows it."""


class Comparison(ClosedModel):
    """What the comparison leaves alone."""

    ignore_age_seconds: Seconds = Field(86400, description="Files and directories younger than this are left alone.")
    ignore: Annotated[list[Pattern], Field(max_length=256)] = Field(
        [], description="Patterns of whole path components that are never orphans or empty directories: /RAW, /RAW*."
    )
    ignore_names_of_servers: bool = Field(
        True, description="Ignore what servers make for themselves: versions and uploads of EOS, uploads of dCache."
    )

    @property
    def ignored(self) -> list[str]:
        """All patterns of what is ignored."""
        return [*self.ignore, *(NAMES_OF_SERVERS if self.ignore_names_of_servers else ())]


class Trigger(ClosedModel):
    """A run on demand."""

    manual: Name | None = Field(None, description="One run starts when this differs from status.lastManualTrigger.")


class Approve(ClosedModel):
    """The approval of one run's action."""

    run: Name = Field(description="Id of the run whose findings may be acted on.")


class PodMetadata(ClosedModel):
    """Labels and annotations of worker pods."""

    labels: dict[str, str] = Field({}, description="Further labels; those that Kueue reads go to the Jobs as well.")
    annotations: dict[str, str] = Field({}, description="Annotations.")


class PodTemplate(ClosedModel):
    """Laid over every worker pod: resources, node selector, priority class, pull secrets, certificates, …"""

    metadata: PodMetadata = PodMetadata()
    spec: dict[str, Any] = Field(
        {}, description="A pod's spec, merged into the workers' own; lists of named things are merged by name."
    )


class Store(ClosedModel):
    """Where the run directories are kept."""

    claim_name: Name | None = Field(None, description="Name of a PersistentVolumeClaim.")
    url: Url | None = Field(None, description="A path or an fsspec URL such as s3://bucket/folder.")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.claim_name is None) == (self.url is None):
            raise ValueError("must have exactly one of claimName, url")
        return self


class Spec(ClosedModel):
    """The check of one site."""

    site: SiteName = Field(description="Name of the site in the inventory.")
    backend: Name = Field("default", description="Name of an entry of backends.yaml.")
    tape: bool = Field(False, description="True: the site is on tape; what is found is reported, never acted on.")
    schedule: Schedule | None = Field(None, description="Cron line; absent: manual.")
    time_zone: TimeZone | None = Field(None, description="Time zone of the schedule.")
    suspend: bool = Field(False, description="True: no new run starts; a running one goes on.")
    jitter_seconds: Seconds = Field(0, description="Runs start up to this much later, by the same amount each time.")
    starting_deadline_seconds: Positive | None = Field(86400, description="A run not started by then is missed.")
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
    pod_template: PodTemplate = PodTemplate()

    @field_validator("unmerged")
    @classmethod
    def _an_area_is_no_part_of_a_root(cls, unmerged: Unmerged | None, info: ValidationInfo) -> Unmerged | None:
        listing = info.data.get("listing")
        if unmerged is None or listing is None:
            return unmerged
        roots = [paths.to_bytes(root.path) for root in listing.roots]
        excluded = [paths.to_bytes(path) for path in listing.exclude]
        rules = listing.source.path_rules if listing.source else None
        for area in map(paths.to_bytes, unmerged.areas):
            if any(paths.overlap(area, root) for root in roots) and not paths.is_in(area, excluded):
                raise ValueError(
                    f"{paths.to_text(area)} overlaps with a root of listing.roots; a file must be judged by one rule "
                    "only: choose other roots, or name the area in listing.exclude"
                )
            if rules and (problem := rules.problem(area)):
                raise ValueError(problem)
        return unmerged

    @field_validator("time_zone")
    @classmethod
    def _time_zone_needs_a_schedule(cls, time_zone: str | None, info: ValidationInfo) -> str | None:
        if time_zone and "schedule" in info.data and not info.data["schedule"]:
            raise ValueError("has a meaning only together with schedule")
        return time_zone


_NAME = pattern(
    r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "small letters, digits and -, with - neither first nor last, such as t2-de-rwth"
)


class Metadata(ClosedModel):
    """The resource's name; whatever else Kubernetes keeps there is allowed and ignored.

    `namespace`, `uid`: of a check in a cluster; with the name they say whose a run is.
    """

    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, Field(pattern=_NAME, max_length=40)] = Field(
        description="At most 40 characters: the names of the Jobs derive from it."
    )
    namespace: str | None = Field(None, description="Namespace in a cluster; without one on the command line.")
    uid: str | None = Field(None, description="What the cluster gives: a check that was made again has another one.")


class SiteConsistencyCheck(ClosedModel):
    """One resource per site, the same in a cluster and on a laptop."""

    api_version: Literal["consistency.dynamo.io/v1alpha1"]
    kind: Literal["SiteConsistencyCheck"]
    metadata: Metadata
    spec: Spec
    status: dict[str, Any] | None = Field(None, exclude=True)
