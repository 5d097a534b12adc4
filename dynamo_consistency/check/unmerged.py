"""The unmerged area of a check: which directories are cleaned by age, after how long, and what is protected there."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from dynamo_consistency import paths
from dynamo_consistency.check.fields import Count, Fraction, LogicalPath, Pattern, Positive, RelativePath, Seconds, Url
from dynamo_consistency.check.policy import FindingPolicy
from dynamo_consistency.yamlfile import ClosedModel

_DAY = 86400


class UnmergedLogs(ClosedModel):
    """Log files of the unmerged area, which are kept longer."""

    path: RelativePath = Field("logs", description="Directory of the logs, relative to the unmerged area.")
    additional: Annotated[list[LogicalPath], Field(max_length=16)] = Field(
        [], description="Directories of logs elsewhere at the site, treated alike, such as /store/logs/prod/recent."
    )
    min_age_seconds: Seconds = Field(5184000, description="Logs younger than this stay.")


class ProtectedFrom(ClosedModel):
    """Where the list of protected directories comes from."""

    url: Url = Field(description="Path or fsspec URL of a list of directories (LFNs), one a line; # begins a comment.")


class Unmerged(FindingPolicy):
    """The unmerged area, whose files no inventory knows: their age alone decides what may be deleted."""

    path: LogicalPath = Field(description="LFN of the unmerged area, such as /store/unmerged.")
    max_count: Count = 100000
    max_fraction: Fraction | None = None
    confirm_runs: Positive = 2
    confirm_span_seconds: Seconds | None = Field(
        None,
        description="Least time between the first and the last of these runs; null: a quarter of minAgeSeconds, for "
        "logs of theirs, at least a day: an upload may give a file any time, so that it seems older than it is.",
    )
    min_age_seconds: Seconds = Field(2419200, description="Files and empty directories younger than this stay.")
    logs: UnmergedLogs = UnmergedLogs()
    exclude: Annotated[list[Pattern], Field(max_length=256)] = Field(
        ["data", "express", "tier0_harvest"], description="Path components below the area that protect what has them."
    )
    protected_from: ProtectedFrom

    @property
    def areas(self) -> list[str]:
        """The LFNs of the directory trees that are cleaned: the unmerged area, and further directories of logs."""
        return [self.path, *self.logs.additional]

    @property
    def span_seconds(self) -> int:
        """As in a policy; here of files that are no logs."""
        return self._span_of(self.min_age_seconds)

    @property
    def log_span_seconds(self) -> int:
        """The same of logs."""
        return self._span_of(self.logs.min_age_seconds)

    @property
    def longest_span_seconds(self) -> int:
        return max(self.span_seconds, self.log_span_seconds)

    def _span_of(self, min_age: int) -> int:
        return max(min_age // 4, _DAY) if self.confirm_span_seconds is None else self.confirm_span_seconds

    @model_validator(mode="after")
    def _areas_are_disjoint(self) -> Self:
        for index, area in enumerate(self.areas):
            for other in self.areas[:index] + self.areas[index + 1 :]:
                if paths.is_in(paths.to_bytes(area), [paths.to_bytes(other)]):
                    raise ValueError(f"{area} lies in {other}: every directory must be cleaned by one rule only")
        return self
