"""Whose run it is: the check that a run directory was made for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from dynamo_consistency.check import SiteConsistencyCheck


@dataclass(frozen=True)
class Owner:
    """A check, as runs know it. Two that differ in anything are two: neither counts the runs of the other.

    `namespace` and `uid` are what a cluster gives a check; one of the command line has none. A check that was deleted
    and made again, or stands under the same name in another cluster, has another uid.
    """

    name: str
    namespace: str | None = None
    uid: str | None = None

    @classmethod
    def of(cls, check: SiteConsistencyCheck) -> Self:
        metadata = check.metadata
        return cls(metadata.name, metadata.namespace, metadata.uid)

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """The owner that a claim names. Raises ValueError for what is no claim."""
        values = [data.get(name) for name in ("name", "namespace", "uid")] if isinstance(data, Mapping) else [None]
        if not isinstance(values[0], str) or not all(value is None or isinstance(value, str) for value in values):
            raise ValueError("it names no check")
        return cls(*values)

    def as_json(self) -> dict[str, str | None]:
        return asdict(self)

    def __str__(self) -> str:
        """What a person calls it: `namespace/name`."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name
