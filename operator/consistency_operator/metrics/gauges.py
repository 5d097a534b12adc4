"""What is measured of one check: pure functions from what is known of it."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from consistency_operator.cluster.cache import KnownCheck
from consistency_operator.resource.status import FinishedRun, Requests
from dynamo_consistency.kinds import FINDING_KINDS
from dynamo_consistency.schedule import CronSchedule, schedule_of

Samples = dict[tuple[str, ...], float]
"""By the values of the labels that a gauge has beyond those of every check."""

FILES = ("listedFiles", "inventoryFiles", "unplacedFiles", *(kind.name for kind in FINDING_KINDS))
BYTES = ("listedBytes", "inventoryBytes", *(kind.bytes_name for kind in FINDING_KINDS if kind.bytes_name))

BECAME = ("Recovered", "Lost", "Queued", "Removed", "Kept", "Unknown", "Withdrawn", "Outliving")
"""What became of earlier requests; the counts `requestsRecovered`, … of a run."""


@dataclass(frozen=True)
class Gauge:
    """A metric: `labels` are those beyond namespace, name and site."""

    name: str
    help: str
    labels: tuple[str, ...]
    values: Callable[[KnownCheck], Samples]


def outcomes(run: FinishedRun) -> Counter[tuple[str, ...]]:
    """What became of the findings that could be acted on, by (request, kind, outcome)."""
    counts: Counter[tuple[str, ...]] = Counter()
    for request, all_kinds in (("delete", run.deletions), ("transfer", run.transfers)):
        for requests in all_kinds:
            counts.update({(request, requests.kind, outcome): number for outcome, number in _outcomes_of(requests)})
    return counts


def _outcomes_of(requests: Requests) -> Iterator[tuple[str, int]]:
    yield "requested", requests.requested
    yield "waiting", requests.waiting
    yield "skipped", sum(requests.skipped.values())
    yield "refused", sum(requests.refused.values())
    yield "unanswered", requests.unanswered
    yield "left_over", requests.left_over


def _time(time: datetime | None) -> Samples:
    return {} if time is None else {(): time.timestamp()}


def _flag(value: bool) -> Samples:
    return {(): float(value)}


def _interval(known: KnownCheck) -> Samples:
    check = known.resource.check
    schedule = schedule_of(check, known.resource.uid) if check else None
    longest = _longest_interval(schedule.text, datetime.now(UTC).toordinal()) if schedule else None
    return {} if longest is None else {(): longest.total_seconds()}


@lru_cache(maxsize=4096)
def _longest_interval(text: str, day: int) -> timedelta | None:
    zone, _, line = text.removeprefix("CRON_TZ=").partition(" ")
    return CronSchedule(line, zone).longest_interval(datetime.fromordinal(day).replace(tzinfo=UTC))


def _last(known: KnownCheck) -> FinishedRun | None:
    """The last run that has ended; one that was withdrawn has not begun."""
    return next((run for run in known.status.history if run.result != "Withdrawn"), None)


def _duration(known: KnownCheck) -> Samples:
    run = _last(known)
    return {(): (run.completion_time - run.start_time).total_seconds()} if run else {}


def _result(known: KnownCheck) -> Samples:
    run = _last(known)
    return {(run.result, run.reason): 1} if run else {}


def _stage(known: KnownCheck) -> Samples:
    return {(known.status.run.stage,): 1} if known.status.run else {}


def _stage_start(known: KnownCheck) -> Samples:
    run = known.status.run
    return {(run.stage,): run.stage_start_time.timestamp()} if run else {}


def _waits(known: KnownCheck) -> Samples:
    """A run that goes on has its stage for a reason; any other says what it waits for."""
    run, condition = known.status.run, known.status.condition("Running")
    if run is None or condition is None:
        return {}
    goes_on = condition.reason == run.stage and run.stage not in ("Queued", "AwaitingApproval")
    return {} if goes_on else {(condition.reason,): 1}


def _counts(known: KnownCheck) -> dict[str, int]:
    """Of the last run that proves something."""
    return next((run.counts for run in known.status.history if run.result == "Complete"), {})


def _files(known: KnownCheck) -> Samples:
    return {(kind,): number for kind, number in _counts(known).items() if kind in FILES}


def _followed(known: KnownCheck) -> Samples:
    counts = _counts(known)
    return {(word.lower(),): counts[f"requests{word}"] for word in BECAME if f"requests{word}" in counts}


def _bytes(known: KnownCheck) -> Samples:
    return {(kind,): number for kind, number in _counts(known).items() if kind in BYTES}


def _holes(known: KnownCheck) -> Samples:
    counts = _counts(known)
    return {(): counts["holes"]} if "holes" in counts else {}


def _gates(known: KnownCheck) -> Samples:
    """Those of the run that goes on, as soon as they are known; until then those of the last one."""
    run, last = known.status.run, _last(known)
    if run and run.gates:
        return {(gate.name,): 1 for gate in run.gates if gate.state != "Ready"}
    return {(gate.name,): 1 for gate in last.closed_gates} if last else {}


def _requests(known: KnownCheck) -> Samples:
    last = _last(known)
    return dict(outcomes(last)) if last else {}


def _ready(known: KnownCheck) -> Samples:
    condition = known.status.condition("Ready")
    return _flag(condition is not None and condition.status == "True")


def _suspended(known: KnownCheck) -> Samples:
    return _flag(known.resource.check is not None and known.resource.check.spec.suspend)


GAUGES = (
    Gauge("ready", "1: the spec is valid and the schedule armed.", (), _ready),
    Gauge("suspended", "1: no new run starts.", (), _suspended),
    Gauge("created_timestamp_seconds", "When the check was made.", (), lambda k: _time(k.resource.created)),
    Gauge("last_run_timestamp_seconds", "When the last run began.", (), lambda k: _time(k.status.last_run_time)),
    Gauge(
        "last_success_timestamp_seconds",
        "When a run last came to its end as Complete.",
        (),
        lambda k: _time(k.status.last_successful_run_time),
    ),
    Gauge("next_run_timestamp_seconds", "When the next one is due.", (), lambda k: _time(k.status.next_run_time)),
    Gauge("expected_interval_seconds", "The longest time between two runs of the schedule.", (), _interval),
    Gauge("last_run_duration_seconds", "How long the last run took, its time in the queue included.", (), _duration),
    Gauge("last_run_result", "1, with the result and the reason of the last run.", ("result", "reason"), _result),
    Gauge("run_stage", "1, with what the run that goes on is doing; absent when none does.", ("stage",), _stage),
    Gauge(
        "run_stage_start_timestamp_seconds",
        "Since when the run that goes on is in its stage; absent when none does.",
        ("stage",),
        _stage_start,
    ),
    Gauge(
        "run_deadline_timestamp_seconds",
        "When the run that goes on fails if it is still on; absent before it has begun.",
        (),
        lambda k: _time(k.status.run.deadline_time if k.status.run else None),
    ),
    Gauge(
        "run_waits",
        "1, with what the run that is on waits for; absent while it goes on.",
        ("reason",),
        _waits,
    ),
    Gauge(
        "run_start_timestamp_seconds",
        "When the run that goes on was due; absent when none does.",
        (),
        lambda k: _time(k.status.run.start_time if k.status.run else None),
    ),
    Gauge(
        "awaiting_approval",
        "1: the run waits for a person.",
        (),
        lambda k: _flag(k.status.run is not None and k.status.run.stage == "AwaitingApproval"),
    ),
    Gauge("files", "Files and directories of the last complete run, by kind.", ("kind",), _files),
    Gauge("bytes", "Bytes of the last complete run, by kind.", ("kind",), _bytes),
    Gauge("holes", "Directories that the last complete run could not list.", (), _holes),
    Gauge("gate_closed", "1: this gate keeps findings from being acted on; absent: it is open.", ("gate",), _gates),
    Gauge(
        "last_run_requests",
        "What became of the findings that the last run could act on.",
        ("request", "kind", "outcome"),
        _requests,
    ),
    Gauge("followed_requests", "What became of the requests of earlier runs.", ("became",), _followed),
)
