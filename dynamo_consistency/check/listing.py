"""How a site is listed, and which part of it."""

from typing import Annotated, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from dynamo_consistency import paths
from dynamo_consistency.check.fields import Count, LogicalPath, Positive, Shards, never_met
from dynamo_consistency.check.source import Source
from dynamo_consistency.yamlfile import ClosedModel


class Root(ClosedModel):
    """A directory tree that is checked."""

    path: LogicalPath = Field(description="LFN of the directory, such as /store/mc.")


class Listing(ClosedModel):
    """How the site is listed."""

    source: Source | None = Field(None, description="What lists the site; absent: the backend's get_listers decides.")
    roots: Annotated[list[Root], Field(min_length=1, max_length=64)] = Field(
        description="The directory trees that are checked."
    )
    exclude: Annotated[list[LogicalPath], Field(max_length=120)] = Field(
        [],
        description="Directories below a root that take no part at all. No wildcards: see comparison.ignore.",
    )
    shards: Shards = Field(4, description="Number of parts in which the site is listed, each by its own worker.")
    parallelism: Shards = Field(4, description="Number of shards that are listed at the same time.")
    max_failed_shards: Count = Field(
        0, description="Shards that may fail; what they own is then a hole. More than these, and the run fails."
    )
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
    def _excluded_are_directories_below_roots(cls, exclude: list[str], info: ValidationInfo) -> list[str]:
        roots = [paths.to_bytes(root.path) for root in info.data.get("roots", [])]
        for excluded in exclude:
            if never_met(excluded):
                raise ValueError(
                    f"the excluded directory {excluded!r} has blanks around a name: it would exclude nothing"
                )
            if any(wildcard in excluded for wildcard in "*?[{"):
                raise ValueError(
                    f"the excluded directory {excluded} has a wildcard, which nothing here expands; patterns go into "
                    "spec.comparison.ignore"
                )
            if roots and not any(paths.is_below(paths.to_bytes(excluded), root) for root in roots):
                raise ValueError(f"the excluded directory {excluded} is below none of the roots")
        return exclude

    def misplaced(self, source: Source) -> str | None:
        """Why the rules of `source` do not say where each root is, with all that is below it; None where they do."""
        rules = source.path_rules
        if rules is None:
            return None
        exclude = [paths.to_bytes(path) for path in self.exclude]
        problems = (rules.problem(paths.to_bytes(root.path), exclude) for root in self.roots)
        return next((problem for problem in problems if problem), None)

    @model_validator(mode="after")
    def _rules_place_the_roots(self) -> Self:
        if self.source is not None and (problem := self.misplaced(self.source)):
            raise ValueError(problem)
        return self
