"""What a worker says with its last breath: one JSON line of at most 3 KiB, its pod's termination message."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from consistency_operator.names import JobStage


@dataclass(frozen=True)
class Result:
    """A worker's termination message. `result`: Complete, Invalid or Failed. `shard`: of a listing."""

    stage: JobStage
    run_id: str
    exit_code: int
    result: str
    message: str = ""
    shard: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    gates: tuple[Mapping[str, str], ...] = ()
    actions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    artifacts: Mapping[str, str] = field(default_factory=dict)


def parse(message: str) -> Result | None:
    """The result in a termination message; None where it holds something else (a tail of the log, cut JSON)."""
    raise NotImplementedError


def summed(results: Iterable[Result]) -> dict[str, int]:
    """The counts of all shards together."""
    raise NotImplementedError
