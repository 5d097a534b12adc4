"""What is done with findings, and what must hold before. Times in seconds, fractions between 0 and 1."""

import functools
from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic.alias_generators import to_camel

from dynamo_consistency.check.fields import Count, Fraction, Mode, Positive, Seconds
from dynamo_consistency.yamlfile import ClosedModel


class FindingPolicy(ClosedModel):
    """What is done with one kind of finding."""

    mode: Mode = Field("Report", description="Ignore, Report, or Enforce: request the correction from the registry.")
    max_count: Count = Field(description="More findings than this, in a root or the site, and nothing is requested.")
    max_fraction: Fraction | None = Field(None, description="The same as a fraction of the files; null: no such bound.")
    max_count_per_30_days: Count | None = Field(
        None,
        description="More findings than this, together with what was asked for in the last 30 days, and nothing is "
        "requested; null: five times maxCount.",
    )
    max_fraction_per_30_days: Fraction | None = Field(
        None,
        description="The same as a fraction of the files; null: five times maxFraction, where that is set.",
    )
    confirm_runs: Positive = Field(description="Number of last complete runs in which a finding must stand.")
    confirm_span_seconds: Seconds | None = Field(description="Least time between the first and the last of these runs.")

    @property
    def count_limit_per_30_days(self) -> int:
        """Findings of a kind, and other paths asked for in 30 days."""
        return 5 * self.max_count if self.max_count_per_30_days is None else self.max_count_per_30_days

    @property
    def fraction_limit_per_30_days(self) -> Decimal | None:
        """The same as a fraction; None: no such bound."""
        if self.max_fraction_per_30_days is not None or self.max_fraction is None:
            return self.max_fraction_per_30_days
        return min(Decimal(1), 5 * self.max_fraction)

    @property
    def span_seconds(self) -> int:
        """Least time between the first and the last of the runs that confirm a finding, in seconds."""
        return self.confirm_span_seconds or 0

    @property
    def longest_span_seconds(self) -> int:
        """The same, where it is not the same for all that is found."""
        return self.span_seconds

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

    method: Literal["registry", "protocol"] = Field(
        "registry",
        description="Who removes them: registry asks the inventory's registry; protocol removes each over the protocol "
        "that lists the site, which refuses any that is not empty (XRootD, POSIX, gfal).",
    )
    max_count: Count = 10000
    max_fraction: Fraction | None = None
    confirm_runs: Positive = 3
    confirm_span_seconds: Seconds = 1209600


class Health(ClosedModel):
    """When a listing is too poor, or the inventory too different from last time, to act on."""

    min_listed_fraction: Fraction = Field(Decimal("0.9"), description="Least listed/expected files, root by root.")
    max_hole_fraction: Fraction = Field(Decimal("0.05"), description="Most unlisted/known directories.")
    max_inventory_change: Fraction = Field(Decimal("0.2"), description="Most change of the inventory between runs.")


_camel = functools.cache(to_camel)


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

    @property
    def of_kinds(self) -> dict[str, FindingPolicy]:
        """The policies of the kinds of finding, by the names that `kinds.py` has for them."""
        return {_camel(name): policy for name, policy in self if isinstance(policy, FindingPolicy)}


class Retention(ClosedModel):
    """How long run directories are kept; what a confirmation rests on is never removed."""

    runs: Positive = Field(3, description="Last complete runs that keep their inventories and listings, however old.")
    days: Positive = Field(14, description="Days for which all other runs keep their inventories and listings.")
    findings_days: Positive = Field(400, description="Days for which findings, actions and reports are kept.")
