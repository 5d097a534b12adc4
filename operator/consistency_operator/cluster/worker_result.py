"""The result of a worker: one JSON line of at most 3 KiB, the termination message of its pod."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

from consistency_operator.names import JOB_STAGES, JobStage
from consistency_operator.resource.status import CountsByName, GateRecord, HoleRecord, Requests, RunResult

LISTED = {"files": "listedFiles", "directories": "listedDirectories", "bytes": "listedBytes", "holes": "holes"}
"""What a shard counts, by the names that the summary of the run has for it."""


@dataclass(frozen=True)
class WorkerResult:
    """A termination message. `shard`: of a listing. `gates` is empty where they are not known."""

    stage: JobStage
    run_id: str
    exit_code: int
    result: RunResult
    message: str = ""
    shard: int | None = None
    counts: CountsByName | None = None
    gates: tuple[GateRecord, ...] = ()
    requests: tuple[tuple[str, Requests], ...] = ()
    holes: tuple[HoleRecord, ...] = ()
    unmerged_trouble: str = ""
    artifacts: tuple[tuple[str, str], ...] = ()

    def requested(self, what: str) -> list[Requests]:
        """The requests to `delete`, or to `transfer`, by kind of finding."""
        return [requests for request, requests in self.requests if request == what]


def parse(message: str) -> WorkerResult | None:
    """The result in a termination message; None where that holds something else: a tail of the log, JSON cut short."""
    try:
        data = json.loads(message)
        return _result(data) if isinstance(data, dict) else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def summed(results: Iterable[WorkerResult]) -> CountsByName:
    """The counts of all shards together."""
    total: Counter[str] = Counter()
    for result in results:
        total.update({LISTED[name]: number for name, number in (result.counts or {}).items() if name in LISTED})
    return dict(total)


def _result(data: dict[str, Any]) -> WorkerResult:
    result: RunResult = data["result"]
    if result not in get_args(RunResult):
        raise ValueError(f"unknown result {result!r}")
    return WorkerResult(
        stage={stage.lower(): stage for stage in JOB_STAGES}[data["stage"]],
        run_id=str(data["runId"]),
        exit_code=int(data["exitCode"]),
        result=result,
        message=str(data.get("message", "")),
        shard=None if data.get("shard") is None else int(data["shard"]),
        counts=_numbers(data.get("counts", {})),
        gates=tuple(GateRecord.model_validate(gate) for gate in data.get("gates", [])),
        requests=tuple(_requests(kind, numbers) for kind, numbers in data.get("actions", {}).items()),
        holes=tuple(HoleRecord.model_validate(hole) for hole in data.get("holes", {}).get("first", [])),
        unmerged_trouble=str(data.get("unmergedTrouble", "")),
        artifacts=tuple((str(name), str(file)) for name, file in data.get("artifacts", {}).items()),
    )


def _requests(kind: str, numbers: dict[str, Any]) -> tuple[str, Requests]:
    """The request (`delete`, `transfer`) and its numbers."""
    by_reason = ("skipped", "refused", "heldBack")
    reasons = {outcome: _numbers(numbers[outcome]) for outcome in by_reason if numbers.get(outcome)}
    return str(numbers.get("request", "")), Requests.model_validate({**numbers, **reasons, "kind": kind})


def _numbers(data: dict[str, Any]) -> CountsByName:
    return {str(name): value for name, value in data.items() if type(value) is int}
